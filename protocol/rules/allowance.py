"""What a meter remembers of the litres its valve policy let through: one small record, persisted with the wallet.

`renew` runs before each decision, `draw` after litres flowed. Litres count against the allowance that the last
decision named as its reason, so each relaxation is capped apart, and litres paid for by credit count against none.
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING, const
from protocol.rules import reason_codes
from protocol.rules.calendar import SECONDS_PER_DAY, Offsets, local_second
from protocol.rules.windows import latest

if TYPE_CHECKING:
    from protocol.rules.policy import Policy

# day: local day of the lifeline's and the vulnerable home's count; lifeline_l, vulnerable_l: litres of it used.
# window_s: local second at which the friendly window began (-1: none yet); window_l: litres it let through;
# window_earned: DRY, WITHIN_LIMIT or IN_CREDIT. amnesty_until: the end slot of the amnesty that amnesty_l counts.
# fire_s: Unix second at which the customer opened last (-1: never), fire_l its litres. pulse_l: litres of the running
# pulse of the lifeline; pause_until_s: Unix second at which the next may begin.
Allowance = namedtuple(
    "Allowance",
    (
        "day",
        "lifeline_l",
        "window_s",
        "window_l",
        "window_earned",
        "vulnerable_l",
        "amnesty_until",
        "amnesty_l",
        "fire_s",
        "fire_l",
        "pulse_l",
        "pause_until_s",
    ),
)

NEW = Allowance(-1, 0, -1, 0, 0, 0, 0, 0, -1, 0, 0, 0)

# window_earned: how the home stood at best inside the window, its grace included, or just before it. A home that was
# dry when the window began and stayed so is not opened by it; windows that touch (Friday, Saturday) hand it on.
DRY = 0
WITHIN_LIMIT = 1
IN_CREDIT = 2

# Where `draw` counts: positions in Allowance.
_LIFELINE_L = const(1)
_WINDOW_L = const(3)
_VULNERABLE_L = const(5)
_AMNESTY_L = const(7)
_FIRE_L = const(9)
_PULSE_L = const(10)


def renew(
    allowance: Allowance, policy: "Policy", unix_s: int, clock_sure: bool, offsets: Offsets, balance_mills: int
) -> Allowance:
    """The allowance at this moment: a new local day restores its litres, a new friendly window and a new amnesty
    theirs; a pulse of the lifeline that is used up begins its pause.

    Under an unsure clock the days follow what the clock shows, since that only ever opens; windows rest. A different
    day restores, not a later one, so a clock that was years ahead heals itself. An amnesty that is prolonged is a new
    one; one that was withdrawn and comes back is not.
    """
    day, lifeline_l, window_s, window_l, earned, vulnerable_l, amnesty_until, amnesty_l = allowance[:8]
    pulse_l, pause_until_s = allowance.pulse_l, allowance.pause_until_s
    now_s = local_second(unix_s, offsets)
    if now_s // SECONDS_PER_DAY != day:
        day, lifeline_l, vulnerable_l = now_s // SECONDS_PER_DAY, 0, 0
    if clock_sure:
        window = latest(policy, now_s)
        if window is not None and now_s < window.end_s and window.begin_s != window_s:
            window_s, window_l = window.begin_s, 0
        is_held = window is not None and now_s < window.end_s + policy.grace_s + policy.jitter_s
        standing = _standing(policy, balance_mills)
        earned = max(earned, standing) if is_held else standing
    if policy.amnesty_until_slot not in (0, amnesty_until):
        amnesty_until, amnesty_l = policy.amnesty_until_slot, 0
    if pulse_l >= policy.pulse_l:
        if pulse_l and policy.pulse_l:
            pause_until_s = unix_s + policy.pause_s
        pulse_l = 0
    return Allowance(
        day,
        lifeline_l,
        window_s,
        window_l,
        earned,
        vulnerable_l,
        amnesty_until,
        amnesty_l,
        allowance.fire_s,
        allowance.fire_l,
        pulse_l,
        pause_until_s,
    )


def _standing(policy: "Policy", balance_mills: int) -> int:
    if balance_mills > 0:
        return IN_CREDIT
    return WITHIN_LIMIT if balance_mills > -policy.emergency_mills else DRY


def draw(allowance: Allowance, reason_code: int, litres: int) -> Allowance:
    """Count litres that flowed while the valve stood open for this reason."""
    counts = list(allowance)
    if reason_code == reason_codes.LIFELINE:
        counts[_LIFELINE_L] += litres
        counts[_PULSE_L] += litres
    elif reason_code in (reason_codes.FRIENDLY_HOURS, reason_codes.HOLIDAY, reason_codes.FRIENDLY_ENDING):
        counts[_WINDOW_L] += litres
    elif reason_code == reason_codes.VULNERABLE:
        counts[_VULNERABLE_L] += litres
    elif reason_code == reason_codes.AMNESTY:
        counts[_AMNESTY_L] += litres
    elif reason_code == reason_codes.FIRE:
        counts[_FIRE_L] += litres
    return Allowance(*counts)


def fire(allowance: Allowance, policy: "Policy", unix_s: int) -> Allowance:
    """The customer asks for water in an emergency of his own (H08): begins it, or changes nothing if it is not allowed.

    Call it for a closed valve whose reason is one of reason_codes.FIRE_OPENS. Once in fire_every_days, counted from the
    last one's begin either way, so that a small step of the clock grants no second one and a clock that was decades
    ahead does not refuse for decades.
    """
    every_s = policy.fire_every_days * SECONDS_PER_DAY
    if policy.fire_s == 0 or (allowance.fire_s >= 0 and abs(unix_s - allowance.fire_s) < every_s):
        return allowance
    return Allowance(*allowance[:8], unix_s, 0, *allowance[10:])


def clock_stepped(allowance: Allowance, policy: "Policy", unix_s: int, step_s: int) -> Allowance:
    """The clock, at `unix_s` until now, was set by so many seconds: an opening by the customer keeps what is left of
    its time. He opened for two hours, and a clock found again must not make them none."""
    if not 0 <= unix_s - allowance.fire_s < policy.fire_s or allowance.fire_s < 0:
        return allowance
    return Allowance(*allowance[:8], max(0, allowance.fire_s + step_s), *allowance[9:])
