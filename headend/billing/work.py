"""Meters to bring packs to and to rate again: a list worked off in small jobs, so that no publication holds the writer.

Each meter is one job, idempotent and whole: a headend that is killed goes on with what is still listed. A meter that
speaks before its turn is served with its uplink.
"""

from headend.billing.correct import correct_closed, correct_meter
from headend.billing.packs import bring_tariffs
from headend.ingest import meter_state
from headend.ingest.meter_state import MeterState
from headend.meters.lookup import RETIRED, contracts_of, state_of_meter
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of


def list_meters_of(tx: Tx, code: str) -> None:
    """List every meter of a tariff code, from now on; also those that were taken away, for what flowed through them."""
    tx.cursor.execute(
        "INSERT OR IGNORE INTO rating_work (meter_id, due_us) SELECT DISTINCT v.meter_id, ? FROM contract c "
        "JOIN served v ON v.contract_id = c.id WHERE c.tariff_code = ?",
        (tx.now_us, code),
    )


def is_due(tx: Tx, meter_id: bytes) -> bool:
    """Whether a meter is listed for now or before."""
    row = tx.cursor.execute(
        "SELECT 1 FROM rating_work WHERE meter_id = ? AND due_us <= ? LIMIT 1", (meter_id, tx.now_us)
    ).fetchone()
    return row is not None


def due_meters(tx: Tx, limit: int) -> list[bytes]:
    """Meters listed for now or before, the longest due first. One that was not heard since a restore gets no correction
    before it is: what it has reported is not all known (SEMANTICS A5)."""
    rows = tx.cursor.execute(
        "SELECT meter_id FROM rating_work WHERE due_us <= ? AND meter_id NOT IN (SELECT meter_id FROM recovery "
        "WHERE heard_us IS NULL) GROUP BY meter_id ORDER BY min(due_us), meter_id LIMIT ?",
        (tx.now_us, limit),
    )
    return [meter_id for (meter_id,) in rows.fetchall()]


def work_on(tx: Tx, state: MeterState) -> MeterState:
    """Do what is due for a meter: its packs, its corrections. Returns the state with T and A brought up to date."""
    if state_of_meter(tx, state.meter_id) != RETIRED:
        bring_tariffs(tx, contracts_of(tx, state.meter_id)[-1], slot_of(tx.now_us // 1_000_000))
    after = correct_meter(tx, state)
    correct_closed(tx, state.meter_id)
    tx.cursor.execute("DELETE FROM rating_work WHERE meter_id = ? AND due_us <= ?", (state.meter_id, tx.now_us))
    return after


def work_off(tx: Tx, meter_id: bytes) -> None:
    """Do what is due for one listed meter; nothing if its uplink was quicker."""
    if is_due(tx, meter_id):
        meter_state.save(tx, work_on(tx, meter_state.load(tx, meter_id)))


def work_off_one(tx: Tx) -> bool:
    """Do the work of the meter that is due longest; False when none is due."""
    due = due_meters(tx, 1)
    for meter_id in due:
        work_off(tx, meter_id)
    return bool(due)


def postpone(tx: Tx, meter_id: bytes, until_us: int) -> None:
    """Try a meter that could not be rated again later, so that it holds up no other."""
    tx.cursor.execute("DELETE FROM rating_work WHERE meter_id = ? AND due_us <= ?", (meter_id, tx.now_us))
    tx.cursor.execute("INSERT OR IGNORE INTO rating_work (meter_id, due_us) VALUES (?, ?)", (meter_id, until_us))
