"""What a meter remembers of the litres its valve policy let through: one small record, persisted with the wallet.

`renew` runs before each decision, `draw` after litres flowed. Litres count against the allowance that the last
decision named as its reason, so lifeline and friendly-hour litres are capped apart, and litres paid for by credit
count against neither.
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING
from protocol.rules import reason_codes
from protocol.rules.calendar import SECONDS_PER_DAY, Offsets, local_second
from protocol.rules.windows import latest

if TYPE_CHECKING:
    from protocol.rules.policy import Policy

# day: local day of the lifeline count; lifeline_l: litres of it used; window_s: local second at which the friendly
# window began (-1: none yet); window_l: litres it let through; window_earned: DRY, WITHIN_LIMIT or IN_CREDIT.
Allowance = namedtuple("Allowance", ("day", "lifeline_l", "window_s", "window_l", "window_earned"))

NEW = Allowance(-1, 0, -1, 0, 0)

# window_earned: how the home stood at best inside the window, its grace included, or just before it. A home that was
# dry when the window began and stayed so is not opened by it; windows that touch (Friday, Saturday) hand it on.
DRY = 0
WITHIN_LIMIT = 1
IN_CREDIT = 2


def renew(
    allowance: Allowance, policy: "Policy", unix_s: int, clock_sure: bool, offsets: Offsets, balance_mills: int
) -> Allowance:
    """The allowance at this moment: a new local day restores the lifeline, a new friendly window its litres.

    Under an unsure clock the lifeline still follows the days the clock shows, since that only ever opens; windows
    rest. A different day restores, not a later one, so a clock that was years ahead heals itself.
    """
    day, lifeline_l, window_s, window_l, earned = allowance
    now_s = local_second(unix_s, offsets)
    if now_s // SECONDS_PER_DAY != day:
        day, lifeline_l = now_s // SECONDS_PER_DAY, 0
    if clock_sure:
        window = latest(policy.windows, now_s)
        if window is not None and now_s < window.end_s and window.begin_s != window_s:
            window_s, window_l = window.begin_s, 0
        is_held = window is not None and now_s < window.end_s + policy.grace_s + policy.jitter_s
        standing = _standing(policy, balance_mills)
        earned = max(earned, standing) if is_held else standing
    return Allowance(day, lifeline_l, window_s, window_l, earned)


def _standing(policy: "Policy", balance_mills: int) -> int:
    if balance_mills > 0:
        return IN_CREDIT
    return WITHIN_LIMIT if balance_mills > -policy.emergency_mills else DRY


def draw(allowance: Allowance, reason_code: int, litres: int) -> Allowance:
    """Count litres that flowed while the valve stood open for this reason."""
    day, lifeline_l, window_s, window_l, earned = allowance
    if reason_code == reason_codes.LIFELINE:
        return Allowance(day, lifeline_l + litres, window_s, window_l, earned)
    if reason_code in (reason_codes.FRIENDLY_HOURS, reason_codes.FRIENDLY_ENDING):
        return Allowance(day, lifeline_l, window_s, window_l + litres, earned)
    return allowance
