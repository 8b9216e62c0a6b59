"""The end of a wallet: corrections up to date, water that was never reported charged, and where the local month stands.

A renewal, a swap and a retirement end a wallet alike (SEMANTICS A4); what becomes of its balance they say themselves.
"""

from collections import defaultdict
from dataclasses import dataclass

from headend.billing.apportion import apportion
from headend.billing.correct import correct_meter, match
from headend.billing.knowledge import knowledge_of
from headend.ingest import meter_state
from headend.ingest.meter_state import MeterState
from headend.ingest.place import waiting_logs, waiting_lost
from headend.ingest.post_lost import packs_in_force
from headend.ledger import chart
from headend.ledger.balances import wallet_balance_mills
from headend.ledger.posting_rules import Holding, remainder_charged, unreported_charged
from headend.meters.lookup import state_of_meter
from headend.meters.openings import opening_of
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.rating import MILL, RatingState, begin_slot, charge_lines, spend
from protocol.wire.limits import VOLUME_MAX
from protocol.wire.unwrap import unwrap_forward


@dataclass(frozen=True, slots=True)
class FinalCut:
    """The last word of a wallet: its state with T and A up to date, the register, where the month stands, and what is
    not charged of it because it is less than a mill (at scale 4)."""

    state: MeterState
    index_l: int
    stands: RatingState
    remainder: int


def close_books(tx: Tx, holding: Holding, index_l: int | None, field: str, end_slot: int) -> FinalCut:
    """Bring a wallet's books to their end; `index_l` is on the register, by default what the meter reported last.

    Water beyond the last report is charged as if it had flowed evenly until `end_slot`. Raises Refused, naming `field`,
    for a register that shows less than was reported; then nothing was changed.
    """
    state = meter_state.load(tx, holding.meter_id)
    told_l = _told_volume_l(tx, state)
    if index_l is not None and not told_l <= index_l <= VOLUME_MAX:
        raise Refused(Code.INDEX_BEHIND, field, f"{index_l} < {told_l}")
    state = correct_meter(tx, state)
    meter_state.save(tx, state)
    last_l = told_l if index_l is None else index_l
    stands = _charge_unreported(tx, holding, state, last_l - state.volume_l, end_slot)
    return FinalCut(state, last_l, stands, _charge_remainder(tx, holding, state, stands.remainder))


def _told_volume_l(tx: Tx, state: MeterState) -> int:
    """V as the meter told it last, also in logs that wait for others; one in quarantine is believed up to the books."""
    if state_of_meter(tx, state.meter_id) == "quarantined" or not state.waiting:
        return state.volume_l
    told_l = [state.volume_l, *(int(lost.gap.volume_l) for lost in waiting_lost(tx, state))]
    for log in waiting_logs(tx, state):
        told_l.append(unwrap_forward(log.volume16_l, 16, state.volume_l) + sum(log.litres))
    return max(told_l)


def _charge_unreported(tx: Tx, holding: Holding, state: MeterState, litres: int, end_slot: int) -> RatingState:
    """Book litres beyond the last report, as if they had flowed evenly since; where the local month then stands.

    The wallet bears them as far as it goes; the rest is owed, as with any claim (SEMANTICS E2). Where the clock was
    unsure to the end, nobody knows since when: then they count to the last slot.
    """
    if not litres:
        return state.today
    first_slot = end_slot - 1 if state.unsure else state.frontier_slot
    today, roles = _rate_evenly(tx, state, litres, first_slot, max(1, end_slot - first_slot))
    total_mills = today.spent_mills - state.today.spent_mills
    wallet_mills = min(total_mills, max(0, wallet_balance_mills(tx, holding)))
    missing: dict[int, int] = defaultdict(int)
    missing[holding.wallet(tx)] += wallet_mills
    missing[holding.receivable(tx)] += total_mills - wallet_mills
    for role, mills in zip(chart.CHARGE_ROLES, apportion(roles, total_mills), strict=True):
        missing[chart.account_id(tx, role)] -= mills
    if total_mills:
        key = f"unreported:{holding.meter_id.hex()}:{holding.generation}"
        memo = f"{litres} L on the register beyond the last report, slots {first_slot} to {end_slot}"
        unreported_charged(tx, key, holding, match(missing), wallet_mills, memo)
    return today


def _rate_evenly(tx: Tx, state: MeterState, litres: int, first_slot: int, slots: int) -> tuple[RatingState, list[int]]:
    """(T after, cost per role at scale 4) of litres spread over so many slots."""
    knowledge, pack_at = knowledge_of(tx, state.meter_id), packs_in_force(tx, state.meter_id)
    today, roles = state.today, [0] * len(chart.CHARGE_ROLES)
    for at in range(slots):
        slot = first_slot + at
        share_l = litres * (at + 1) // slots - litres * at // slots
        rates = knowledge.at(slot).rates or pack_at(slot)[1]
        for line in charge_lines(today, rates.tariff, slot, share_l, True):
            for role, amount in enumerate(rates.roles_of(line)):
                roles[role] += amount
        today = spend(begin_slot(today, rates.tariff, slot, True), rates.tariff, share_l)
    return today, roles


def _charge_remainder(tx: Tx, holding: Holding, state: MeterState, remainder: int) -> int:
    """Charge what this wallet and those before it left below a mill, once that comes to a mill; returns what stays.

    Each wallet counts whole mills from nothing. Without this, every swap would give away up to a mill (SEMANTICS B3).
    """
    mills, left = divmod(opening_of(tx, state.meter_id, state.generation).remainder + remainder, MILL)
    if mills:
        role = chart.CHARGE_ROLES[max(range(len(state.carries)), key=lambda at: state.carries[at])]
        remainder_charged(tx, f"remainder:{holding.meter_id.hex()}:{holding.generation}", holding, role, mills)
    return left
