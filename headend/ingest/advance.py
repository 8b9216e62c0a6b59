"""Posting order: only the contiguous prefix of slots is rated, in the meter's own order, however logs arrive (F1).

A row that arrives early posts nothing; the row that closes the gap posts up to the new frontier. So any order and any
repetition of uplinks ends in the same books.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headend.billing.instalments import PlansTold, collected_after
from headend.billing.knowledge import contract_at, knowledge_of
from headend.billing.lost import LostSlots
from headend.billing.plans import plans_told
from headend.billing.segments import Counters, Run, Segment, rate_run
from headend.ingest.anchored import settle_anchor
from headend.ingest.decode import Log, Lost
from headend.ingest.meter_state import MeterState
from headend.ingest.next_run import LOW_16, NEWEST, Waiting, next_run
from headend.ingest.post_lost import post_lost_run
from headend.ingest.posting import Adopted, Finding, Posting
from headend.ledger.cases import CaseKind
from headend.meters.lookup import Contract, contracts_of
from headend.storage.writer import Tx
from protocol.rules.rating import RatingState
from protocol.wire.messages import STATUS_CLOCK_UNSURE


@dataclass(frozen=True, slots=True)
class Advanced:
    """What can be posted now: the segments in order (`lost` of them without detail), the state after them, the last
    log posted, R where an ANCHOR told it, and what was found."""

    state: MeterState
    segments: tuple[Segment, ...] = ()
    lost: tuple[LostSlots, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    last: Log | None = None
    findings: tuple[Finding, ...] = ()
    # To be rated again whatever T and M are in all: an unsure stretch ended, whose litres are to be spread (SEMANTICS
    # C2), or the meter's pack has other prices than today's, which may cost the same and yet go to other roles (B5), or
    # T stands elsewhere in the month than M. T is then behind until that is done.
    rate_again: bool = False
    went_back: bool = False


def advance(
    tx: Tx, state: MeterState, logs: Sequence[Log], lost: Sequence[Lost] = (), before_uplink: int = NEWEST
) -> Advanced:
    """Post from `logs` and `lost` (in the order in which they were stored) as far as they are contiguous.

    What was told in the uplink `before_uplink` or later is not known yet.
    """
    if not (logs or lost or state.anchor_slot):
        return Advanced(state)
    posting = Posting(state)
    contracts = contracts_of(tx, state.meter_id)
    waiting = Waiting(logs, lost, lambda moved, log: _continues(moved, log, contracts), before_uplink)
    settle_anchor(tx, posting)
    while (found := next_run(tx, posting.state, waiting)) is not None:
        posting.state, run = found
        instalments = posting.state.instalments
        try:
            if isinstance(run, Lost):
                post_lost_run(tx, posting, run, contracts, before_uplink)
            else:
                _post(tx, posting, run, contracts, before_uplink)
        except ValueError:
            return _went_back(state, run)
        settle_anchor(tx, posting, instalments)
    after = replace(posting.state, waiting=int(waiting.beyond(posting.state))) if logs or lost else posting.state
    return Advanced(
        after,
        tuple(posting.segments),
        tuple(posting.lost),
        tuple(posting.adopted),
        posting.last,
        tuple(posting.findings),
        posting.rate_again,
    )


def _went_back(state: MeterState, run: Log | Lost) -> Advanced:
    """S fell in one wallet generation: the meter is not believed, and nothing is posted (SEMANTICS A1, A4)."""
    spent24_mills = run.gap.spent_mills & 0xFFFFFF if isinstance(run, Lost) else run.spent24_mills
    detail = {"slot": run.first_slot, "spent24_mills": spent24_mills, "known_mills": state.spent_mills}
    finding = Finding(CaseKind.WENT_BACK, f"{state.generation}:{run.first_slot}", detail)
    return Advanced(state, findings=(finding,), went_back=True)


def _continues(state: MeterState, log: Log, contracts: list[Contract]) -> bool:
    """Whether the log's S is exactly what its slots cost from here."""
    try:
        _, _, divergence = _rate(state, log, contracts, state.collected_mills)
    except ValueError:
        return False
    return divergence == 0


def _post(tx: Tx, posting: Posting, log: Log, contracts: list[Contract], before_uplink: int) -> None:
    """Rate what of `log` lies beyond the frontier and move the state. Raises ValueError when S fell."""
    state = posting.state
    skipped = state.frontier_slot - log.first_slot
    litres = log.litres[skipped:]
    sure = not log.status & STATUS_CLOCK_UNSURE
    lag_l = (log.volume16_l + sum(log.litres[:skipped]) - state.volume_l) & LOW_16
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
    for slot in known.turns(state.frontier_slot, log.end_slot):
        priced = known.at(slot)
        if (priced.rates is not None and priced.rates is not log.rates) or known.is_prorated(priced, slot):
            return True
    return False
