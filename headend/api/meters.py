"""Meters: who holds them, what their counters say, when they were last heard."""

from typing import Any

from sqlalchemy import Connection, text

from headend.api.command_states import CommandState, last_commands
from headend.api.endpoint import Endpoint
from headend.api.problems import Problem
from headend.api.shapes import MeterIdText, Money, PageQuery, Request, Response, cursor_of, instant, keys_of
from headend.ledger.payments import MILLS_PER_MINOR_UNIT

VALVES = ("open", "closed", "moving", "fault")
LOW_CREDIT = 1 << 2
ALARM_BITS = {"leak": 1 << 3, "burst": 1 << 4, "tamper": 1 << 5, "low_battery": 1 << 6, "clock_unsure": 1 << 7}


class MeterPath(Request):
    meter_id: MeterIdText


class Counters(Response):
    """V in litres; C, D, S, R in mills (1/1000 minor unit): V, S, R as posted, C and D as granted (SEMANTICS A1)."""

    volume_l: int
    credited_mills: int
    debited_mills: int
    spent_mills: int
    collected_mills: int
    balance_mills: int


class StatementNumbers(Response):
    """The number granted last, and the one the meter last said it has applied."""

    granted: int
    applied: int


class Meter(Response):
    """A meter in a list. `valve` is null until it is first heard; `balance` is rounded down to the minor unit.

    `state` is spare, active, quarantined or retired. A spare has no holder yet; one that another meter took the place
    of names the holder it had.
    """

    meter_id: str
    state: str
    customer_number: str | None
    holder: str | None
    service_point: str | None
    valve: str | None
    low_credit: bool
    alarms: list[str]
    balance: Money
    last_seen: str | None
    statement: StatementNumbers
    pack_version: int


class Position(Response):
    """Where a technician found it, in millionths of a degree; `accuracy_m` 0 for not told (IW-35)."""

    lat_e6: int
    lon_e6: int
    accuracy_m: int


class MeterDetail(Meter):
    """One meter with its counters. `corrected_mills` is the signed sum of rating corrections, what was given back being
    negative (A of SEMANTICS B5). `reason` is the number the meter gave for its last valve move (docs/SPEC.md).
    `next_epoch` is the key epoch it is asked to change to, `report_slots` how many half-hours apart it said its reports
    are, `commands` the newest ones, the last first. `replaces` is the meter that a spare is prepared for, or that this
    one took the place of; `replaced_by` the one that took its place."""

    counters: Counters
    corrected_mills: int
    reason: int | None
    generation: int
    epoch: int
    next_epoch: int | None
    log_generation: int
    posted_to_slot: int | None
    litres_per_pulse: int
    tariff_code: str | None
    households: int | None
    replaces: str | None
    replaced_by: str | None
    battery_mv: int | None
    firmware_version: int | None
    boot_count: int | None
    report_slots: int | None
    commands: list[CommandState]
    open_cases: int
    position: Position | None


class MeterPage(Response):
    items: list[Meter]
    next: str | None


_SELECT = """
SELECT m.meter_id, m.state, m.generation, m.litres_per_pulse, c.customer_number, c.tariff_code, c.households,
       cu.name AS holder, p.label AS service_point, p.lat_e6, p.lon_e6, p.accuracy_m, u.currency,
       coalesce(s.number, 0) AS number, coalesce(s.credited_mills, 0) AS credited_mills,
       coalesce(s.debited_mills, 0) AS debited_mills, m.replaces, r.next_meter_id,
       coalesce(st.volume_l, m.first_index_l) AS volume_l, coalesce(st.spent_mills, 0) AS spent_mills,
       coalesce(st.collected_mills, 0) AS collected_mills, coalesce(st.pack_version, 0) AS pack_version,
       coalesce(st.log_generation, 0) AS log_generation, st.frontier_slot,
       coalesce(st.corrected_mills, 0) AS corrected_mills,
       l.status, l.heard_us, coalesce(l.statement_echo, 0) AS statement_echo, l.battery_mv, l.firmware_version,
       l.boot_count, l.report_slots, l.epoch, l.next_epoch
FROM meter m
JOIN utility u
LEFT JOIN contract c ON c.id = (SELECT v.contract_id FROM served v WHERE v.meter_id = m.meter_id
     ORDER BY v.start_slot DESC LIMIT 1)
LEFT JOIN customer cu ON cu.id = c.customer_id
LEFT JOIN service_point p ON p.id = c.service_point_id
LEFT JOIN retirement r ON r.meter_id = m.meter_id
LEFT JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation
     AND s.number = (SELECT max(number) FROM statement y WHERE y.meter_id = m.meter_id AND y.generation = m.generation)
LEFT JOIN meter_state st ON st.meter_id = m.meter_id AND st.generation = m.generation
LEFT JOIN meter_link l ON l.meter_id = m.meter_id
"""


def list_meters(connection: Connection, query: PageQuery) -> MeterPage:
    """All meters by their id, 50 at a time unless `limit` says otherwise."""
    after = keys_of(query.cursor, str)
    fields = {"after": b"" if after is None else bytes.fromhex(_meter_id_text(after[0])), "limit": query.limit + 1}
    rows = connection.execute(
        text(_SELECT + "WHERE m.meter_id > :after ORDER BY m.meter_id LIMIT :limit"), fields
    ).all()
    items = [Meter(**_common(row)) for row in rows[: query.limit]]
    return MeterPage(items, cursor_of(items[-1].meter_id) if len(rows) > query.limit else None)


def get_meter(connection: Connection, path: MeterPath, now_unix_s: int) -> MeterDetail:
    """One meter: five counters, valve and reason, balance, statement numbers, last seen, pack. Has an ETag."""
    meter_id = bytes.fromhex(path.meter_id)
    row = connection.execute(text(_SELECT + "WHERE m.meter_id = :meter_id"), {"meter_id": meter_id}).one_or_none()
    if row is None:
        raise Problem("unknown_meter", meter_id=path.meter_id)
    counters = Counters(
        row.volume_l, row.credited_mills, row.debited_mills, row.spent_mills, row.collected_mills, _balance_mills(row)
    )
    return MeterDetail(
        **_common(row),
        counters=counters,
        corrected_mills=row.corrected_mills,
        reason=_last_reason(connection, meter_id, row.generation),
        generation=row.generation,
        epoch=row.epoch or 0,
        next_epoch=row.next_epoch,
        log_generation=row.log_generation,
        posted_to_slot=row.frontier_slot,
        litres_per_pulse=row.litres_per_pulse,
        tariff_code=row.tariff_code,
        households=row.households,
        replaces=_hex(row.replaces),
        replaced_by=_hex(row.next_meter_id),
        battery_mv=row.battery_mv,
        firmware_version=row.firmware_version,
        boot_count=row.boot_count,
        report_slots=row.report_slots,
        commands=last_commands(connection, meter_id, now_unix_s),
        open_cases=_open_cases(connection, meter_id),
        position=None if row.lat_e6 is None else Position(row.lat_e6, row.lon_e6, row.accuracy_m),
    )


def known_meter(connection: Connection, meter_id_text: str) -> bytes:
    """The id of a registered meter. Problem `unknown_meter`."""
    meter_id = bytes.fromhex(meter_id_text)
    if connection.execute(text("SELECT 1 FROM meter WHERE meter_id = :id"), {"id": meter_id}).first() is None:
        raise Problem("unknown_meter", meter_id=meter_id_text)
    return meter_id


def _common(row: Any) -> dict[str, Any]:
    status = row.status if row.heard_us is not None else 0
    return {
        "meter_id": bytes(row.meter_id).hex(),
        "state": row.state,
        "customer_number": row.customer_number,
        "holder": row.holder,
        "service_point": row.service_point,
        "valve": None if row.heard_us is None else VALVES[status & 3],
        "low_credit": bool(status & LOW_CREDIT),
        "alarms": [name for name, bit in ALARM_BITS.items() if status & bit],
        "balance": Money(_balance_mills(row) // MILLS_PER_MINOR_UNIT, row.currency),
        "last_seen": None if row.heard_us is None else instant(row.heard_us // 1_000_000),
        "statement": StatementNumbers(row.number, row.statement_echo),
        "pack_version": row.pack_version,
    }


def _balance_mills(row: Any) -> int:
    balance: int = row.credited_mills - row.debited_mills - row.spent_mills - row.collected_mills
    return balance


def _hex(meter_id: bytes | None) -> str | None:
    return None if meter_id is None else bytes(meter_id).hex()


def _meter_id_text(key: str) -> str:
    if len(key) != 16 or any(letter not in "0123456789abcdef" for letter in key):
        raise Problem("invalid_cursor")
    return key


def _last_reason(connection: Connection, meter_id: bytes, generation: int) -> int | None:
    query = text(
        "SELECT argument FROM meter_event WHERE meter_id = :meter_id AND generation = :generation AND code IN (1, 2) "
        "ORDER BY event_no DESC LIMIT 1"
    )
    found: int | None = connection.execute(query, {"meter_id": meter_id, "generation": generation}).scalar_one_or_none()
    return found


def _open_cases(connection: Connection, meter_id: bytes) -> int:
    query = text("SELECT count(*) FROM case_file WHERE meter_id = :meter_id AND closed_us IS NULL")
    found: int = connection.execute(query, {"meter_id": meter_id}).scalar_one()
    return found


ENDPOINTS = (
    Endpoint("GET", "/v1/meters", list_meters, "List the meters", "Meters"),
    Endpoint(
        "GET", "/v1/meters/{meter_id}", get_meter, "One meter", "Meters", refusals=("unknown_meter",), has_etag=True
    ),
)
