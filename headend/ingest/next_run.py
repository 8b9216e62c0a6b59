"""Which stored log or GAP continues a meter's count (SEMANTICS F1): the one in which the frontier lies.

A log goes before a GAP that names the same slots: what was heard in detail is posted in detail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headend.ingest.decode import Log, Lost
from headend.ingest.meter_state import MeterState
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.event_codes import LOG_GENERATION
from protocol.wire.messages import STATUS_CLOCK_UNSURE

LOW_16 = 0xFFFF
LOW_24 = 0xFFFFFF
NEWEST = 2**62

Run = Log | Lost


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is stored beyond the frontier. `continues` says whether a log's S is exactly what its slots cost."""

    logs: Sequence[Log]
    lost: Sequence[Lost]
    continues: Callable[[MeterState, Log], bool]
    before_uplink: int

    @property
    def runs(self) -> tuple[Run, ...]:
        return (*self.logs, *self.lost)

    def beyond(self, state: MeterState) -> bool:
        """Whether anything is left that cannot be posted yet."""
        return any(
            run.log_generation > state.log_generation
            or (run.log_generation == state.log_generation and run.end_slot > state.frontier_slot)
            for run in self.runs
        )


def next_run(tx: Tx, state: MeterState, waiting: Waiting) -> tuple[MeterState, Run] | None:
    """What continues the count, and the state made ready for it; None while slots are missing."""
    if not state.started:
        return _start(state, waiting)
    for run in waiting.runs:
        if run.log_generation == state.log_generation and run.first_slot <= state.frontier_slot < run.end_slot:
            return state, run
    return _next_generation(tx, state, waiting)


def _start(state: MeterState, waiting: Waiting) -> tuple[MeterState, Run] | None:
    """The first log of a wallet that no DEVICE has told the start of, or None: then one will.

    It begins with the first index, and at the holder's first slot or with an S that leaves nothing out before it. The
    slots of an unsure clock are not known by our calendar: they wait for the DEVICE.
    """
    for log in sorted(waiting.logs, key=lambda log: (log.log_generation, log.first_slot)):
        if log.volume16_l != state.volume_l & LOW_16 or log.status & STATUS_CLOCK_UNSURE:
            continue
        begun = _moved(state, log)
        if begun == replace(state, started=1) or waiting.continues(begun, log):
            return begun, log
    for lost in waiting.lost:
        if lost.gap.volume24_l == state.volume_l & LOW_24 and lost.gap.spent24_mills == 0:
            return _moved(state, lost), lost
    return None


def _next_generation(tx: Tx, state: MeterState, waiting: Waiting) -> tuple[MeterState, Run] | None:
    """The first log of the next log generation (SEMANTICS C1), once everything of this one is posted.

    Its start is what the meter's event says; without the event, the log whose V and S continue ours exactly.
    """
    following = state.log_generation + 1
    logs = [
        log for log in waiting.logs if log.log_generation == following and log.volume16_l == state.volume_l & LOW_16
    ]
    lost = [item for item in waiting.lost if item.log_generation == following and _meets(item, state)]
    if not logs and not lost:
        return None
    told = begin_told(tx, state, following, waiting.before_uplink)
    for log in sorted(logs, key=lambda log: log.first_slot):
        moved = _moved(state, log)
        if told is not None and told == log.first_slot:
            return moved, log
        if told is None and waiting.continues(moved, log):
            return moved, log
    for item in lost:
        if told is None or told == item.first_slot:
            return _moved(state, item), item
    return None


def begin_told(tx: Tx, state: MeterState, log_generation: int, before_uplink: int = NEWEST) -> int | None:
    """The first slot of a log generation as the meter's event told it, or None."""
    row = tx.cursor.execute(
        "SELECT at_unix_s FROM meter_event WHERE meter_id = ? AND generation = ? AND code = ? AND argument = ? "
        "AND uplink_id < ?",
        (state.meter_id, state.generation, LOG_GENERATION, log_generation, before_uplink),
    ).fetchone()
    return None if row is None else slot_of(row[0])


def _moved(state: MeterState, run: Run) -> MeterState:
    return replace(state, started=1, log_generation=run.log_generation, frontier_slot=run.first_slot)


def _meets(lost: Lost, state: MeterState) -> bool:
    """Whether V and S at the start of a GAP are those of the frontier."""
    starts = (lost.gap.volume24_l, lost.gap.spent24_mills)
    return starts == (state.volume_l & LOW_24, state.spent_mills & LOW_24)
