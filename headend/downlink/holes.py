"""NACK: slots that are missing before logs that wait, and slots that a person asked for again (SEMANTICS F1, F3)."""

from dataclasses import dataclass

from headend.downlink.reply import Message
from headend.ingest.meter_state import MeterState
from headend.ingest.next_run import begin_told
from headend.meters import slot_requests
from headend.storage.writer import Tx
from protocol.wire.downlinks import encode_down
from protocol.wire.messages import Nack

RANGES_MAX = 4
RANGE_SLOTS_MAX = 255
_DAY_US = 86_400_000_000

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Holes:
    """What a meter is to send again of one log generation: (first slot, slots), ascending; `newest_slot` is the end of
    its newest log, `asked` whether a person waits for it."""

    log_generation: int
    ranges: tuple[Range, ...]
    newest_slot: int
    asked: bool


def holes_of(tx: Tx, state: MeterState) -> Holes | None:
    """What is missing of the present log generation, and what was asked for; with neither, what is missing
    before the next log generation. None when there is nothing."""
    if not state.started:
        return None
    asked = _asked(tx, state)
    missing, newest_slot = _missing(tx, state) if state.waiting else ([], state.frontier_slot)
    if asked or missing:
        return Holes(state.log_generation, _cut(_merged(missing + asked)), newest_slot, bool(asked))
    return _between_logs(tx, state) if state.waiting else None


def nack_message(holes: Holes) -> Message:
    """As many ranges as a frame holds, the oldest first."""
    message: Message = encode_down(Nack(holes.log_generation, holes.ranges[:RANGES_MAX]))
    return message


def _missing(tx: Tx, state: MeterState) -> tuple[list[Range], int]:
    rows = tx.cursor.execute(
        "SELECT first_slot, slot_count FROM uplink WHERE meter_id = ? AND generation = ? AND log_generation = ? "
        "AND first_slot IS NOT NULL AND first_slot + slot_count > ? ORDER BY first_slot",
        (state.meter_id, state.generation, state.log_generation, state.frontier_slot),
    )
    missing, slot = [], state.frontier_slot
    for first_slot, slots in rows.fetchall():
        if first_slot > slot:
            missing.append((slot, first_slot - slot))
        slot = max(slot, first_slot + slots)
    return missing, slot


def _between_logs(tx: Tx, state: MeterState) -> Holes | None:
    """What is missing between the frontier and the first slot heard of the next log generation (SEMANTICS C1): the
    begin of that one, or else the end of this one, of which the meter tells what there is.

    Where its event was lost too, nobody here knows which of them it is: each is asked for on its days.
    """
    following = state.log_generation + 1
    heard_from, heard_to = tx.cursor.execute(
        "SELECT min(first_slot), max(first_slot + slot_count) FROM uplink "
        "WHERE meter_id = ? AND generation = ? AND log_generation = ? AND first_slot IS NOT NULL",
        (state.meter_id, state.generation, following),
    ).fetchone()
    if heard_from is None:
        return None
    begin = begin_told(tx, state, following)
    if begin is None and tx.now_us // _DAY_US % 2:
        begin = max(0, heard_from - RANGE_SLOTS_MAX)
    if begin is not None and begin < heard_from:
        return Holes(following, _cut([(begin, heard_from - begin)]), heard_to, False)
    end_slot = state.frontier_slot + heard_to - heard_from
    return Holes(state.log_generation, ((state.frontier_slot, RANGE_SLOTS_MAX),), end_slot, False)


def _asked(tx: Tx, state: MeterState) -> list[Range]:
    wanted = slot_requests.wanted(tx, state.meter_id, state.log_generation)
    return [(first_slot, slots) for first_slot, slots, until_us in wanted if until_us > tx.now_us]


def _merged(ranges: list[Range]) -> list[Range]:
    """Ascending, none touching another: (5, 2) and (6, 3) are (5, 4)."""
    merged: list[Range] = []
    for first_slot, slots in sorted(ranges):
        if merged and first_slot <= sum(merged[-1]):
            begin = merged[-1][0]
            merged[-1] = (begin, max(sum(merged[-1]), first_slot + slots) - begin)
        else:
            merged.append((first_slot, slots))
    return merged


def _cut(ranges: list[Range]) -> tuple[Range, ...]:
    """Ranges as long as a NACK can name them."""
    return tuple(
        (first_slot + at, min(RANGE_SLOTS_MAX, slots - at))
        for first_slot, slots in ranges
        for at in range(0, slots, RANGE_SLOTS_MAX)
    )
