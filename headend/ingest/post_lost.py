"""Posting a GAP: litres, S and R as the meter tells them at both ends; the next log goes on there (SEMANTICS C4)."""

from dataclasses import replace

from headend.billing.instalments import PlansTold, collected_after, within_bounds
from headend.billing.knowledge import contract_at
from headend.billing.lost import LostSlots, PackAt, misses_by, over_lost, post_lost, tail_slots
from headend.billing.plans import plans_given, plans_told
from headend.billing.published import pack_rates
from headend.billing.segments import Counters
from headend.ingest.decode import Lost
from headend.ingest.meter_state import MeterState
from headend.ingest.next_run import LOW_24
from headend.ingest.posting import Finding, Posting
from headend.ledger.cases import CaseKind
from headend.meters.lookup import Contract
from headend.storage.writer import Tx
from protocol.rules.calendar import SLOTS_PER_DAY
from protocol.wire.messages import DOWN_TARIFF

_COUNT_BITS = 64


def post_lost_run(tx: Tx, posting: Posting, lost: Lost, contracts: list[Contract], before_uplink: int) -> None:
    """Move the state over what of a GAP lies beyond the frontier. Raises ValueError when S fell."""
    state, gap = posting.state, lost.gap
    if gap.spent_mills < state.spent_mills:
        raise ValueError(f"S fell from {state.spent_mills} to {gap.spent_mills}")
    posting.findings += _findings(state, lost)
    pack_at = packs_in_force(tx, state.meter_id)
    slots = lost.end_slot - state.frontier_slot
    offsets = pack_at(lost.end_slot - 1)[1].tariff.offsets
    before = Counters(state.spent_mills, state.collected_mills, state.metered, state.carries)
    runs = [
        LostSlots(
            log_generation=state.log_generation,
            first_slot=state.frontier_slot,
            slots=slots,
            volume_l=max(0, gap.volume_l - state.volume_l),
            spent_mills=gap.spent_mills - state.spent_mills,
            remainder=gap.remainder,
            position_l=gap.position_l,
            tail_slots=tail_slots(state.frontier_slot, slots, state.metered, offsets, sure),
            sure=sure,
        )
        for sure in (not state.unsure, bool(state.unsure))
    ]
    # Whether its clock was found or lost among them, only S can tell: by the charges of the days that it executed (C2).
    run = min(runs, key=lambda run: misses_by(run, before, pack_at))
    collected_mills, instalments = _collected(tx, posting, lost, before_uplink)
    segments, carries = post_lost(
        run, before, pack_at, lambda slot: contract_at(contracts, slot).contract_id, collected_mills
    )
    metered, today = over_lost(state.metered, state.today, run, offsets)
    posting.state = replace(
        state,
        frontier_slot=lost.end_slot,
        unsure=int(not run.sure),
        volume_l=state.volume_l + run.volume_l,
        spent_mills=gap.spent_mills,
        collected_mills=collected_mills,
        instalments=instalments,
        metered=metered,
        today=today,
        carries=carries,
    )
    posting.segments += segments
    posting.lost.append(run)
    posting.last = None
    posting.rate_again = posting.rate_again or (bool(state.unsure) and run.sure)


def packs_in_force(tx: Tx, meter_id: bytes) -> PackAt:
    """Of the packs that the meter was given by this batch, the one in force at a slot: the latest start not after it,
    the highest version of one start; before the first start, the first pack of all."""
    rows = tx.cursor.execute(
        "SELECT from_slot, version FROM pack WHERE meter_id = ? AND kind = ? AND batch_id <= ? "
        "ORDER BY from_slot DESC, version DESC",
        (meter_id, DOWN_TARIFF, tx.batch_id),
    ).fetchall()
    known = [(from_slot, version, pack_rates(tx, meter_id, version)) for from_slot, version in rows]

    def pack_at(slot: int) -> tuple[int, object]:
        _, version, rates = next((pack for pack in known if pack[0] <= slot), known[-1])
        return version, rates

    return pack_at  # type: ignore[return-value]


def _findings(state: MeterState, lost: Lost) -> list[Finding]:
    """That detail was lost, always; and what at the start of the GAP is not as the books have it."""
    gap, key = lost.gap, f"{state.generation}:{lost.log_generation}:{lost.first_slot}"
    detail = {
        "slot": state.frontier_slot,
        "slots": lost.end_slot - state.frontier_slot,
        "litres": gap.volume_l - state.volume_l,
        "spent_mills": gap.spent_mills - state.spent_mills,
    }
    findings = [Finding(CaseKind.SLOTS_LOST, key, detail)]
    if gap.volume_l < state.volume_l:
        behind = {"slot": state.frontier_slot, "difference_l": gap.volume_l - state.volume_l}
        findings.append(Finding(CaseKind.VOLUME_MISMATCH, f"{key}:end", behind))
    if lost.first_slot != state.frontier_slot:
        return findings
    lag_l = (gap.volume24_l - state.volume_l) & LOW_24
    if lag_l:
        detail = {"slot": lost.first_slot, "difference_l": lag_l}
        findings.append(Finding(CaseKind.VOLUME_MISMATCH, f"{state.generation}:{lag_l}", detail))
    difference_mills = (gap.spent24_mills - state.spent_mills) & LOW_24
    if difference_mills:
        detail = {"slot": lost.first_slot, "difference_mills": difference_mills}
        findings.append(Finding(CaseKind.DIVERGENT, f"{state.generation}:{lost.first_slot}", detail))
    return findings


def _collected(tx: Tx, posting: Posting, lost: Lost, before_uplink: int) -> tuple[int, int]:
    """(R, instalments made) at the end. R is the meter's; the count is the one that makes this R of the plans."""
    state, gap = posting.state, lost.gap
    collected_mills = int(gap.collected_mills)
    plans = plans_told(tx, state.meter_id, state.generation, before_uplink)
    made = _count(plans, state, gap.instalments6, collected_mills, lost.end_slot - state.frontier_slot)
    total = state.instalments + made
    given = plans_given(tx, state.meter_id, state.generation)
    fell = collected_mills < state.collected_mills
    if fell or not within_bounds(given, total, collected_mills):
        detail = {"instalments": made, "collected_mills": collected_mills}
        posting.findings.append(Finding(CaseKind.DEBT_BOUNDS, f"{state.generation}:{state.instalments}", detail))
    # R never falls (SEMANTICS A1): what the books have too much, the next ANCHOR takes back.
    return max(collected_mills, state.collected_mills), total


def _count(plans: PlansTold, state: MeterState, instalments6: int, collected_mills: int, slots: int) -> int:
    """How many instalments were made; of 64 apart, those that make R of the plans, else the fewest."""
    fewest = (instalments6 - state.instalments) % _COUNT_BITS
    for made in range(fewest, slots // SLOTS_PER_DAY + 3, _COUNT_BITS):
        if collected_after(plans, state.collected_mills, state.instalments, made) == (collected_mills, True):
            return made
    return fewest
