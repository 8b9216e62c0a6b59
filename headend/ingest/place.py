"""Which stored logs matter for a new one: those it overlaps, and those that wait for a gap to close (SEMANTICS F1)."""

from dataclasses import dataclass

from headend.billing.published import pack_rates
from headend.billing.slots import unpack_slots
from headend.ingest.decode import Decoded, Log, Lost, pack_version_of
from headend.ingest.meter_state import MeterState
from headend.storage.writer import Tx
from protocol.wire.limits import RANGE_SLOTS_MAX
from protocol.wire.messages import UP_GAP, Device
from protocol.wire.uplinks import decode_up, read_log_head

LOG_COLUMNS = ("batch_id", "log_generation", "first_slot", "slots", "facts")
_SELECT = f"SELECT {', '.join(LOG_COLUMNS)} FROM uplink WHERE meter_id = ? AND generation = ?"
_BEYOND = "first_slot IS NOT NULL AND log_generation >= ? AND (log_generation > ? OR first_slot + slot_count > ? OR ?)"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A slot that came again with another value. The first value stays (DESIGN §6)."""

    log_generation: int
    slot: int
    stored_l: int
    repeated_l: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A decoded frame with the logs and GAPs to post from, in the order in which they were stored; the new one last."""

    decoded: Decoded
    logs: tuple[Log, ...]
    lost: tuple[Lost, ...]
    conflicts: tuple[Conflict, ...]


def place(tx: Tx, decoded: Decoded, state: MeterState) -> Placed:
    """Load only what can matter: nothing at all when the new log starts at the frontier and no other waits."""
    new = decoded.log
    if new is None and decoded.lost is None:
        # A DEVICE can name the first slot of a log that began before it.
        waits = state.waiting and isinstance(decoded.message, Device)
        logs, lost = (waiting_logs(tx, state), waiting_lost(tx, state)) if waits else ([], [])
        return Placed(decoded, tuple(logs), tuple(lost), ())
    if new is None:
        assert decoded.lost is not None
        return Placed(decoded, tuple(waiting_logs(tx, state)), (*waiting_lost(tx, state), decoded.lost), ())
    in_turn = state.started and new.log_generation == state.log_generation and new.first_slot == state.frontier_slot
    if in_turn and not state.waiting:
        return Placed(decoded, (new,), (), ())
    conflicts = _conflicts(_overlapping(tx, state, new), new)
    return Placed(decoded, (*waiting_logs(tx, state), new), tuple(waiting_lost(tx, state)), conflicts)


def waiting_logs(tx: Tx, state: MeterState) -> list[Log]:
    """Stored logs that end beyond the frontier, or belong to a later log generation; the first stored first."""
    rows = tx.cursor.execute(f"{_SELECT} AND {_BEYOND} AND type <> {UP_GAP} ORDER BY id", _beyond(state))
    return [stored_log(tx, state.meter_id, row) for row in rows.fetchall()]


def waiting_lost(tx: Tx, state: MeterState) -> list[Lost]:
    """The same of stored GAPs."""
    rows = tx.cursor.execute(f"{_SELECT} AND {_BEYOND} AND type = {UP_GAP} ORDER BY id", _beyond(state))
    return [stored_lost(row) for row in rows.fetchall()]


def _beyond(state: MeterState) -> tuple[object, ...]:
    frontier = (state.log_generation, state.log_generation, state.frontier_slot)
    return (state.meter_id, state.generation, *frontier, not state.started)


def _overlapping(tx: Tx, state: MeterState, new: Log) -> list[Log]:
    rows = tx.cursor.execute(
        f"{_SELECT} AND log_generation = ? AND first_slot > ? AND first_slot < ? AND type <> {UP_GAP} ORDER BY id",
        (state.meter_id, state.generation, new.log_generation, new.first_slot - RANGE_SLOTS_MAX, new.end_slot),
    )
    return [stored_log(tx, state.meter_id, row) for row in rows.fetchall()]


def _conflicts(stored: list[Log], new: Log) -> tuple[Conflict, ...]:
    conflicts = []
    for log in stored:
        for slot in range(max(log.first_slot, new.first_slot), min(log.end_slot, new.end_slot)):
            old_l, new_l = log.litres[slot - log.first_slot], new.litres[slot - new.first_slot]
            if old_l != new_l:
                conflicts.append(Conflict(new.log_generation, slot, old_l, new_l))
    return tuple(conflicts)


def stored_log(tx: Tx, meter_id: bytes, row: tuple[int, int, int, bytes, bytes]) -> Log:
    """A stored log as it was decoded, out of its LOG_COLUMNS: with the packs that were known by then."""
    batch_id, log_generation, first_slot, slots, facts = row
    _, _, volume16_l, spent24_mills, instalments6, statement6, pack4, status = read_log_head(facts)
    version = pack_version_of(tx, meter_id, pack4, first_slot, batch_id)
    rates = None if version is None else pack_rates(tx, meter_id, version)
    assert version is not None and rates is not None, "a log is stored only under a pack in the books"
    head = (log_generation, first_slot, unpack_slots(slots), volume16_l, spent24_mills, instalments6, statement6)
    return Log(*head, version, status, rates)


def stored_lost(row: tuple[int, int, int, bytes | None, bytes]) -> Lost:
    """A stored GAP as it was decoded, out of its LOG_COLUMNS."""
    return Lost(row[1], decode_up(UP_GAP, row[4]))
