"""A job as people see it: who holds the meter, what its money is, and whether the meter was heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from headend.ingest.received import Bearer


@dataclass(frozen=True, slots=True)
class Radio:
    """How the first uplink came; whole decibels, rounded down. Over IP and by hand there are none."""

    bearer: str
    rssi_dbm: int | None
    snr_db: int | None
    margin_db: int | None


@dataclass(frozen=True, slots=True)
class JobFacts:
    """`holder` and what follows are of the meter's contract; None for a meter that nobody holds any more."""

    number: int
    kind: str
    technician: str
    meter_id: bytes
    new_meter_id: bytes | None
    customer_number: str | None
    holder: str | None
    service_point: str | None
    litres_per_pulse: int
    currency: str
    exponent: int
    state: str
    expires_us: int
    note: str
    heard_us: int | None
    radio: Radio | None


_SELECT = """
SELECT j.*, c.customer_number, cu.name AS holder, p.label AS service_point, u.currency, u.exponent,
       f.heard_us, f.bearer, f.rssi_dbm, f.snr_tenths_db, f.margin_tenths_db
FROM field_job j
JOIN utility u
LEFT JOIN contract c ON c.id = (SELECT x.id FROM contract x WHERE x.meter_id IN (j.meter_id, j.new_meter_id)
                                ORDER BY x.start_slot DESC, x.id DESC LIMIT 1)
LEFT JOIN customer cu ON cu.id = c.customer_id
LEFT JOIN service_point p ON p.id = c.service_point_id
LEFT JOIN meter m ON m.meter_id = coalesce(j.new_meter_id, j.meter_id)
LEFT JOIN first_uplink f ON f.meter_id = m.meter_id AND f.generation = m.generation
"""


def facts_of(connection: Connection, number: int, technician: str | None = None) -> JobFacts | None:
    """One job, of this technician or of any; None for one that is not there."""
    query = text(_SELECT + "WHERE j.id = :number AND j.technician = coalesce(:technician, j.technician)")
    row = connection.execute(query, {"number": number, "technician": technician}).one_or_none()
    return None if row is None else _facts(row)


def listed(connection: Connection, after: int, limit: int, technician: str | None, now_us: int) -> Sequence[JobFacts]:
    """Jobs by their numbers: all of them, or what a technician still has to do or to hear of."""
    query = text(
        _SELECT + "WHERE j.id > :after AND (:technician IS NULL OR (j.technician = :technician "
        "AND (j.state IN ('claimed', 'recorded') OR (j.state = 'open' AND j.expires_us > :now)))) "
        "ORDER BY j.id LIMIT :limit"
    )
    given = {"after": after, "technician": technician, "now": now_us, "limit": limit}
    return [_facts(row) for row in connection.execute(query, given)]


def _facts(row: Row[tuple[object, ...]]) -> JobFacts:
    given = row._mapping
    plain = {name: given[name] for name in JobFacts.__slots__ if name not in ("number", "radio")}
    new_meter_id = None if given["new_meter_id"] is None else bytes(given["new_meter_id"])
    plain |= {"meter_id": bytes(given["meter_id"]), "new_meter_id": new_meter_id}
    return JobFacts(number=given["id"], radio=_radio(row), **plain)


def _radio(row: Row[tuple[object, ...]]) -> Radio | None:
    given = row._mapping
    if given["bearer"] is None:
        return None
    tenths = (given["snr_tenths_db"], given["margin_tenths_db"])
    snr_db, margin_db = (None if value is None else value // 10 for value in tenths)
    return Radio(Bearer(given["bearer"]).name.lower(), given["rssi_dbm"], snr_db, margin_db)
