"""What a holder takes along into the next wallet: the rest of a debt plan, the prices, the valve policies."""

from dataclasses import replace

from headend.billing.packs import append_pack, bring_tariffs, next_version
from headend.billing.plans import last_plan
from headend.ingest.meter_state import MeterState
from headend.ingest.post_lost import packs_in_force
from headend.meters.lookup import Contract
from headend.meters.registry import InitialPack
from headend.storage.writer import Tx
from protocol.rules import debt
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF


def carry_plan(tx: Tx, ended: MeterState, meter_id: bytes, from_day: int) -> None:
    """R begins at 0 again, so the plan's ceiling is what is left of it (SEMANTICS B7); nothing before `from_day`."""
    plan = last_plan(tx, ended.meter_id)
    if plan is None:
        return
    left_mills = max(0, plan.ceiling_mills - ended.collected_mills)
    version, start_day = next_version(tx, meter_id, DOWN_PLAN), max(plan.start_day, from_day)
    left = plan._replace(version=version, ceiling_mills=left_mills, start_day=start_day)
    append_pack(tx, meter_id, DOWN_PLAN, 0, debt.encode_body(left), None)


def carry_packs(tx: Tx, contract: Contract, meter_id: bytes, slot: int, anew: bool = False) -> None:
    """Give a meter what its holder's meter is meant to hold, in force at a slot and later: prices and valve policies.

    Again, it gives only what is new since; `anew` for another holder than before.
    """
    bring_tariffs(tx, replace(contract, meter_id=meter_id), slot, anew)
    given = dict(_policies(tx, meter_id))
    for from_slot, body in _policies(tx, contract.meter_id, slot):
        if given.get(from_slot) != body:
            append_pack(tx, meter_id, DOWN_POLICY, from_slot, body, None)


def packs_to_begin_with(tx: Tx, meter_id: bytes, slot: int) -> tuple[InitialPack, InitialPack]:
    """The tariff and the policy in force at a slot, as the meter is given them over the cable."""
    version = packs_in_force(tx, meter_id)(slot)[0]
    return _pack(tx, meter_id, DOWN_TARIFF, "version = ?", version), _pack(tx, meter_id, DOWN_POLICY, _STARTED, slot)


_STARTED = "from_slot <= ?"


def _pack(tx: Tx, meter_id: bytes, kind: int, where: str, value: int) -> InitialPack:
    row = tx.cursor.execute(
        f"SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? AND {where} "
        "ORDER BY from_slot DESC, version DESC LIMIT 1",
        (meter_id, kind, value),
    ).fetchone()
    return InitialPack(*row)


def _policies(tx: Tx, meter_id: bytes, slot: int = 0) -> list[tuple[int, bytes]]:
    """(start, body) of the policy in force at a slot and of those for later, by their start, the newest of each."""
    rows = tx.cursor.execute(
        "SELECT from_slot, body FROM pack p WHERE meter_id = ?1 AND kind = ?2 AND from_slot >= (SELECT "
        "coalesce(max(from_slot), 0) FROM pack WHERE meter_id = ?1 AND kind = ?2 AND from_slot <= ?3) AND NOT EXISTS "
        "(SELECT 1 FROM pack n WHERE n.meter_id = ?1 AND n.kind = ?2 AND n.from_slot = p.from_slot "
        "AND n.version > p.version) ORDER BY from_slot",
        (meter_id, DOWN_POLICY, slot),
    )
    return [(int(from_slot), bytes(body)) for from_slot, body in rows.fetchall()]
