"""What the page needs from the books, read in one go on one committed state. No words and no languages here."""

import re
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, Row, text

from headend.api.local_time import utility_offsets
from headend.api.series import litres_by_slot
from headend.ledger.cases import ON_SITE, CaseKind
from protocol.rules.calendar import SLOTS_PER_DAY, Offsets, first_slot_of_day, local_day, slot_of, slot_start
from protocol.wire import event_codes

HOMES_MAX = 200

# Bits of the status byte of a DAY, RANGE or ANCHOR (docs/SPEC.md).
VALVES = ("open", "closed", "moving", "fault")
LOW_CREDIT = 1 << 2
ALARM_BITS = {"leak": 1 << 3, "burst": 1 << 4, "tamper": 1 << 5, "low_battery": 1 << 6, "clock_unsure": 1 << 7}


@dataclass(frozen=True)
class HomeFacts:
    """One meter. `recent` holds litres of the last 48 half-hours that are over, None where nothing was heard; the first
    `before` of them were before this meter's time.
    """

    meter_id: bytes
    name: str
    balance_mills: int
    status: int | None
    heard_unix_s: int | None
    valve_event: int | None
    reason: int | None
    statement_number: int
    statement_echo: int
    pack_version: int
    recent: tuple[int | None, ...]
    before: int
    open_cases: int
    flash_lost: bool


@dataclass(frozen=True)
class Facts:
    """The utility at one instant; `today` of the last 48 half-hours belong to this local day."""

    now_unix_s: int
    offsets: Offsets
    currency: str
    exponent: int
    today: int
    homes: tuple[HomeFacts, ...]
    paid_today_mills: int
    entries: int


def read_facts(connection: Connection, now_unix_s: int) -> Facts:
    """Everything the page shows, as of now."""
    offsets = utility_offsets(connection)
    end_slot = slot_of(now_unix_s)
    day_slot = first_slot_of_day(local_day(end_slot, offsets), offsets)
    utility = connection.execute(text("SELECT currency, exponent FROM utility")).one_or_none()
    rows = connection.execute(text(_HOMES), {"limit": HOMES_MAX}).all()
    return Facts(
        now_unix_s=now_unix_s,
        offsets=offsets,
        currency="XOF" if utility is None else utility.currency,
        exponent=0 if utility is None else utility.exponent,
        today=max(0, min(SLOTS_PER_DAY, end_slot - day_slot)),
        homes=tuple(_home(connection, row, end_slot) for row in sorted(rows, key=lambda row: natural(row.name))),
        paid_today_mills=connection.execute(text(_PAID), {"since": slot_start(day_slot) * 1_000_000}).scalar_one(),
        entries=connection.execute(text(_ENTRIES)).scalar_one(),
    )


def natural(name: str) -> list[str | int]:
    """The order in which people look for a house: "2 rue du Fleuve" before "10 rue du Fleuve", "A" beside "a"."""
    parts = re.split(r"([0-9]{1,18})", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def last_batch(connection: Connection) -> int:
    """The number of the last commit that changed the books."""
    found: int = connection.execute(text("SELECT coalesce(max(id), 0) FROM batch")).scalar_one()
    return found


_VALVE_EVENTS = f"{event_codes.VALVE_OPENED}, {event_codes.VALVE_CLOSED}"

_ON_SITE = ", ".join(f"'{kind}'" for kind in ON_SITE)

_HOMES = f"""
SELECT m.meter_id, m.first_slot, p.label AS name, l.status, l.heard_us, l.statement_echo,
       coalesce(st.pack_version, 0) AS pack_version, s.number AS statement_number,
       s.credited_mills - s.debited_mills - coalesce(st.spent_mills + st.collected_mills, 0) AS balance_mills,
       (SELECT e.code || ' ' || e.argument FROM meter_event e WHERE e.meter_id = m.meter_id
        AND e.generation = m.generation AND e.code IN ({_VALVE_EVENTS})
        ORDER BY e.event_no DESC LIMIT 1) AS valve_event,
       (SELECT count(*) FROM case_file f WHERE f.meter_id = m.meter_id AND f.closed_us IS NULL
        AND f.kind NOT IN ({_ON_SITE})) AS open_cases,
       (SELECT count(*) FROM case_file f WHERE f.meter_id = m.meter_id AND f.closed_us IS NULL
        AND f.kind = '{CaseKind.FLASH_LOST}') AS flash_lost
FROM meter m
JOIN contract c ON c.meter_id = m.meter_id
     AND c.start_slot = (SELECT max(start_slot) FROM contract x WHERE x.meter_id = m.meter_id)
JOIN service_point p ON p.id = c.service_point_id
JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation
     AND s.number = (SELECT max(number) FROM statement y WHERE y.meter_id = m.meter_id AND y.generation = m.generation)
LEFT JOIN meter_state st ON st.meter_id = m.meter_id AND st.generation = m.generation
LEFT JOIN meter_link l ON l.meter_id = m.meter_id
WHERE m.state <> 'retired' ORDER BY c.id LIMIT :limit
"""

_PAID = "SELECT coalesce(sum(amount_mills), 0) FROM payment WHERE paid_at_us >= :since"

_ENTRIES = """
SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM segment)
     + (SELECT count(*) FROM uplink WHERE segment_first_slot IS NOT NULL)
"""


def _home(connection: Connection, row: Row[tuple[object, ...]], end_slot: int) -> HomeFacts:
    slots = range(end_slot - SLOTS_PER_DAY, end_slot)
    by_slot = litres_by_slot(connection, bytes(row.meter_id), slots.start, slots.stop)
    event, reason = map(int, row.valve_event.split()) if row.valve_event else (None, None)
    return HomeFacts(
        meter_id=bytes(row.meter_id),
        name=row.name,
        balance_mills=row.balance_mills,
        status=row.status if row.heard_us is not None else None,
        heard_unix_s=None if row.heard_us is None else row.heard_us // 1_000_000,
        valve_event=event,
        reason=reason,
        statement_number=row.statement_number,
        statement_echo=row.statement_echo or 0,
        pack_version=row.pack_version,
        recent=tuple(map(by_slot.get, slots)),
        before=max(0, min(SLOTS_PER_DAY, row.first_slot - slots.start)),
        open_cases=row.open_cases,
        flash_lost=bool(row.flash_lost),
    )


def last_event(connection: Connection) -> int:
    """The number of the last thing a meter reported of itself."""
    found: int = connection.execute(text("SELECT coalesce(max(id), 0) FROM meter_event")).scalar_one()
    return found


@dataclass(frozen=True)
class MeterEvent:
    """Something a meter reported of itself."""

    event_id: int
    meter_name: str
    at_unix_s: int
    code: int
    argument: int


def events_after(connection: Connection, event_id: int) -> list[MeterEvent]:
    """What meters reported since, in the order in which it happened."""
    query = text(
        "SELECT e.id, e.at_unix_s, e.code, e.argument, p.label FROM meter_event e "
        "JOIN served v ON v.meter_id = e.meter_id JOIN contract c ON c.id = v.contract_id "
        "JOIN service_point p ON p.id = c.service_point_id "
        "WHERE e.id > :after ORDER BY e.id, c.start_slot DESC LIMIT 500"
    )
    rows = connection.execute(query, {"after": event_id})
    latest = [next(group) for _, group in groupby(rows, key=lambda row: row.id)]
    events = [MeterEvent(row.id, row.label, row.at_unix_s, row.code, row.argument) for row in latest]
    return sorted(events, key=lambda event: (event.at_unix_s, event.event_id))
