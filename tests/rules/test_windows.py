"""Friendly-hour windows on the local calendar, in seconds of local wall time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.rules.calendar import day_of_date, weekday
from protocol.rules.policy import NEW, Policy
from protocol.rules.windows import Window, chained_end, latest

MONDAY = day_of_date(2026, 11, 2)
EVERY_DAY = 127


def moment(day: int, hour: int, minute: int = 0) -> int:
    """A local second, `day` days after Monday 2026-11-02."""
    return (MONDAY + day) * 86_400 + hour * 3_600 + minute * 60


def weekly(*windows: tuple[int, int, int]) -> Policy:
    return NEW._replace(windows=windows)


def test_the_monday_of_these_tests_is_one() -> None:
    assert weekday(MONDAY) == 0


@pytest.mark.parametrize(
    ("now_s", "begin_s", "end_s"),
    [
        (moment(0, 17), moment(0, 17), moment(1, 9)),  # the first second inside
        (moment(1, 8, 59), moment(0, 17), moment(1, 9)),
        (moment(1, 9), moment(0, 17), moment(1, 9)),  # the first second outside: ended last
        (moment(1, 16, 59), moment(0, 17), moment(1, 9)),
        (moment(1, 17), moment(1, 17), moment(2, 9)),
    ],
)
def test_a_window_that_crosses_midnight(now_s: int, begin_s: int, end_s: int) -> None:
    assert latest(weekly((EVERY_DAY, 17 * 60, 9 * 60)), now_s) == Window(begin_s, end_s, False)


def test_equal_start_and_end_are_a_whole_day() -> None:
    assert latest(weekly((1, 600, 600)), moment(1, 9, 59)) == Window(moment(0, 10), moment(1, 10), False)


def test_of_two_windows_that_cover_the_first_begun_counts_until_it_ends() -> None:
    """A window that came back after another would give its litres twice (E1)."""
    inside = weekly((EVERY_DAY, 17 * 60, 21 * 60), (EVERY_DAY, 18 * 60, 20 * 60))
    for hour in (17, 19, 20, 21):
        assert latest(inside, moment(0, hour)) == Window(moment(0, 17), moment(0, 21), False)
    across = weekly((EVERY_DAY, 17 * 60, 21 * 60), (EVERY_DAY, 18 * 60, 22 * 60))
    assert latest(across, moment(0, 20, 59)) == Window(moment(0, 17), moment(0, 21), False)
    assert latest(across, moment(0, 21)) == Window(moment(0, 18), moment(0, 22), False)


def test_a_window_is_remembered_for_the_longest_grace_and_jitter() -> None:
    """Begun on Monday 23:45 for 24 hours, with eight hours of grace and jitter, it matters to Wednesday 07:45."""
    late = weekly((1, 23 * 60 + 45, 23 * 60 + 45))
    assert latest(late, moment(2, 7, 44)) == Window(moment(0, 23, 45), moment(1, 23, 45), False)


def test_without_a_window_nearby_there_is_none() -> None:
    assert latest(NEW, moment(0, 12)) is None
    assert latest(weekly((1, 600, 660)), moment(4, 12)) is None


def test_windows_that_touch_are_one_stretch() -> None:
    weekend = weekly((1 << 4 | 1 << 5, 17 * 60, 17 * 60), (1 << 6, 17 * 60, 9 * 60))
    assert chained_end(weekend, moment(5, 17)) == moment(7, 9)
    assert chained_end(weekend, moment(7, 9)) == moment(7, 9)


def test_a_week_without_a_gap_still_has_an_end() -> None:
    assert chained_end(weekly((EVERY_DAY, 0, 0)), moment(1, 0)) == moment(13, 0)


def test_a_holiday_lasts_from_midnight_into_the_next_morning_and_chains_with_what_it_touches() -> None:
    """Thursday and Friday are feasts to 09:00 of the day after; the nights around them are friendly anyway."""
    feast = weekly((EVERY_DAY, 17 * 60, 9 * 60))._replace(holidays=(MONDAY + 3, MONDAY + 4), holiday_end_min=9 * 60)
    assert latest(feast, moment(3, 8, 59)) == Window(moment(2, 17), moment(3, 9), False)
    assert latest(feast, moment(3, 9)) == Window(moment(3, 0), moment(4, 9), True)
    assert latest(feast, moment(4, 9)) == Window(moment(4, 0), moment(5, 9), True)  # the night's ended with the first
    assert latest(feast, moment(5, 12)) == Window(moment(4, 0), moment(5, 9), True)
    assert chained_end(feast, moment(3, 9)) == moment(5, 9)


def test_a_holiday_is_remembered_for_the_longest_grace_and_jitter() -> None:
    late = NEW._replace(holidays=(MONDAY,), holiday_end_min=23 * 60 + 45)
    assert latest(late, moment(2, 7, 44)) == Window(moment(0, 0), moment(1, 23, 45), True)
    assert latest(late, moment(3, 0)) is None


@given(
    st.lists(
        st.tuples(st.integers(1, 127), st.integers(0, 95), st.integers(0, 95)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 14 * 86_400),
)
def test_a_minute_by_minute_calendar_agrees_on_what_is_covered(
    quarters: list[tuple[int, int, int]], after_s: int
) -> None:
    """Covered means: some window's weekday and minutes hold this minute, today's or, past midnight, yesterday's."""
    windows = tuple((mask, 15 * start, 15 * end) for mask, start, end in quarters)
    now_s = moment(0, 0) + after_s
    today, minute = now_s // 86_400, now_s % 86_400 // 60
    covered = False
    for mask, start, end in windows:
        begins_today, began_yesterday = mask >> weekday(today) & 1, mask >> weekday(today - 1) & 1
        if end > start:
            covered |= bool(begins_today) and start <= minute < end
        else:
            covered |= (bool(begins_today) and minute >= start) or (bool(began_yesterday) and minute < end)
    found = latest(weekly(*windows), now_s)
    assert (found is not None and found.end_s > now_s) == covered
