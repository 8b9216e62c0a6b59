"""The state of a meter computed again from its uplinks, by the same rules that posted them, and compared.

Balances and frontiers are shadows of the log (DESIGN §6): if the shadow and the log disagree, one of them was changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from headend.billing import rating_base
from headend.billing.rerate import Finding, rate_again
from headend.ingest import meter_state
from headend.ingest.advance import Advanced, advance
from headend.ingest.anchored import remember_anchor
from headend.ingest.clones import told_after
from headend.ingest.decode import Log, Lost
from headend.ingest.hear import lost_state, start_told_by
from headend.ingest.meter_state import MeterState
from headend.ingest.place import LOG_COLUMNS, stored_log, stored_lost
from headend.ingest.post import segment_row
from headend.meters.openings import generations_of, opening_of
from headend.storage.columns import segment_columns
from headend.storage.writer import Tx
from protocol.wire.messages import UP_ANCHOR, UP_DEVICE, UP_GAP
from protocol.wire.uplinks import decode_up

_COLUMNS = ("id", "batch_id", "counter", "type", "facts", "log_generation", "first_slot", "slots")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A meter's state by its log, the segments each uplink should have posted, by uplink id, and what rating again is
    to come to."""

    state: MeterState
    segments: dict[int, list[dict[str, int]]]
    finding: Finding


def rebuild(connection: Connection, meter_id: bytes, generation: int | None = None) -> Rebuilt:
    """Replay every uplink of a wallet generation of a meter (its present one unless said) in the order of storing."""
    tx = Tx(connection, 0, 0)
    if generation is None:
        generation = generations_of(tx, meter_id)[-1].generation
    state = meter_state.opened(opening_of(tx, meter_id, generation))
    segments: dict[int, list[dict[str, int]]] = {}
    logs: list[Log] = []
    gaps: list[Lost] = []
    highest, quarantined = -1, False
    cloned_after = told_after(tx, meter_id, generation)
    for row in _uplinks(tx, meter_id, generation):
        tx.batch_id = row["batch_id"]
        quarantined = quarantined or (cloned_after is not None and row["id"] > cloned_after)
        highest = max(highest, row["counter"])
        newest = row["counter"] == highest
        message = decode_up(row["type"], row["facts"]) if row["type"] in (UP_ANCHOR, UP_DEVICE) else None
        lost = lost_state(state, message, newest)
        if row["type"] == UP_DEVICE and not quarantined:
            state = start_told_by(state, message)
        stored = tuple(row[name] for name in LOG_COLUMNS)
        if row["type"] == UP_GAP:
            gaps.append(stored_lost(stored))
        elif row["first_slot"] is not None:
            logs.append(stored_log(tx, meter_id, stored))
        posts = row["first_slot"] is not None or row["type"] == UP_DEVICE
        if quarantined:
            advanced = Advanced(replace(state, waiting=1))
        else:
            state = remember_anchor(state, message, newest)
            advanced = advance(tx, state, logs if posts else (), gaps if posts else (), row["id"])
        quarantined = quarantined or lost or advanced.went_back
        state = advanced.state
        segments[row["id"]] = [segment_row(segment) for segment in advanced.segments]
        logs = [log for log in logs if _still_matters(log, state)]
        gaps = [gap for gap in gaps if _still_matters(gap, state)]
    finding = rate_again(tx, state)
    return Rebuilt(replace(state, today=finding.today, corrected_mills=finding.total_mills), segments, finding)


def rewrite(tx: Tx) -> None:
    """Replace every meter's stored state by the rebuilt one. Segments are books: they are compared, never rewritten."""
    for (meter_id,) in tx.cursor.execute("SELECT meter_id FROM meter_state ORDER BY meter_id").fetchall():
        meter_state.save(tx, rebuild(tx.connection, meter_id).state)
        rating_base.forget(tx, meter_id)


def stored_segments(connection: Connection, meter_id: bytes, generation: int) -> dict[int, list[dict[str, int]]]:
    """The segments in the books, by uplink id, in posting order."""
    cursor = Tx(connection, 0, 0).cursor
    names = list(segment_row_names())
    columns = ", ".join(names)
    rows = cursor.execute(
        f"SELECT id, 0, {columns} FROM uplink WHERE meter_id = ?1 AND generation = ?2 AND wallet_mills IS NOT NULL "
        f"UNION ALL SELECT uplink_id, id, {columns} FROM segment WHERE meter_id = ?1 AND generation = ?2 ORDER BY 1, 2",
        (meter_id, generation),
    ).fetchall()
    stored: dict[int, list[dict[str, int]]] = {}
    for row in rows:
        stored.setdefault(row[0], []).append(dict(zip(names, row[2:], strict=True)))
    return stored


def segment_row_names() -> tuple[str, ...]:
    """The columns of a segment, in the order of `segment_row`."""
    return tuple(part.name for part in segment_columns(True) if hasattr(part, "type"))


def _uplinks(tx: Tx, meter_id: bytes, generation: int) -> Iterator[dict[str, Any]]:
    rows = tx.cursor.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM uplink WHERE meter_id = ? AND generation = ? ORDER BY id",
        (meter_id, generation),
    ).fetchall()
    for row in rows:
        yield dict(zip(_COLUMNS, row, strict=True))


def _still_matters(log: Log | Lost, state: MeterState) -> bool:
    if not state.started or log.log_generation > state.log_generation:
        return True
    return log.log_generation == state.log_generation and log.end_slot > state.frontier_slot
