"""A new wallet generation of the same meter (SEMANTICS A4): after its state was lost or its root key leaked.

The old wallet is closed with the balance at the last reported cut and the new one opens with the same, under a fresh
root; the OPENING carries the block position and what standing charges are paid, so a month with a renewal costs what it
costs without. Water that the register shows beyond the last report is booked and explained first: it was not free.
"""

from collections import defaultdict
from dataclasses import replace

from headend.billing import rating_base
from headend.billing.apportion import apportion
from headend.billing.correct import correct_meter, match
from headend.billing.knowledge import knowledge_of
from headend.billing.packs import append_pack
from headend.billing.plans import last_plan
from headend.downlink.desired import reserve
from headend.downlink.reply import seal
from headend.downlink.wallet import opening_message
from headend.ingest import meter_link, meter_state
from headend.ingest.meter_state import MeterState
from headend.ingest.place import waiting_logs, waiting_lost
from headend.ingest.post_lost import packs_in_force
from headend.ledger import chart
from headend.ledger.balances import wallet_balance_mills
from headend.ledger.posting_rules import Holding, meter_opened, unreported_charged, wallet_closed, wallet_reopened
from headend.meters.keyring import Keyring
from headend.meters.lookup import holding_of_meter
from headend.meters.openings import WalletOpening, open_generation
from headend.meters.registry import InitialPack, Provisioning
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules import debt
from protocol.rules.calendar import slot_of
from protocol.rules.rating import RatingState, begin_slot, charge_lines, spend
from protocol.wire.limits import VOLUME_MAX
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF
from protocol.wire.unwrap import unwrap_forward

FIRST_EPOCH = 0


def renew_meter(tx: Tx, keyring: Keyring, meter_id: bytes, index_l: int | None = None) -> Provisioning:
    """Close the wallet generation of a meter and open the next one from now on; what the meter is provisioned with.

    `index_l` is on its register now, by default what it reported last. Raises Refused; then nothing was changed.
    """
    old = holding_of_meter(tx, meter_id)
    if tx.cursor.execute("SELECT state FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()[0] == "retired":
        raise Refused(Code.METER_UNKNOWN, "meter_id", meter_id.hex())
    state = meter_state.load(tx, meter_id)
    told_l = _told_volume_l(tx, state)
    if index_l is not None and not told_l <= index_l <= VOLUME_MAX:
        raise Refused(Code.INDEX_BEHIND, "index_l", f"{index_l} < {told_l}")
    state = correct_meter(tx, state)
    first_slot = slot_of(tx.now_us // 1_000_000)
    unreported_l = (told_l if index_l is None else index_l) - state.volume_l
    stands = _charge_unreported(tx, old, state, unreported_l, first_slot)
    begins = WalletOpening(
        meter_id=meter_id,
        generation=old.generation + 1,
        batch_id=tx.batch_id,
        first_index_l=state.volume_l + unreported_l,
        first_slot=first_slot,
        position_l=stands.position_l,
        month=max(stands.month, 0),
        day=max(stands.day, 0),
    )
    _move_wallet(tx, old, begins)
    _carry_plan(tx, state)
    return _provisioning(tx, keyring, begins)


def _told_volume_l(tx: Tx, state: MeterState) -> int:
    """V as the meter told it last, also in logs that wait for others; one in quarantine is believed up to the books."""
    (condition,) = tx.cursor.execute("SELECT state FROM meter WHERE meter_id = ?", (state.meter_id,)).fetchone()
    if condition == "quarantined" or not state.waiting:
        return state.volume_l
    ends = [unwrap_forward(log.volume16_l, 16, state.volume_l) + sum(log.litres) for log in waiting_logs(tx, state)]
    return max([state.volume_l, *ends, *(lost.gap.volume_l for lost in waiting_lost(tx, state))])


def _charge_unreported(tx: Tx, holding: Holding, state: MeterState, litres: int, end_slot: int) -> RatingState:
    """Book litres beyond the last report, as if they had flowed evenly since; where the local month then stands.

    The wallet bears them as far as it goes; the rest is owed, as with any claim (SEMANTICS E2).
    """
    if not litres:
        return state.today
    today, roles = _rate_evenly(tx, state, litres, max(1, end_slot - state.frontier_slot))
    total_mills = today.spent_mills - state.today.spent_mills
    wallet_mills = min(total_mills, max(0, wallet_balance_mills(tx, holding)))
    missing: dict[int, int] = defaultdict(int)
    missing[holding.wallet(tx)] += wallet_mills
    missing[holding.receivable(tx)] += total_mills - wallet_mills
    for role, mills in zip(chart.CHARGE_ROLES, apportion(roles, total_mills), strict=True):
        missing[chart.account_id(tx, role)] -= mills
    if total_mills:
        key = f"unreported:{holding.meter_id.hex()}:{holding.generation}"
        memo = f"{litres} L on the register beyond the last report, slots {state.frontier_slot} to {end_slot}"
        unreported_charged(tx, key, holding, match(missing), wallet_mills, memo)
    return today


def _rate_evenly(tx: Tx, state: MeterState, litres: int, slots: int) -> tuple[RatingState, list[int]]:
    """(T after, cost per role at scale 4) of litres spread over the slots from the frontier on."""
    knowledge, pack_at = knowledge_of(tx, state.meter_id), packs_in_force(tx, state.meter_id)
    today, roles = state.today, [0] * len(chart.CHARGE_ROLES)
    for at in range(slots):
        slot = state.frontier_slot + at
        share_l = litres * (at + 1) // slots - litres * at // slots
        rates = knowledge.at(slot).rates or pack_at(slot)[1]
        for line in charge_lines(today, rates.tariff, slot, share_l, True):
            for role, amount in enumerate(rates.roles_of(line)):
                roles[role] += amount
        today = spend(begin_slot(today, rates.tariff, slot, True), rates.tariff, share_l)
    return today, roles


def _move_wallet(tx: Tx, old: Holding, begins: WalletOpening) -> None:
    """Close the old wallet, open the new one with its balance, and let the registry and the state begin anew."""
    balance_mills = wallet_balance_mills(tx, old)
    new = replace(old, generation=begins.generation)
    meter_opened(tx, new)
    key = f"renewal:{old.meter_id.hex()}:{new.generation}"
    wallet_closed(tx, f"{key}:close", old, balance_mills, f"wallet generation {old.generation} ends")
    wallet_reopened(tx, f"{key}:open", new, balance_mills, f"wallet generation {new.generation} begins")
    open_generation(tx, begins)
    meter_state.save(tx, meter_state.opened(begins))
    rating_base.forget(tx, old.meter_id)
    cursor = tx.cursor
    cursor.execute(
        "UPDATE meter SET generation = ?, epoch = ?, state = 'active' WHERE meter_id = ?",
        (new.generation, FIRST_EPOCH, old.meter_id),
    )
    cursor.execute(
        "UPDATE case_file SET closed_us = ?, outcome = 'renewed' "
        "WHERE meter_id = ? AND kind IN ('went-back', 'flash-lost') AND closed_us IS NULL",
        (tx.now_us, old.meter_id),
    )
    cursor.execute("DELETE FROM slot_request WHERE meter_id = ?", (old.meter_id,))


def _carry_plan(tx: Tx, state: MeterState) -> None:
    """R begins at 0 again, so the plan's ceiling is what is left of it (SEMANTICS B7)."""
    plan = last_plan(tx, state.meter_id)
    if plan is None:
        return
    left_mills = max(0, plan.ceiling_mills - state.collected_mills)
    body = debt.encode_body(plan._replace(version=plan.version + 1, ceiling_mills=left_mills))
    append_pack(tx, state.meter_id, DOWN_PLAN, 0, body, None)


def _provisioning(tx: Tx, keyring: Keyring, begins: WalletOpening) -> Provisioning:
    """Fresh keys, the OPENING under them, the packs in force; all else comes over the air."""
    meter_id, generation = begins.meter_id, begins.generation
    root = keyring.new_root(tx, meter_id, generation)
    tariff = _pack(tx, meter_id, DOWN_TARIFF, packs_in_force(tx, meter_id)(begins.first_slot)[0])
    _renumber_later(tx, meter_id, tariff)
    policy = _pack(tx, meter_id, DOWN_POLICY, None)
    link = meter_link.new_link(meter_id, generation, FIRST_EPOCH, begins.first_slot)
    keys = keyring.keys_of(tx, meter_id, generation, FIRST_EPOCH)
    link, reply = reserve(link, keys, [opening_message(tx, meter_id, generation)])
    meter_link.save(tx, replace(link, tariff_echo=tariff.version, policy_echo=policy.version))
    number, litres_per_pulse = tx.cursor.execute(
        "SELECT c.customer_number, m.litres_per_pulse FROM contract c JOIN meter m USING (meter_id) "
        "WHERE meter_id = ? ORDER BY c.start_slot DESC LIMIT 1",
        (meter_id,),
    ).fetchone()
    opening = (root, seal(reply)[0])
    identity = (meter_id, number, generation, FIRST_EPOCH, litres_per_pulse, begins.first_index_l)
    return Provisioning(*identity, *opening, tariff, policy)


def _renumber_later(tx: Tx, meter_id: bytes, acting: InitialPack) -> None:
    """A pack for later with a lower version than the one in force would never be missed: it is given again."""
    rows = tx.cursor.execute(
        "SELECT from_slot, body, tariff_id FROM pack p WHERE meter_id = ?1 AND kind = ?2 AND from_slot > ?3 "
        "AND version < ?4 AND NOT EXISTS (SELECT 1 FROM pack n WHERE n.meter_id = ?1 AND n.kind = ?2 "
        "AND n.from_slot = p.from_slot AND n.version > p.version) ORDER BY from_slot",
        (meter_id, DOWN_TARIFF, acting.from_slot, acting.version),
    ).fetchall()
    for from_slot, body, tariff_id in rows:
        append_pack(tx, meter_id, DOWN_TARIFF, from_slot, body, tariff_id)


def _pack(tx: Tx, meter_id: bytes, kind: int, version: int | None) -> InitialPack:
    """The pack of that version, or the newest one."""
    row = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? AND version = coalesce(?, version) "
        "ORDER BY version DESC LIMIT 1",
        (meter_id, kind, version),
    ).fetchone()
    return InitialPack(*row)
