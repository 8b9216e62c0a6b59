"""The world's calendar: microseconds since the start of the simulation, and what a wall clock there would show.

Virtual time is an integer of microseconds from 0. The world starts on Monday 30 March 2026 at local midnight in a
place one hour ahead of UTC without summer time (Niamey), so that the third day is the first of a month.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
SLOT_US = 30 * MINUTE_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
SLOTS_PER_DAY = 48

OFFSET_MINUTES = 60
START_UNIX_S = int(datetime(2026, 3, 30, tzinfo=timezone(timedelta(minutes=OFFSET_MINUTES))).timestamp())

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun", "mar", "mer", "jeu", "ven", "sam", "dim"),
}
_MONTHS = {"en": ("", "Jan", "Feb", "Mar", "Apr"), "fr": ("", "janv", "févr", "mars", "avr")}


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Virtual microseconds of a local time; day 1 is the first day of the world."""
    return (day - 1) * DAY_US + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US


def unix_us(now_us: int) -> int:
    """Unix time in microseconds at a virtual time (negative virtual times lie before the start)."""
    return START_UNIX_S * SECOND_US + now_us


def unix_s(now_us: int) -> int:
    """Unix time in whole seconds at a virtual time."""
    return unix_us(now_us) // SECOND_US


def virtual_us(unix_seconds: int) -> int:
    """Virtual time of a Unix second."""
    return (unix_seconds - START_UNIX_S) * SECOND_US


def local_text(now_us: int, lang: str) -> str:
    """Local wall time of a virtual time, as the story prints it: `Tue 31 Mar 07:00:12`."""
    moment = datetime.fromtimestamp(unix_s(now_us), timezone(timedelta(minutes=OFFSET_MINUTES)))
    return f"{_WEEKDAYS[lang][moment.weekday()]} {moment.day:2} {_MONTHS[lang][moment.month]} {moment:%H:%M:%S}"


def clock_text(minute_of_day: int) -> str:
    """Minutes after midnight as a clock shows them: 420 → "07:00"."""
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"
