"""A meter's consumption as a series: half-hours, local days or local months. A gap is null, never zero (CT-15)."""

from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection

from headend.api.endpoint import Endpoint
from headend.api.local_time import local_unix_s, utility_offsets
from headend.api.meters import MeterPath, known_meter
from headend.api.problems import Problem
from headend.api.series import litres_by_slot
from headend.api.shapes import Instant, Request, Response, instant, unix_s_of
from protocol.rules.calendar import (
    Offsets,
    date_of_day,
    local_day,
    local_month_of_day,
    slot_of,
    slot_start,
)

# One answer covers at most a year and a leap day of half-hours; coarser steps are summed from the same slots.
SLOTS_MAX = 366 * 48

HALF_HOUR = "half-hour"
DAY = "day"
MONTH = "month"


class SeriesQuery(Request):
    """From `since` up to and without `until`; the half-hours that lie in it. At most 366 days."""

    since: Instant
    until: Instant
    step: Annotated[str, Meta(pattern=r"^(half-hour|day|month)(?![\s\S])")] = HALF_HOUR


class Interval(Response):
    """One step. `litres` is null when nothing of it was heard; `missing_slots` of its `slots` half-hours are gaps."""

    starts_at: str
    local: str
    slots: int
    missing_slots: int
    litres: int | None


class Series(Response):
    """The steps in order, and how complete they are."""

    meter_id: str
    step: str
    items: list[Interval]
    litres: int
    slots: int
    missing_slots: int


def get_slots(connection: Connection, path: MeterPath, query: SeriesQuery) -> Series:
    """Consumption by half-hour, local day or local month, gaps marked and not filled."""
    meter_id = known_meter(connection, path.meter_id)
    first_slot, end_slot = _range(query)
    offsets = utility_offsets(connection)
    heard = litres_by_slot(connection, meter_id, first_slot, end_slot)
    items = [
        _interval(slots, heard, offsets, query.step) for slots in _steps(first_slot, end_slot, offsets, query.step)
    ]
    return Series(
        meter_id=path.meter_id,
        step=query.step,
        items=items,
        litres=sum(heard.values()),
        slots=end_slot - first_slot,
        missing_slots=end_slot - first_slot - len(heard),
    )


def _range(query: SeriesQuery) -> tuple[int, int]:
    """The half-hours that begin in the asked time."""
    since = unix_s_of(query.since, "?since", "invalid_query")
    until = unix_s_of(query.until, "?until", "invalid_query")
    first_slot, end_slot = slot_of(since + 1799), slot_of(until + 1799)
    if not first_slot < end_slot <= first_slot + SLOTS_MAX:
        expected = "Expected an instant after `since`, at least one half-hour and at most 366 days later"
        raise Problem("invalid_query", (("?until", expected),))
    return first_slot, end_slot


def _steps(first_slot: int, end_slot: int, offsets: Offsets, step: str) -> list[range]:
    """Runs of slots that belong to one step, in order."""
    runs: list[range] = []
    key: Any = None
    for slot in range(first_slot, end_slot):
        now = _key(slot, offsets, step)
        if now != key:
            runs.append(range(slot, slot))
            key = now
        runs[-1] = range(runs[-1].start, slot + 1)
    return runs


def _key(slot: int, offsets: Offsets, step: str) -> int:
    if step == HALF_HOUR:
        return slot
    day = local_day(slot, offsets)
    return day if step == DAY else local_month_of_day(day)


def _interval(slots: range, heard: dict[int, int], offsets: Offsets, step: str) -> Interval:
    litres = [heard[slot] for slot in slots if slot in heard]
    return Interval(
        starts_at=instant(slot_start(slots.start)),
        local=_local(slots.start, offsets, step),
        slots=len(slots),
        missing_slots=len(slots) - len(litres),
        litres=sum(litres) if litres else None,
    )


def _local(slot: int, offsets: Offsets, step: str) -> str:
    """The local name of a step: "2026-11-22T07:30", "2026-11-22" or "2026-11"."""
    year, month, day = date_of_day(local_day(slot, offsets))
    if step == MONTH:
        return f"{year:04d}-{month:02d}"
    if step == DAY:
        return f"{year:04d}-{month:02d}-{day:02d}"
    return instant(local_unix_s(slot_start(slot), offsets))[:16]


ENDPOINTS = (
    Endpoint(
        "GET", "/v1/meters/{meter_id}/slots", get_slots, "Consumption series", "Meters", refusals=("unknown_meter",)
    ),
)
