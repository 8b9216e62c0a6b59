"""Posting order: only the contiguous prefix of slots is rated, in the meter's own order, however logs arrive (F1).

A row that arrives early posts nothing; the row that closes the gap posts up to the new frontier. So any order and any
repetition of uplinks ends in the same books.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from headend.billing.instalments import PlansTold, collected_after
from headend.billing.knowledge import contract_at, knowledge_of
from headend.billing.plans import plans_told
from headend.billing.segments import Counters, Run, Segment, rate_run
from headend.ingest.decode import Log
from headend.ingest.meter_state import MeterState
from headend.ledger.cases import CaseKind
from headend.meters.lookup import Contract, contracts_of
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.rules.rating import RatingState
from protocol.wire.event_codes import LOG_GENERATION
from protocol.wire.messages import STATUS_CLOCK_UNSURE

_LOW_16 = 0xFFFF


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must look at; `key` names the same finding again."""

    kind: CaseKind
    key: str
    detail: dict[str, int]


@dataclass(frozen=True, slots=True)
class Advanced:
    """What can be posted now: the segments in order, the state after them, the last log posted, and what was found."""

    state: MeterState
    segments: tuple[Segment, ...] = ()
    last: Log | None = None
    findings: tuple[Finding, ...] = ()
    # To be rated again whatever T and M are in all: an unsure stretch ended, whose litres are to be spread (SEMANTICS
    # C2), or the meter's pack has other prices than today's, which may cost the same and yet go to other roles (B5), or
    # T stands elsewhere in the month than M. T is then behind until that is done.
    rate_again: bool = False
    went_back: bool = False


@dataclass(slots=True)
class _Posting:
    """What one uplink makes of a meter's waiting logs."""

    state: MeterState
    segments: list[Segment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    last: Log | None = None
    rate_again: bool = False


NEWEST = 2**62


def advance(tx: Tx, state: MeterState, logs: Sequence[Log], before_uplink: int = NEWEST) -> Advanced:
    """Post from `logs` (in the order in which they were stored) as far as they are contiguous.

    What was told in the uplink `before_uplink` or later is not known yet.
    """
    if not logs:
        return Advanced(state)
    posting = _Posting(state)
    contracts = contracts_of(tx, state.meter_id)
    while (found := _next(tx, posting.state, logs, contracts, before_uplink)) is not None:
        posting.state, log = found
        try:
            _post(tx, posting, log, contracts, before_uplink)
        except ValueError:
            detail = {"slot": log.first_slot, "spent24_mills": log.spent24_mills, "known_mills": state.spent_mills}
            finding = Finding(CaseKind.WENT_BACK, f"{state.generation}:{log.first_slot}", detail)
            return Advanced(state, findings=(finding,), went_back=True)
    after = posting.state
    waiting = any(
        log.log_generation > after.log_generation
        or (log.log_generation == after.log_generation and log.end_slot > after.frontier_slot)
        for log in logs
    )
    after = replace(after, waiting=int(waiting))
    return Advanced(after, tuple(posting.segments), posting.last, tuple(posting.findings), posting.rate_again)


def _next(
    tx: Tx, state: MeterState, logs: Sequence[Log], contracts: list[Contract], before_uplink: int
) -> tuple[MeterState, Log] | None:
    """The log that continues the meter's count, and the state made ready for it; None while a gap is open."""
    if not state.started:
        return _start(state, logs, contracts)
    own = [log for log in logs if log.log_generation == state.log_generation]
    for log in own:
        if log.first_slot <= state.frontier_slot < log.end_slot:
            return state, log
    return _next_generation(tx, state, logs, contracts, before_uplink)


def _start(state: MeterState, logs: Sequence[Log], contracts: list[Contract]) -> tuple[MeterState, Log] | None:
    """The first log of a wallet that no DEVICE has told the start of, or None: then one will.

    It begins with the first index, and at the holder's first slot or with an S that leaves nothing out before it. The
    slots of an unsure clock are not known by our calendar: they wait for the DEVICE.
    """
    for log in sorted(logs, key=lambda log: (log.log_generation, log.first_slot)):
        if log.volume16_l != state.volume_l & _LOW_16 or log.status & STATUS_CLOCK_UNSURE:
            continue
        begun = replace(state, started=1, log_generation=log.log_generation, frontier_slot=log.first_slot)
        if begun == replace(state, started=1) or _continues(begun, log, contracts):
            return begun, log
    return None


def _next_generation(
    tx: Tx, state: MeterState, logs: Sequence[Log], contracts: list[Contract], before_uplink: int
) -> tuple[MeterState, Log] | None:
    """The first log of the next log generation (SEMANTICS C1), once everything of this one is posted.

    Its start is what the meter's event says; without the event, the log whose V and S continue ours exactly.
    """
    following = state.log_generation + 1
    candidates = [log for log in logs if log.log_generation == following and log.volume16_l == state.volume_l & _LOW_16]
    if not candidates:
        return None
    told = tx.cursor.execute(
        "SELECT at_unix_s FROM meter_event WHERE meter_id = ? AND generation = ? AND code = ? AND argument = ? "
        "AND uplink_id < ?",
        (state.meter_id, state.generation, LOG_GENERATION, following, before_uplink),
    ).fetchone()
    for log in sorted(candidates, key=lambda log: log.first_slot):
        moved = replace(state, log_generation=following, frontier_slot=log.first_slot)
        if told is not None and slot_of(told[0]) == log.first_slot:
            return moved, log
        if told is None and _continues(moved, log, contracts):
            return moved, log
    return None


def _continues(state: MeterState, log: Log, contracts: list[Contract]) -> bool:
    """Whether the log's S is exactly what its slots cost from here."""
    try:
        _, _, divergence = _rate(state, log, contracts, state.collected_mills)
    except ValueError:
        return False
    return divergence == 0


def _post(tx: Tx, posting: _Posting, log: Log, contracts: list[Contract], before_uplink: int) -> None:
    """Rate what of `log` lies beyond the frontier and move the state. Raises ValueError when S fell."""
    state = posting.state
    skipped = state.frontier_slot - log.first_slot
    litres = log.litres[skipped:]
    sure = not log.status & STATUS_CLOCK_UNSURE
    lag_l = (log.volume16_l + sum(log.litres[:skipped]) - state.volume_l) & _LOW_16
    if lag_l:
        detail = {"slot": log.first_slot, "difference_l": lag_l}
        posting.findings.append(Finding(CaseKind.VOLUME_MISMATCH, f"{state.generation}:{lag_l}", detail))
    instalments = (log.instalments6 - state.instalments) & 63
    plans = plans_told(tx, state.meter_id, state.generation, before_uplink) if instalments else PlansTold((), None)
    collected_mills, within = collected_after(plans, state.collected_mills, state.instalments, instalments)
    if not within:
        detail = {"instalments": instalments, "collected_mills": collected_mills}
        posting.findings.append(Finding(CaseKind.DEBT_BOUNDS, f"{state.generation}:{state.instalments}", detail))
    segments, counters, divergence = _rate(state, log, contracts, collected_mills)
    if divergence:
        detail = {"slot": state.frontier_slot, "difference_mills": divergence}
        posting.findings.append(Finding(CaseKind.DIVERGENT, f"{state.generation}:{state.frontier_slot}", detail))
    today = _moved_along(state, counters.metered)
    other_prices = today is None or _has_other_prices(tx, state, log)
    posting.state = replace(
        state,
        frontier_slot=log.end_slot,
        unsure=int(not sure),
        volume_l=state.volume_l + sum(litres),
        spent_mills=counters.spent_mills,
        collected_mills=counters.collected_mills,
        instalments=state.instalments + instalments,
        pack_version=log.pack_version,
        metered=counters.metered,
        today=state.today if today is None else today,
        carries=counters.carries,
    )
    posting.segments += segments
    posting.last = log
    posting.rate_again = posting.rate_again or other_prices or bool(state.unsure and sure)


def _rate(
    state: MeterState, log: Log, contracts: list[Contract], collected_mills: int
) -> tuple[list[Segment], Counters, int]:
    """The segments of a log from the frontier on. Raises ValueError when S fell."""
    litres = log.litres[state.frontier_slot - log.first_slot :]
    sure = not log.status & STATUS_CLOCK_UNSURE
    run = Run(state.log_generation, state.frontier_slot, litres, log.spent24_mills, log.pack_version, sure)
    counters = Counters(state.spent_mills, state.collected_mills, state.metered, state.carries)
    return rate_run(run, counters, log.rates, lambda slot: contract_at(contracts, slot).contract_id, collected_mills)


def _moved_along(state: MeterState, metered: RatingState) -> RatingState | None:
    """T after slots that cost today what they cost then: it moves with M. None if T stands elsewhere in the month."""
    if state.today[1:] != state.metered[1:]:
        return None
    rise_mills = metered.spent_mills - state.metered.spent_mills
    return RatingState(state.today.spent_mills + rise_mills, *metered[1:])


def _has_other_prices(tx: Tx, state: MeterState, log: Log) -> bool:
    """Whether today's knowledge has other prices for any slot of a log than the meter's own pack."""
    known = knowledge_of(tx, state.meter_id)
    for slot in range(state.frontier_slot, log.end_slot):
        priced = known.at(slot)
        if (priced.rates is not None and priced.rates is not log.rates) or known.is_prorated(priced, slot):
            return True
    return False
