"""A new wallet generation of the same meter (SEMANTICS A4): after its state was lost or its root key leaked.

The old wallet is closed with the balance at the last reported cut and the new one opens with the same, under a fresh
root; the OPENING carries the block position and what standing charges are paid, so a month with a renewal costs what it
costs without. Water that the register shows beyond the last report is booked and explained first: it was not free.
"""

from dataclasses import replace

from headend.billing import rating_base
from headend.billing.packs import append_pack
from headend.downlink.desired import reserve
from headend.downlink.reply import seal
from headend.downlink.wallet import opening_message
from headend.ingest import meter_link, meter_state
from headend.ledger.balances import wallet_balance_mills
from headend.ledger.posting_rules import Holding, meter_opened, wallet_closed, wallet_reopened
from headend.ledger.recovered_moves import enter_wallet, leave_wallet
from headend.meters.carried import carry_plan, packs_to_begin_with
from headend.meters.closing import close_books
from headend.meters.keyring import Keyring
from headend.meters.lookup import holding_in_use
from headend.meters.openings import WalletOpening, open_generation
from headend.meters.registry import InitialPack, Provisioning
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.messages import DOWN_TARIFF

FIRST_EPOCH = 0


def renew_meter(tx: Tx, keyring: Keyring, meter_id: bytes, index_l: int | None = None) -> Provisioning:
    """Close the wallet generation of a meter and open the next one from now on; what the meter is provisioned with.

    `index_l` is on its register now, by default what it reported last. Raises Refused; then nothing was changed.
    """
    old = holding_in_use(tx, meter_id)
    first_slot = slot_of(tx.now_us // 1_000_000)
    final = close_books(tx, old, index_l, "index_l", first_slot)
    begins = WalletOpening(
        meter_id=meter_id,
        generation=old.generation + 1,
        batch_id=tx.batch_id,
        first_index_l=final.index_l,
        first_slot=first_slot,
        position_l=final.stands.position_l,
        month=max(final.stands.month, 0),
        day=max(final.stands.day, 0),
        remainder=final.remainder,
    )
    _move_wallet(tx, old, begins)
    carry_plan(tx, final.state, meter_id, 0)
    return _provisioning(tx, keyring, begins)


def _move_wallet(tx: Tx, old: Holding, begins: WalletOpening) -> None:
    """Close the old wallet, open the new one with its balance, and let the registry and the state begin anew."""
    left = leave_wallet(tx, old)
    balance_mills = wallet_balance_mills(tx, old)
    new = replace(old, generation=begins.generation)
    meter_opened(tx, new)
    key = f"renewal:{old.meter_id.hex()}:{new.generation}"
    wallet_closed(tx, "renewal", f"{key}:close", old, balance_mills, f"wallet generation {old.generation} ends")
    wallet_reopened(tx, "renewal", f"{key}:open", new, balance_mills, f"wallet generation {new.generation} begins")
    enter_wallet(tx, left, new)
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
        "WHERE meter_id = ? AND kind IN ('went-back', 'cloned', 'flash-lost') AND closed_us IS NULL",
        (tx.now_us, old.meter_id),
    )
    cursor.execute("DELETE FROM slot_request WHERE meter_id = ?", (old.meter_id,))


def _provisioning(tx: Tx, keyring: Keyring, begins: WalletOpening) -> Provisioning:
    """Fresh keys, the OPENING under them, the packs in force; all else comes over the air."""
    meter_id, generation = begins.meter_id, begins.generation
    root = keyring.new_root(tx, meter_id, generation)
    tariff, policy = packs_to_begin_with(tx, meter_id, begins.first_slot)
    _renumber_later(tx, meter_id, tariff)
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
