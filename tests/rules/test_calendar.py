"""Slots, local days and months: SEMANTICS B2 at every offset, against the standard library's calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.rules import calendar
from protocol.rules.calendar import Offsets
from tests.rules.packs import KATHMANDU, NAIROBI, NIAMEY, at

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def slot_at(text: str) -> int:
    return calendar.slot_of(int(datetime.fromisoformat(text).timestamp()))


def paris_offsets() -> Offsets:
    """Central European time with the clock changes of 2026 (29 March and 25 October, both at 01:00 UTC)."""
    return Offsets(60, ((slot_at("2026-03-29T01:00+00:00"), 120), (slot_at("2026-10-25T01:00+00:00"), 60)))


def test_slot_zero_begins_with_2020() -> None:
    assert calendar.slot_of(1577836800) == 0
    assert calendar.slot_of(1577836800 + 1799) == 0
    assert calendar.slot_of(1577836800 + 1800) == 1
    assert calendar.slot_start(1) == 1577836800 + 1800


@pytest.mark.parametrize("offsets", [NIAMEY, NAIROBI, Offsets(-300, ()), Offsets(840, ()), Offsets(-720, ())])
def test_b2_a_day_at_a_whole_half_hour_offset_has_48_slots(offsets: Offsets) -> None:
    """B2: at offsets of whole half-hours, local midnight is the edge of a slot."""
    first = at(2026, 3, 1, offsets).slot
    days = [calendar.local_day(slot, offsets) for slot in range(first - 1, first + 49)]
    day = calendar.day_of_date(2026, 3, 1)
    assert days == [day - 1] + [day] * 48 + [day + 1]


def test_b2_at_utc_plus_5_45_the_slot_over_midnight_belongs_to_the_old_day() -> None:
    """B2: 18:00Z is 23:45 in Kathmandu. Its slot runs to 00:15 and stays in the old day, also at a month's end."""
    over_midnight = slot_at("2026-10-31T18:00+00:00")
    assert calendar.minute_of_day(calendar.slot_start(over_midnight), KATHMANDU) == 23 * 60 + 45
    assert calendar.date_of_day(calendar.local_day(over_midnight, KATHMANDU)) == (2026, 10, 31)
    assert calendar.date_of_day(calendar.local_day(over_midnight + 1, KATHMANDU)) == (2026, 11, 1)
    assert calendar.local_month(over_midnight, KATHMANDU) == 2026 * 12 + 9
    assert calendar.local_month(over_midnight + 1, KATHMANDU) == 2026 * 12 + 10
    assert calendar.first_slot_of_day(calendar.day_of_date(2026, 11, 1), KATHMANDU) == over_midnight + 1


def test_utc_plus_1_puts_2300z_on_the_next_day() -> None:
    assert calendar.date_of_day(calendar.local_day(slot_at("2026-12-31T22:30+00:00"), NIAMEY)) == (2026, 12, 31)
    assert calendar.date_of_day(calendar.local_day(slot_at("2026-12-31T23:00+00:00"), NIAMEY)) == (2027, 1, 1)


def test_a_summer_day_has_46_or_50_slots_where_the_clock_changes() -> None:
    offsets = paris_offsets()
    for date, slots in (((2026, 3, 28), 48), ((2026, 3, 29), 46), ((2026, 10, 25), 50), ((2026, 10, 26), 48)):
        day = calendar.day_of_date(*date)
        first = calendar.first_slot_of_day(day, offsets)
        assert calendar.first_slot_of_day(day + 1, offsets) - first == slots, date


def test_local_time_through_two_clock_changes_equals_the_zone_database() -> None:
    """Every slot of 2026 has the local date, weekday and minute that Europe/Paris has."""
    offsets, zone = paris_offsets(), ZoneInfo("Europe/Paris")
    for slot in range(slot_at("2026-01-01T00:00+00:00"), slot_at("2027-01-01T00:00+00:00")):
        unix_s = calendar.slot_start(slot)
        local = datetime.fromtimestamp(unix_s, zone)
        day = calendar.local_day(slot, offsets)
        assert calendar.date_of_day(day) == (local.year, local.month, local.day)
        assert calendar.weekday(day) == local.weekday()
        assert calendar.minute_of_day(unix_s, offsets) == local.hour * 60 + local.minute


def test_a_clock_that_falls_back_at_midnight_repeats_an_hour_of_the_old_day() -> None:
    """Asunción-like: at 03:00Z the wall clock falls from 24:00 to 23:00. The day does not begin twice."""
    change = slot_at("2026-03-22T03:00+00:00")
    offsets = Offsets(-240, ((0, -180), (change, -240)))
    days = [calendar.local_day(slot, offsets) for slot in range(change - 4, change + 6)]
    assert days == sorted(days)
    assert calendar.date_of_day(calendar.local_day(change, offsets)) == (2026, 3, 21)
    assert calendar.first_slot_of_day(calendar.day_of_date(2026, 3, 22), offsets) == change + 2


@given(st.integers(-800_000, 800_000))
def test_dates_go_there_and_back(day: int) -> None:
    year, month, day_of_month = calendar.date_of_day(day)
    assert calendar.day_of_date(year, month, day_of_month) == day


@given(st.integers(0, 2_900_000))
def test_dates_are_those_of_the_standard_library(day: int) -> None:
    expected = EPOCH + timedelta(days=day)
    assert calendar.date_of_day(day) == (expected.year, expected.month, expected.day)
    assert calendar.weekday(day) == expected.weekday()
    assert calendar.local_month_of_day(day) == expected.year * 12 + expected.month - 1


@given(st.integers(2020 * 12, 2900 * 12))
def test_a_month_begins_on_its_first_day(month: int) -> None:
    day = calendar.first_day_of_month(month)
    assert calendar.local_month_of_day(day) == month
    assert calendar.local_month_of_day(day - 1) == month - 1


@given(st.integers(0, 16_000_000), st.integers(-48, 56))
def test_a_slot_lies_in_the_day_that_its_first_second_is_in(slot: int, quarters: int) -> None:
    """B2, for every offset in use on Earth."""
    offsets = Offsets(15 * quarters, ())
    day = calendar.local_day(slot, offsets)
    assert day == calendar.local_second(calendar.slot_start(slot), offsets) // 86400
    assert calendar.first_slot_of_day(day, offsets) <= slot < calendar.first_slot_of_day(day + 1, offsets)


def test_the_phase_of_a_slot_follows_standard_time_only() -> None:
    """00:15 in Kathmandu is phase 0; summer time does not move the phase in Paris."""
    assert calendar.slot_phase(slot_at("2026-11-01T18:30+00:00"), KATHMANDU) == 0
    assert calendar.slot_phase(slot_at("2026-11-01T18:00+00:00"), KATHMANDU) == 47
    assert calendar.slot_phase(slot_at("2026-07-01T23:00+00:00"), paris_offsets()) == 0
    assert calendar.slot_phase(slot_at("2026-12-01T23:00+00:00"), paris_offsets()) == 0
