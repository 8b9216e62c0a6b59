"""What else a meter is told to do: its valve policy, and the instalments of its holder's debt."""

from headend.billing.instalments import PlansTold
from headend.billing.packs import append_pack, next_version
from headend.ingest import meter_state
from headend.ledger.posting_rules import debt_recognised
from headend.meters.lookup import holding_in_use
from headend.meters.openings import opening_of
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.errors import Refused as ProtocolRefused
from protocol.rules import debt, policy
from protocol.rules.debt import Plan
from protocol.rules.policy import Policy
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, UP_DEVICE
from protocol.wire.uplinks import decode_up


def set_policy(tx: Tx, meter_id: bytes, wanted: Policy, from_slot: int = 0) -> int:
    """Give a meter a new valve policy; returns its version (that of `wanted` is replaced). Raises Refused."""
    holding_in_use(tx, meter_id)
    version = next_version(tx, meter_id, DOWN_POLICY)
    try:
        body = policy.encode_body(wanted._replace(version=version))
    except ProtocolRefused as refused:
        raise Refused(Code.POLICY, refused.field, str(refused)) from None
    return append_pack(tx, meter_id, DOWN_POLICY, from_slot, body, None)


def last_policy(tx: Tx, meter_id: bytes) -> Policy:
    """The policy a meter is meant to hold; every registered meter has one. Raises LookupError."""
    row = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? ORDER BY version DESC LIMIT 1",
        (meter_id, DOWN_POLICY),
    ).fetchone()
    if row is None:
        raise LookupError(f"meter {meter_id.hex()} has no policy")
    return policy.decode_body(*row)


def set_debt_plan(tx: Tx, meter_id: bytes, key: str, debt_mills: int, amount_mills: int, start_day: int) -> int:
    """Recognise a further debt of the present holder and have the meter collect it; returns the plan's version.

    The plan's ceiling is cumulative: what earlier plans were to collect stays in it (SEMANTICS B7). A repeated key
    changes nothing. Raises Refused.
    """
    holding = holding_in_use(tx, meter_id)
    last = last_plan(tx, meter_id)
    if isinstance(debt_mills, bool) or isinstance(amount_mills, bool) or debt_mills <= 0 or amount_mills <= 0:
        raise Refused(Code.PLAN, "amounts")
    version = next_version(tx, meter_id, DOWN_PLAN)
    collected_mills = meter_state.load(tx, meter_id).collected_mills
    ceiling_mills = debt_mills + max(collected_mills, 0 if last is None else last.ceiling_mills)
    try:
        body = debt.encode_body(Plan(version, ceiling_mills, amount_mills, start_day))
    except ProtocolRefused as refused:
        raise Refused(Code.PLAN, refused.field, str(refused)) from None
    if not debt_recognised(tx, f"debt:{key}", holding, debt_mills, key).new:
        return version - 1
    return append_pack(tx, meter_id, DOWN_PLAN, 0, body, None)


def plans_told(tx: Tx, meter_id: bytes, generation: int, before_uplink: int) -> PlansTold:
    """What a meter's DEVICEs told of the plans it holds, in the uplinks before that one."""
    rows = tx.cursor.execute(
        "SELECT facts FROM uplink WHERE meter_id = ? AND generation = ? AND type = ? AND id < ?",
        (meter_id, generation, UP_DEVICE, before_uplink),
    ).fetchall()
    counts: dict[int, int] = {}
    for (facts,) in rows:
        device = decode_up(UP_DEVICE, facts)
        if device.plan_version:
            counts[device.plan_version] = min(device.instalments, counts.get(device.plan_version, device.instalments))
    changes = [(count, last_plan(tx, meter_id, version)) for version, count in sorted(counts.items())]
    return PlansTold(tuple((count, plan) for count, plan in changes if plan), last_plan(tx, meter_id))


def last_plan(tx: Tx, meter_id: bytes, version: int | None = None) -> Plan | None:
    """The newest debt plan of a meter as of this batch, or the one of that version; None if there is none."""
    row = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? AND version = coalesce(?, version) "
        "AND batch_id <= ? ORDER BY version DESC LIMIT 1",
        (meter_id, DOWN_PLAN, version, tx.batch_id),
    ).fetchone()
    return None if row is None else debt.decode_body(*row)


def plans_given(tx: Tx, meter_id: bytes, generation: int) -> list[Plan]:
    """The plans that a meter was given in a wallet generation by this batch, whether it told of them or not."""
    rows = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? AND batch_id BETWEEN ? AND ? "
        "ORDER BY version",
        (meter_id, DOWN_PLAN, opening_of(tx, meter_id, generation).batch_id, tx.batch_id),
    )
    return [debt.decode_body(*row) for row in rows.fetchall()]
