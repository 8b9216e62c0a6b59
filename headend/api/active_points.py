"""Connected points by month: how many there were, and of how many a meter was heard (CT-29)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.local_time import utility_offsets
from headend.api.problems import Problem
from headend.api.shapes import Request, Response
from protocol.rules.calendar import Offsets, first_day_of_month, first_slot_of_day, slot_start

MONTHS_MAX = 36

Month = Annotated[
    str,
    Meta(
        pattern=r"^20[2-9][0-9]-(0[1-9]|1[0-2])(?![\s\S])",
        description="a local month",
        examples=["2026-11"],
    ),
]


class MonthsQuery(Request):
    """From the first month to the last, both counted; at most 36."""

    first: Month
    last: Month


class ActivePoints(Response):
    """One local month. `connected`: service points with a meter that was added before its end and not taken away before
    it began; `active`: those of which a meter had an accepted uplink in it. A swap makes no second point."""

    month: str
    connected: int
    active: int


class ActivePointsList(Response):
    items: list[ActivePoints]


def list_active_points(connection: Connection, query: MonthsQuery) -> ActivePointsList:
    """What a running cost per connected point is divided by."""
    first, last = _number(query.first), _number(query.last)
    if not first <= last < first + MONTHS_MAX:
        expected = f"Expected a month that is `first` or later, at most {MONTHS_MAX} months in all"
        raise Problem("invalid_query", (("?last", expected),))
    offsets = utility_offsets(connection)
    return ActivePointsList([_points(connection, month, offsets) for month in range(first, last + 1)])


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _points(connection: Connection, month: int, offsets: Offsets) -> ActivePoints:
    begin_us, end_us = (
        slot_start(first_slot_of_day(first_day_of_month(one), offsets)) * 1_000_000 for one in (month, month + 1)
    )
    # By meter and not by time: an uplink is found under its meter, and one is enough.
    counted = text(
        "SELECT count(DISTINCT c.service_point_id) AS connected, count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM uplink "
        "WHERE uplink.meter_id = m.meter_id AND received_us >= :begin_us AND received_us < :end_us) "
        "THEN c.service_point_id END) AS active FROM served v JOIN contract c ON c.id = v.contract_id "
        "JOIN meter m ON m.meter_id = v.meter_id LEFT JOIN retirement r ON r.meter_id = m.meter_id "
        "WHERE m.added_us < :end_us AND coalesce(r.retired_us >= :begin_us, 1)"
    )
    row = connection.execute(counted, {"begin_us": begin_us, "end_us": end_us}).one()
    return ActivePoints(f"{month // 12:04d}-{month % 12 + 1:02d}", row.connected, row.active)


ENDPOINTS = (
    Endpoint("GET", "/v1/active-points", list_active_points, "Connected and active points by month", "Meters"),
)
