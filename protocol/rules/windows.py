"""Friendly hours on the local calendar: which window covers a moment, or ended last before it.

A weekly window is (weekday_mask, start_min, end_min): bit 0 is Monday, the weekday on which it starts; an end at or
before the start lies on the next day, so 17:00-09:00 crosses midnight and 17:00-17:00 lasts a whole day. A holiday is
a window from its local midnight to `holiday_end_min` of the day after. All moments are seconds of local wall time since
2020-01-01T00:00 local (calendar.local_second).
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING
from protocol.rules.calendar import MINUTES_PER_DAY, SECONDS_PER_DAY, weekday

if TYPE_CHECKING:
    from protocol.rules.policy import Policy

# Local seconds; end_s is the first second outside.
Window = namedtuple("Window", ("begin_s", "end_s", "is_holiday"))

_DAYS_BACK = 3  # a holiday may last to the end of the next day, its grace and jitter (8 hours) into the third
_CHAIN_MAX = 12  # windows followed when they touch; two weeks of holidays, or a week of whole days


def latest(policy: "Policy", now_s: int) -> "Window | None":
    """The window that covers now_s, else the one that ended last, else None; of several, the one begun first.

    So a window, once left, never comes back, and its litres are given once.
    """
    if not policy.windows and not policy.holidays:
        return None
    covering: "Window | None" = None
    ended: "Window | None" = None
    for window in _recent(policy, now_s):
        if window.end_s > now_s:
            if covering is None or window.begin_s < covering.begin_s:
                covering = window
        elif ended is None or (window.end_s, -window.begin_s) > (ended.end_s, -ended.begin_s):
            ended = window
    return covering or ended


def chained_end(policy: "Policy", end_s: int) -> int:
    """Where a stretch of touching windows ends: Friday 17:00 to Monday 09:00 is one stretch to the customer."""
    for _ in range(_CHAIN_MAX):
        following = latest(policy, end_s)
        if following is None or following.end_s <= end_s:
            break
        end_s = following.end_s
    return end_s


def _recent(policy: "Policy", now_s: int) -> "list[Window]":
    """Every window that began at or before now_s on one of the last three local days."""
    found = []
    today = now_s // SECONDS_PER_DAY
    for day in range(today - _DAYS_BACK + 1, today + 1):
        midnight_s = day * SECONDS_PER_DAY
        if day in policy.holidays:
            found.append(Window(midnight_s, midnight_s + SECONDS_PER_DAY + 60 * policy.holiday_end_min, True))
        for weekday_mask, start_min, end_min in policy.windows:
            begin_s = midnight_s + 60 * start_min
            if weekday_mask >> weekday(day) & 1 and begin_s <= now_s:
                length_min = (end_min - start_min - 1) % MINUTES_PER_DAY + 1
                found.append(Window(begin_s, begin_s + 60 * length_min, False))
    return found
