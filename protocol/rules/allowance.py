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
# window began (-1: none yet); window_l: litres it let through; window_earned: the best the balance was since then.
Allowance = namedtuple("Allowance", ("day", "lifeline_l", "window_s", "window_l", "window_earned"))

NEW = Allowance(-1, 0, -1, 0, 0)

# window_earned: a home that was dry when the window began, and stayed so, is not opened by it.
DRY = 0
WITHIN_LIMIT = 1
IN_CREDIT = 2


def renew(
    allowance: Allowance, policy: "Policy", unix_s: int, clock_sure: bool, offsets: Offsets, balance_mills: int
) -> Allowance:
    """The allowance at this moment: a new local day restores the lifeline, a new friendly window its litres.

    Under an unsure clock the lifeline still follows the days the clock shows, since that only ever opens; windows
    rest. A window that touches the one before (Saturday after Friday) inherits what the home earned, with litres of
    its own. A different day restores, not a later one, so a clock that was years ahead heals itself.
    """
    day, lifeline_l, window_s, window_l, earned = allowance
    now_s = local_second(unix_s, offsets)
    if now_s // SECONDS_PER_DAY != day:
        day, lifeline_l = now_s // SECONDS_PER_DAY, 0
    window = latest(policy.windows, now_s) if clock_sure else None
    if window is not None and window.end_s > now_s:
        if window.begin_s != window_s:
            before = latest(policy.windows, window.begin_s - 1)
            touches = before is not None and before.begin_s == window_s and before.end_s >= window.begin_s
            window_s, window_l, earned = window.begin_s, 0, earned if touches else DRY
        if balance_mills > 0:
            earned = IN_CREDIT
        elif balance_mills > -policy.emergency_mills:
            earned = max(earned, WITHIN_LIMIT)
    return Allowance(day, lifeline_l, window_s, window_l, earned)


def draw(allowance: Allowance, reason_code: int, litres: int) -> Allowance:
    """Count litres that flowed while the valve stood open for this reason."""
    day, lifeline_l, window_s, window_l, earned = allowance
    if reason_code == reason_codes.LIFELINE:
        return Allowance(day, lifeline_l + litres, window_s, window_l, earned)
    if reason_code in (reason_codes.FRIENDLY_HOURS, reason_codes.FRIENDLY_ENDING):
        return Allowance(day, lifeline_l, window_s, window_l + litres, earned)
    return allowance
