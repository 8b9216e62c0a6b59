"""Meters: who holds them, what their counters say, when they were last heard."""

from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import IMPORT_BYTES_MAX, PROVISION, Endpoint
from headend.api.problems import Problem
from headend.api.shapes import (
    Instant,
    Label,
    Litres,
    MeterIdText,
    Money,
    PageQuery,
    Request,
    Response,
    cursor_of,
    instant,
    keys_of,
    unix_s_of,
)
from headend.ledger.payments import MILLS_PER_MINOR_UNIT
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, Provisioning, add_meter, import_meters
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEVER_CLOSE_LOCK, WINDOW_NEEDS_CREDIT, Policy

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Annotated[str, Meta(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)(?![\s\S])")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?![\s\S])", description="local, as 17:30")]
Mills = Annotated[int, Meta(ge=0, le=10**12)]

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
    """A meter in a list. `valve` is null until it is first heard; `balance` is rounded down to the minor unit."""

    meter_id: str
    state: str
    customer_number: str
    holder: str
    service_point: str
    valve: str | None
    low_credit: bool
    alarms: list[str]
    balance: Money
    last_seen: str | None
    statement: StatementNumbers
    pack_version: int


class MeterDetail(Meter):
    """One meter with its counters. `corrected_mills` is the signed sum of rating corrections, what was given back being
    negative (A of SEMANTICS B5). `reason` is the number the meter gave for its last valve move (docs/SPEC.md)."""

    counters: Counters
    corrected_mills: int
    reason: int | None
    generation: int
    log_generation: int
    posted_to_slot: int | None
    litres_per_pulse: int
    tariff_code: str
    households: int
    battery_mv: int | None
    firmware_version: int | None
    boot_count: int | None
    open_cases: int


class MeterPage(Response):
    items: list[Meter]
    next: str | None


class FriendlyHours(Request):
    """Local hours in which an empty balance closes nothing; `days` as mon,tue,… on which they begin."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    begins: TimeOfDay
    ends: TimeOfDay


class ValvePolicy(Request):
    """What the valve does at an empty balance; all amounts in mills. Every relaxing rule has an end (SEMANTICS E1)."""

    never_close: bool = False
    emergency_mills: Mills = 0
    emergency_unsure_mills: Mills = 0
    lifeline_l_per_day: Annotated[int, Meta(ge=0, le=65_535)] = 0
    low_credit_mills: Mills = 500_000
    friendly_hours: Annotated[list[FriendlyHours], Meta(max_length=4)] = []
    friendly_cap_l: Annotated[int, Meta(ge=0, le=65_535)] = 0
    friendly_needs_credit: bool = False
    friendly_until: Instant | None = None
    grace_s: Annotated[int, Meta(ge=0, le=14_400)] = 0
    jitter_s: Annotated[int, Meta(ge=0, le=14_400)] = 0


class MeterToAdd(Request):
    """A meter to register, with its first holder. `start_at` decides the first slot the holder pays for."""

    meter_id: MeterIdText
    holder: Label
    service_point: Label
    tariff_code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}(?![\s\S])")]
    litres_per_pulse: int = 1
    first_index_l: Litres = 0
    households: Annotated[int, Meta(ge=1, le=255)] = 1
    phone: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}(?![\s\S])", description="E.164")] | None = None
    language: Annotated[str, Meta(pattern=r"^(fr|en)(?![\s\S])")] = "fr"
    policy: ValvePolicy = ValvePolicy()


class FirstPack(Response):
    """A pack as it goes into the meter over the cable; the body in hex."""

    version: int
    from_slot: int
    body: str


class AddedMeter(Response):
    """What the meter is provisioned with, bytes in hex. It holds the root key: shown once, keep it safe."""

    meter_id: str
    customer_number: str
    generation: int
    epoch: int
    litres_per_pulse: int
    first_index_l: int
    root: str
    opening_frame: str
    tariff: FirstPack
    policy: FirstPack


class MetersToImport(Request):
    """Up to 1,000 meters, all or none."""

    meters: Annotated[list[MeterToAdd], Meta(min_length=1, max_length=1000)]


class ImportedMeters(Response):
    meters: list[AddedMeter]


_SELECT = """
SELECT m.meter_id, m.state, m.generation, m.litres_per_pulse, c.customer_number, c.tariff_code, c.households,
       cu.name AS holder, p.label AS service_point, u.currency,
       s.number, s.credited_mills, s.debited_mills,
       coalesce(st.volume_l, m.first_index_l) AS volume_l, coalesce(st.spent_mills, 0) AS spent_mills,
       coalesce(st.collected_mills, 0) AS collected_mills, coalesce(st.pack_version, 0) AS pack_version,
       coalesce(st.log_generation, 0) AS log_generation, st.frontier_slot,
       coalesce(st.corrected_mills, 0) AS corrected_mills,
       l.status, l.heard_us, coalesce(l.statement_echo, 0) AS statement_echo, l.battery_mv, l.firmware_version,
       l.boot_count
FROM meter m
JOIN utility u
JOIN contract c ON c.meter_id = m.meter_id
     AND c.start_slot = (SELECT max(start_slot) FROM contract x WHERE x.meter_id = m.meter_id)
JOIN customer cu ON cu.id = c.customer_id
JOIN service_point p ON p.id = c.service_point_id
JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation
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


def get_meter(connection: Connection, path: MeterPath) -> MeterDetail:
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
        log_generation=row.log_generation,
        posted_to_slot=row.frontier_slot,
        litres_per_pulse=row.litres_per_pulse,
        tariff_code=row.tariff_code,
        households=row.households,
        battery_mv=row.battery_mv,
        firmware_version=row.firmware_version,
        boot_count=row.boot_count,
        open_cases=_open_cases(connection, meter_id),
    )


def create_meter(tx: Tx, keyring: Keyring, body: MeterToAdd, now_unix_s: int) -> AddedMeter:
    """Register a meter with its first holder, and make its keys. The answer is what the meter is provisioned with."""
    return _added(add_meter(tx, keyring, _new_meter(body, now_unix_s)))


def create_meters(tx: Tx, keyring: Keyring, body: MetersToImport, now_unix_s: int) -> ImportedMeters:
    """Register many meters in one commit: all of them, or none."""
    made = import_meters(tx, keyring, [_new_meter(one, now_unix_s) for one in body.meters])
    return ImportedMeters([_added(done) for done in made])


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


def _new_meter(body: MeterToAdd, now_unix_s: int) -> NewMeter:
    return NewMeter(
        meter_id=bytes.fromhex(body.meter_id),
        tariff_code=body.tariff_code,
        customer_name=body.holder,
        start_slot=slot_of(now_unix_s),
        first_index_l=body.first_index_l,
        litres_per_pulse=body.litres_per_pulse,
        households=body.households,
        phone=body.phone,
        language="en" if body.language == "en" else "fr",
        service_point=body.service_point,
        policy=_policy(body.policy),
    )


def _policy(given: ValvePolicy) -> Policy:
    flags = NEVER_CLOSE_LOCK * given.never_close | WINDOW_NEEDS_CREDIT * given.friendly_needs_credit
    until = None if given.friendly_until is None else unix_s_of(given.friendly_until, "/policy/friendly_until")
    return Policy(
        version=1,
        flags=flags,
        emergency_mills=given.emergency_mills,
        emergency_unsure_mills=given.emergency_unsure_mills,
        lifeline_l_per_day=given.lifeline_l_per_day,
        low_credit_mills=given.low_credit_mills,
        windows=tuple(
            (_mask(hours.days), _minute(hours.begins), _minute(hours.ends)) for hours in given.friendly_hours
        ),
        window_cap_l=given.friendly_cap_l,
        until_slot=0 if until is None else slot_of(until),
        grace_s=given.grace_s,
        jitter_s=given.jitter_s,
    )


def _mask(days: list[str]) -> int:
    return sum(1 << WEEKDAYS.index(day) for day in set(days))


def _minute(time: str) -> int:
    return 60 * int(time[:2]) + int(time[3:])


def _added(made: Provisioning) -> AddedMeter:
    return AddedMeter(
        meter_id=made.meter_id.hex(),
        customer_number=made.customer_number,
        generation=made.generation,
        epoch=made.epoch,
        litres_per_pulse=made.litres_per_pulse,
        first_index_l=made.first_index_l,
        root=made.root.hex(),
        opening_frame=made.opening_frame.hex(),
        tariff=FirstPack(made.tariff.version, made.tariff.from_slot, made.tariff.body.hex()),
        policy=FirstPack(made.policy.version, made.policy.from_slot, made.policy.body.hex()),
    )


_ADDING = ("meter_id", "meter_exists", "litres_per_pulse", "first_index", "start_slot", "tariff_unknown")

ENDPOINTS = (
    Endpoint("GET", "/v1/meters", list_meters, "List the meters", "Meters"),
    Endpoint(
        "GET", "/v1/meters/{meter_id}", get_meter, "One meter", "Meters", refusals=("unknown_meter",), has_etag=True
    ),
    Endpoint(
        "POST",
        "/v1/meters",
        create_meter,
        "Add a meter",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=_ADDING,
    ),
    Endpoint(
        "POST",
        "/v1/meters:import",
        create_meters,
        "Add many meters, all or none",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=_ADDING,
        body_bytes_max=IMPORT_BYTES_MAX,
    ),
)
