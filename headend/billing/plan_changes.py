"""Debt plans after they are made: shown, changed, suspended, ended; and what was collected beyond them given back (B7).

A plan is never edited: a change is the next version, and the highest one wins on the meter. Until the meter holds it
the old one goes on, so an ended plan may still take an instalment: that is over-collected and returns through C.
"""

from dataclasses import dataclass

from headend.billing.packs import append_pack, next_version
from headend.billing.plans import last_plan
from headend.ingest import meter_state
from headend.ingest.meter_state import MeterState
from headend.ledger.balances import receivable_balance_mills
from headend.ledger.posting_rules import debt_forgiven, over_collection_returned
from headend.meters.lookup import holding_in_use, holding_of_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.errors import Refused as ProtocolRefused
from protocol.rules import debt
from protocol.rules.debt import Plan
from protocol.wire.messages import DOWN_PLAN

RUNNING = "running"
SUSPENDED = "suspended"
COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """The newest plan of a meter, what R says of it, and which version the meter last told of."""

    plan: Plan
    collected_mills: int
    held_version: int

    @property
    def remaining_mills(self) -> int:
        return int(max(0, self.plan.ceiling_mills - self.collected_mills))

    @property
    def state(self) -> str:
        if self.remaining_mills == 0:
            return COMPLETED
        return RUNNING if self.plan.amount_mills else SUSPENDED


def plan_status(tx: Tx, meter_id: bytes) -> PlanStatus | None:
    """How a meter's plan stands; None if it never had one. `tx` may be one that reads."""
    row = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? ORDER BY version DESC LIMIT 1",
        (meter_id, DOWN_PLAN),
    ).fetchone()
    if row is None:
        return None
    (held,) = tx.cursor.execute("SELECT plan_echo FROM meter_link WHERE meter_id = ?", (meter_id,)).fetchone()
    return PlanStatus(debt.decode_body(*row), meter_state.load(tx, meter_id).collected_mills, held)


def change_plan(tx: Tx, meter_id: bytes, amount_mills: int, start_day: int) -> int:
    """Another instalment from a local day on, 0 to suspend; what is owed stays. Returns the version. Raises Refused."""
    last = _last(tx, meter_id)
    if isinstance(amount_mills, bool) or amount_mills < 0:
        raise Refused(Code.PLAN, "instalment", str(amount_mills))
    return _next(tx, meter_id, Plan(0, last.ceiling_mills, amount_mills, start_day))


def end_plan(tx: Tx, meter_id: bytes, key: str, forgive: bool) -> int:
    """Collect nothing more by instalments; what is left stays owed, or is forgiven. Returns the version.

    Raises Refused when there is no plan, or nothing is left of it.
    """
    last, holding = _last(tx, meter_id), holding_in_use(tx, meter_id)
    collected_mills = meter_state.load(tx, meter_id).collected_mills
    left_mills = last.ceiling_mills - collected_mills
    if left_mills <= 0:
        raise Refused(Code.PLAN_OVER, "meter_id", meter_id.hex())
    if forgive:
        debt_forgiven(tx, f"forgiven:{key}", holding, left_mills, key)
    return _next(tx, meter_id, Plan(0, collected_mills, 0, last.start_day))


def return_over_collected(tx: Tx, state: MeterState) -> None:
    """Give back through C what R took beyond the newest plan's ceiling and the holder does not owe otherwise."""
    plan = last_plan(tx, state.meter_id)
    if plan is None or state.collected_mills <= plan.ceiling_mills:
        return
    holding = holding_of_meter(tx, state.meter_id)
    over_mills = min(state.collected_mills - plan.ceiling_mills, -receivable_balance_mills(tx, holding.contract_id))
    if over_mills > 0:
        key = f"over-collected:{state.meter_id.hex()}:{state.generation}:{state.collected_mills}"
        over_collection_returned(tx, key, holding, over_mills, f"R {state.collected_mills} of {plan.ceiling_mills}")


def _last(tx: Tx, meter_id: bytes) -> Plan:
    holding_in_use(tx, meter_id)
    last = last_plan(tx, meter_id)
    if last is None:
        raise Refused(Code.PLAN_OVER, "meter_id", meter_id.hex())
    return last


def _next(tx: Tx, meter_id: bytes, plan: Plan) -> int:
    try:
        body = debt.encode_body(plan._replace(version=next_version(tx, meter_id, DOWN_PLAN)))
    except ProtocolRefused as refused:
        raise Refused(Code.PLAN, refused.field, str(refused)) from None
    return append_pack(tx, meter_id, DOWN_PLAN, 0, body, None)
