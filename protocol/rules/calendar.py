"""The half-hour calendar: slots, and the local day and month a slot belongs to.

Owns every step from Unix seconds to slots, local days, months, weekdays and back, in integers only. A slot is a
half-hour counted from 2020-01-01T00:00Z and belongs wholly to the local day and month of its first second (SEMANTICS
B2): at UTC+5:45 the slot that holds local midnight begins at 23:45 and still belongs to the old day.

Local days count from 2020-01-01 of local time; a local month is `year * 12 + month - 1`. Nothing here reads a clock.
"""

from collections import namedtuple

SLOT_S = 1800
SLOT_MINUTES = 30
SLOTS_PER_DAY = 48
EPOCH_UNIX_S = 1577836800  # 2020-01-01T00:00Z
MINUTES_PER_DAY = 1440
SECONDS_PER_DAY = 86400

_DAYS_1970_TO_EPOCH = 18262
_EPOCH_WEEKDAY = 2  # 2020-01-01 was a Wednesday; Monday is 0

# standard_minutes: minutes east of UTC; transitions: ((from_slot, minutes east of UTC), ...) in ascending order. The
# last transition at or before a slot is in force; before the first one it is the standard offset.
Offsets = namedtuple("Offsets", ("standard_minutes", "transitions"))

UTC = Offsets(0, ())


def slot_of(unix_s: int) -> int:
    """The slot that holds this Unix second (negative before 2020)."""
    return (unix_s - EPOCH_UNIX_S) // SLOT_S


def slot_start(slot: int) -> int:
    """The first Unix second of a slot."""
    return EPOCH_UNIX_S + slot * SLOT_S


def offset_minutes(slot: int, offsets: Offsets) -> int:
    """Minutes east of UTC in force at a slot. At UTC+1 with summer time from slot 100: 60 at slot 99, 120 at 100."""
    minutes: int = offsets.standard_minutes
    for from_slot, changed in offsets.transitions:
        if from_slot > slot:
            break
        minutes = changed
    return minutes


def local_second(unix_s: int, offsets: Offsets) -> int:
    """Seconds of local wall time since 2020-01-01T00:00 local."""
    return unix_s - EPOCH_UNIX_S + 60 * offset_minutes(slot_of(unix_s), offsets)


def local_day(slot: int, offsets: Offsets) -> int:
    """The local day that owns a slot: the day of its first second (B2)."""
    return (slot * SLOT_MINUTES + offset_minutes(slot, offsets)) // MINUTES_PER_DAY


def local_month(slot: int, offsets: Offsets) -> int:
    """The local month that owns a slot."""
    return local_month_of_day(local_day(slot, offsets))


def minute_of_day(unix_s: int, offsets: Offsets) -> int:
    """Minutes since local midnight, 0..1439."""
    return local_second(unix_s, offsets) // 60 % MINUTES_PER_DAY


def slot_phase(slot: int, offsets: Offsets) -> int:
    """Slot of the local day by the *standard* offset, 0..47: the `phase` of the log codec.

    Summer time is ignored on purpose, so that the phase of a frame never depends on the transition table. At UTC+5:45
    the slot that begins at 00:15 has phase 0.
    """
    standard: int = offsets.standard_minutes
    return (slot * SLOT_MINUTES + standard) // SLOT_MINUTES % SLOTS_PER_DAY


def weekday(day: int) -> int:
    """0 = Monday .. 6 = Sunday."""
    return (day + _EPOCH_WEEKDAY) % 7


def date_of_day(day: int) -> tuple[int, int, int]:
    """(year, month, day of month) of a local day, in the proleptic Gregorian calendar.

    Howard Hinnant's civil_from_days: years run from March, so the leap day is the last of its year, and an era is 400
    years of 146,097 days.
    """
    days = day + _DAYS_1970_TO_EPOCH + 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = march_month + 3 if march_month < 10 else march_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day_of_year - (153 * march_month + 2) // 5 + 1


def day_of_date(year: int, month: int, day_of_month: int) -> int:
    """The local day of a date; the inverse of date_of_day for real dates."""
    year -= 1 if month <= 2 else 0
    era = year // 400
    year_of_era = year - era * 400
    march_month = month - 3 if month > 2 else month + 9
    day_of_year = (153 * march_month + 2) // 5 + day_of_month - 1
    day_of_era = 365 * year_of_era + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146097 + day_of_era - 719468 - _DAYS_1970_TO_EPOCH


def local_month_of_day(day: int) -> int:
    """year * 12 + month - 1, so December 2026 and January 2027 are neighbours."""
    year, month, _ = date_of_day(day)
    return year * 12 + month - 1


def first_day_of_month(month: int) -> int:
    """The local day on which a local month begins."""
    return day_of_date(month // 12, month % 12 + 1, 1)


def first_slot_of_day(day: int, offsets: Offsets) -> int:
    """The first slot owned by a local day, for publishing a pack "from 1 January".

    The offset is looked up near the answer; where clocks change at local midnight itself, the next slots are tried.
    """
    slot = (day * MINUTES_PER_DAY - _largest_offset(offsets) + SLOT_MINUTES - 1) // SLOT_MINUTES
    while local_day(slot, offsets) < day:
        slot += 1
    return slot


def _largest_offset(offsets: Offsets) -> int:
    largest: int = offsets.standard_minutes
    for _, minutes in offsets.transitions:
        largest = max(largest, minutes)
    return largest
