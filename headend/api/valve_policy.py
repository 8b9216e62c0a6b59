"""A valve policy in the words of a utility: dates, local times and litres; and the record a meter decides by.

Days end at local midnight: `vulnerable_until` 2027-03-31 protects through that day. Every relaxation has an end and a
cap in litres, and nothing that only an absent one uses may be given (SEMANTICS E1); a refusal names the field.
"""

from typing import Annotated

from msgspec import Meta

from headend.api.problems import Problem
from headend.api.shapes import Instant, Request, instant, unix_s_of
from headend.refusals import REMEDIES, Code
from protocol.errors import RuleRefused
from protocol.rules.calendar import Offsets, date_of_day, day_of_date, first_slot_of_day, local_day, slot_of, slot_start
from protocol.rules.policy import (
    AMNESTY_CAP_L_MAX,
    BATTERY_CLOSES,
    BATTERY_OPENS,
    DELAY_S_MAX,
    FIRE_EVERY_DAYS_MAX,
    FIRE_S_MAX,
    HOLIDAYS_MAX,
    LITRES_MAX,
    NEVER_CLOSE_LOCK,
    NEW,
    PAUSE_S_MAX,
    TAMPER_CLOSES,
    WINDOW_NEEDS_CREDIT,
    WINDOWS_MAX,
    Policy,
    check,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BATTERY = {"keep": 0, "open": BATTERY_OPENS, "close": BATTERY_CLOSES}

Weekday = Annotated[str, Meta(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)(?![\s\S])")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?![\s\S])", description="local, as 17:30")]
DateText = Annotated[str, Meta(pattern=r"^20[2-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?![\s\S])")]
Mills = Annotated[int, Meta(ge=0, le=10**12)]
DailyLitres = Annotated[int, Meta(ge=0, le=LITRES_MAX)]
Delay = Annotated[int, Meta(ge=0, le=DELAY_S_MAX)]


class FriendlyHours(Request):
    """Local hours in which an empty balance closes nothing; `days` as mon,tue,… on which they begin."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    begins: TimeOfDay
    ends: TimeOfDay


class ValvePolicy(Request):
    """What the valve does at an empty balance; all amounts in mills, spans in seconds.

    Holidays are friendly from their midnight to `holidays_end` of the day after. A `vulnerable` home and an `amnesty`
    stay open until the end of a day and up to a cap. In `fire` mode the customer opens a closed valve. With `pulse_l`
    the lifeline flows so many litres, then rests `pause_s`. `low_battery`: keep, open or close.
    """

    never_close: bool = False
    tamper_closes: bool = False
    low_battery: Annotated[str, Meta(pattern=r"^(keep|open|close)(?![\s\S])")] = "keep"
    emergency_mills: Mills = 0
    emergency_unsure_mills: Mills = 0
    lifeline_l_per_day: DailyLitres = 0
    low_credit_mills: Mills = 500_000
    friendly_hours: Annotated[list[FriendlyHours], Meta(max_length=WINDOWS_MAX)] = []
    holidays: Annotated[list[DateText], Meta(max_length=HOLIDAYS_MAX)] = []
    holidays_end: TimeOfDay = "00:00"
    friendly_cap_l: DailyLitres = 0
    friendly_needs_credit: bool = False
    friendly_until: Instant | None = None
    grace_s: Delay = 0
    jitter_s: Delay = 0
    vulnerable_until: DateText | None = None
    vulnerable_l_per_day: DailyLitres = 0
    amnesty_until: DateText | None = None
    amnesty_cap_l: Annotated[int, Meta(ge=0, le=AMNESTY_CAP_L_MAX)] = 0
    fire_s: Annotated[int, Meta(ge=0, le=FIRE_S_MAX)] = 0
    fire_every_days: Annotated[int, Meta(ge=0, le=FIRE_EVERY_DAYS_MAX)] = 0
    fire_cap_l: DailyLitres = 0
    pulse_l: DailyLitres = 0
    pause_s: Annotated[int, Meta(ge=0, le=PAUSE_S_MAX)] = 0


# The record's field: the field here, where it has another name.
_NAMES = {
    "windows": "friendly_hours",
    "weekday_mask": "friendly_hours",
    "start_min": "friendly_hours",
    "end_min": "friendly_hours",
    "window_cap_l": "friendly_cap_l",
    "until_slot": "friendly_until",
    "holiday_end_min": "holidays_end",
    "vulnerable_until_slot": "vulnerable_until",
    "amnesty_until_slot": "amnesty_until",
    "flags": "low_battery",
}


def record_of(given: ValvePolicy, offsets: Offsets) -> Policy:
    """The record of a policy, version 1. Problem `policy` at the field that is outside its limit, with the remedy."""
    until = given.friendly_until
    record = NEW._replace(
        flags=NEVER_CLOSE_LOCK * given.never_close
        | WINDOW_NEEDS_CREDIT * given.friendly_needs_credit
        | TAMPER_CLOSES * given.tamper_closes
        | BATTERY[given.low_battery],
        emergency_mills=given.emergency_mills,
        emergency_unsure_mills=given.emergency_unsure_mills,
        lifeline_l_per_day=given.lifeline_l_per_day,
        low_credit_mills=given.low_credit_mills,
        windows=tuple((_mask(one.days), _minute(one.begins), _minute(one.ends)) for one in given.friendly_hours),
        window_cap_l=given.friendly_cap_l,
        until_slot=0 if until is None else slot_of(unix_s_of(until, "/policy/friendly_until")),
        grace_s=given.grace_s,
        jitter_s=given.jitter_s,
        holidays=tuple(_day(text, "holidays") for text in given.holidays),
        holiday_end_min=_minute(given.holidays_end),
        vulnerable_until_slot=_after_day(given.vulnerable_until, "vulnerable_until", offsets),
        vulnerable_l_per_day=given.vulnerable_l_per_day,
        amnesty_until_slot=_after_day(given.amnesty_until, "amnesty_until", offsets),
        amnesty_cap_l=given.amnesty_cap_l,
        fire_s=given.fire_s,
        fire_every_days=given.fire_every_days,
        fire_cap_l=given.fire_cap_l,
        pulse_l=given.pulse_l,
        pause_s=given.pause_s,
    )
    try:
        return check(record)
    except RuleRefused as refused:
        name = _NAMES.get(refused.field, refused.field)
        remedy = REMEDIES[Code.POLICY]
        raise Problem("policy", ((f"/policy/{name}", remedy),), detail=f"{name}: {refused.name}") from None


def words_of(record: Policy, offsets: Offsets) -> ValvePolicy:
    """The inverse of `record_of`."""
    battery = next(word for word, flag in BATTERY.items() if record.flags & (BATTERY_OPENS | BATTERY_CLOSES) == flag)
    return ValvePolicy(
        never_close=bool(record.flags & NEVER_CLOSE_LOCK),
        tamper_closes=bool(record.flags & TAMPER_CLOSES),
        low_battery=battery,
        emergency_mills=record.emergency_mills,
        emergency_unsure_mills=record.emergency_unsure_mills,
        lifeline_l_per_day=record.lifeline_l_per_day,
        low_credit_mills=record.low_credit_mills,
        friendly_hours=[
            FriendlyHours([day for at, day in enumerate(WEEKDAYS) if mask >> at & 1], _time(start), _time(end))
            for mask, start, end in record.windows
        ],
        holidays=[_date(day) for day in record.holidays],
        holidays_end=_time(record.holiday_end_min),
        friendly_cap_l=record.window_cap_l,
        friendly_needs_credit=bool(record.flags & WINDOW_NEEDS_CREDIT),
        friendly_until=instant(slot_start(record.until_slot)) if record.until_slot else None,
        grace_s=record.grace_s,
        jitter_s=record.jitter_s,
        vulnerable_until=_last_day(record.vulnerable_until_slot, offsets),
        vulnerable_l_per_day=record.vulnerable_l_per_day,
        amnesty_until=_last_day(record.amnesty_until_slot, offsets),
        amnesty_cap_l=record.amnesty_cap_l,
        fire_s=record.fire_s,
        fire_every_days=record.fire_every_days,
        fire_cap_l=record.fire_cap_l,
        pulse_l=record.pulse_l,
        pause_s=record.pause_s,
    )


def _mask(days: list[str]) -> int:
    return sum(1 << WEEKDAYS.index(day) for day in set(days))


def _minute(time: str) -> int:
    return 60 * int(time[:2]) + int(time[3:])


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(text: str, name: str) -> int:
    year, month, day_of_month = map(int, text.split("-"))
    day = day_of_date(year, month, day_of_month)
    if date_of_day(day) != (year, month, day_of_month):
        raise Problem("invalid_body", ((f"/policy/{name}", "Expected a day that is in the calendar"),))
    return day


def _date(day: int) -> str:
    year, month, day_of_month = date_of_day(day)
    return f"{year:04d}-{month:02d}-{day_of_month:02d}"


def _after_day(text: str | None, name: str, offsets: Offsets) -> int:
    """The first slot after a local day; 0 for none."""
    return 0 if text is None else first_slot_of_day(_day(text, name) + 1, offsets)


def _last_day(until_slot: int, offsets: Offsets) -> str | None:
    return _date(local_day(until_slot - 1, offsets)) if until_slot else None
