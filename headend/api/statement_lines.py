"""What happened to a meter's credit, line by line: payments, corrections, and every charge with its litres."""

from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.meters import MeterPath, known_meter
from headend.api.shapes import PageQuery, Response, cursor_of, instant, keys_of
from headend.storage.tables import ROLES


class Charge(Response):
    """A run of half-hours within one local month, pack and holder, and what its price is made of (mills)."""

    first_slot: int
    slots: int
    litres: int
    pack_version: int
    by_role_mills: dict[str, int]


class StatementLine(Response):
    """One line. `amount_mills` raises the balance when positive. `charge` is null for payments and corrections."""

    at: str
    kind: str
    amount_mills: int
    text: str
    charge: Charge | None


class StatementPage(Response):
    items: list[StatementLine]
    next: str | None


_SEGMENT = f"""
SELECT x.batch_id, {{source}} AS source, x.id AS source_id, 'charge' AS kind, {{received_us}} AS at_us, '' AS memo,
       -x.wallet_mills AS amount_mills, x.segment_first_slot, x.segment_slots, x.segment_volume_l, x.pack_version,
       {", ".join(f"x.{role}_mills" for role in ROLES)}
FROM {{table}} WHERE x.meter_id = :meter_id AND x.segment_first_slot IS NOT NULL
"""

_FURTHER = "segment x JOIN uplink u ON u.id = x.uplink_id"

# What a meter's holder was charged too much through an earlier meter is given back to this one.
_OURS = "({0}.class_ = 'wallet' AND {0}.meter_id = :meter_id)"

_LINES = f"""
SELECT * FROM (
SELECT e.batch_id, 0 AS source, e.id AS source_id, e.kind, e.effective_us AS at_us, e.memo,
       sum(CASE WHEN {_OURS.format("c")} THEN t.amount_mills ELSE 0 END
         - CASE WHEN {_OURS.format("d")} THEN t.amount_mills ELSE 0 END) AS amount_mills,
       NULL AS segment_first_slot, NULL AS segment_slots, NULL AS segment_volume_l, NULL AS pack_version,
       {", ".join(f"NULL AS {role}_mills" for role in ROLES)}
FROM entry e JOIN transfer t ON t.entry_id = e.id
JOIN account c ON c.id = t.credit_account JOIN account d ON d.id = t.debit_account
WHERE e.meter_id IN (SELECT :meter_id UNION SELECT before.meter_id FROM served now
                     JOIN served before ON before.contract_id = now.contract_id WHERE now.meter_id = :meter_id)
      AND ({_OURS.format("c")} OR {_OURS.format("d")}) GROUP BY e.id
UNION ALL {_SEGMENT.format(source=1, received_us="x.received_us", table="uplink x")}
UNION ALL {_SEGMENT.format(source=2, received_us="u.received_us", table=_FURTHER)}
) WHERE (batch_id, source, source_id) > (:batch_id, :source, :source_id)
ORDER BY batch_id, source, source_id LIMIT :limit
"""


def get_statement(connection: Connection, path: MeterPath, query: PageQuery) -> StatementPage:
    """Everything that moved this meter's wallet, in the order in which it was booked."""
    meter_id = known_meter(connection, path.meter_id)
    batch_id, source, source_id = keys_of(query.cursor, int, int, int) or (0, 0, 0)
    fields = {"batch_id": batch_id, "source": source, "source_id": source_id, "limit": query.limit + 1}
    rows = connection.execute(text(_LINES), fields | {"meter_id": meter_id}).mappings().all()
    kept = rows[: query.limit]
    more = len(rows) > query.limit
    following = cursor_of(kept[-1]["batch_id"], kept[-1]["source"], kept[-1]["source_id"]) if more else None
    return StatementPage([_line(dict(row)) for row in kept], following)


def _line(row: dict[str, object]) -> StatementLine:
    charge = None
    if row["segment_first_slot"] is not None:
        charge = Charge(
            first_slot=_whole(row["segment_first_slot"]),
            slots=_whole(row["segment_slots"]),
            litres=_whole(row["segment_volume_l"]),
            pack_version=_whole(row["pack_version"]),
            by_role_mills={role: _whole(row[f"{role}_mills"]) for role in ROLES if row[f"{role}_mills"]},
        )
    at = instant(_whole(row["at_us"]) // 1_000_000)
    return StatementLine(at, str(row["kind"]), _whole(row["amount_mills"]), str(row["memo"]), charge)


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/meters/{meter_id}/statement",
        get_statement,
        "Statement lines",
        "Meters",
        refusals=("unknown_meter", "invalid_cursor"),
    ),
)
