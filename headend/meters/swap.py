"""Another meter in the place of one (SEMANTICS A4, domain rule M17): a month with a swap costs what it costs without.

First the new meter is a spare: it has keys, prices and a valve policy, but no holder and no OPENING, and runs on its
installation grace. The swap closes the old wallet with its balance and opens the new one with it; the contract, its
customer number and what is owed stay one and the same, and the books of the old meter stay the old meter's. The litres
that the spare counted before its OPENING are the holder's: the meter adds them to its first half-hour.
"""

from dataclasses import replace

from headend.downlink.desired import reserve
from headend.downlink.reply import seal
from headend.downlink.wallet import opening_message
from headend.ingest import meter_link, meter_state
from headend.ingest.post_lost import packs_in_force
from headend.ledger.balances import wallet_balance_mills
from headend.ledger.posting_rules import Holding, meter_opened, wallet_closed, wallet_reopened
from headend.ledger.recovered_moves import enter_wallet, leave_wallet
from headend.meters.carried import carry_packs, carry_plan, packs_to_begin_with
from headend.meters.closing import FinalCut, close_books
from headend.meters.keyring import Keyring
from headend.meters.lookup import ACTIVE, RETIRED, SPARE, contracts_of, holding_in_use, state_of_meter
from headend.meters.openings import WalletOpening, open_generation
from headend.meters.registry import FIRST_GENERATION, LITRES_PER_PULSE, Provisioning
from headend.meters.retirement import check_index, end_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import local_day, slot_of
from protocol.wire.limits import METER_ID_LENGTH

FIRST_EPOCH = 0


def prepare_swap(
    tx: Tx, keyring: Keyring, old_meter_id: bytes, new_meter_id: bytes, litres_per_pulse: int
) -> Provisioning:
    """Register a spare for the place of a meter; what it is provisioned with.

    Again for the same place, the same answer. For another place it is prepared anew, under a new root: it must then be
    provisioned anew. Raises Refused.
    """
    holding_in_use(tx, old_meter_id)
    if len(new_meter_id) != METER_ID_LENGTH:
        raise Refused(Code.METER_ID, "new_meter_id", new_meter_id.hex())
    if litres_per_pulse not in LITRES_PER_PULSE:
        raise Refused(Code.LITRES_PER_PULSE, "litres_per_pulse", str(litres_per_pulse))
    state = state_of_meter(tx, new_meter_id)
    if state == RETIRED:
        raise Refused(Code.METER_RETIRED, "new_meter_id", new_meter_id.hex())
    if state not in (None, SPARE):
        raise Refused(Code.METER_EXISTS, "new_meter_id", new_meter_id.hex())
    anew = _prepared_for(tx, new_meter_id) != old_meter_id
    if anew:
        _register(tx, keyring, new_meter_id, old_meter_id)
    tx.cursor.execute(
        "UPDATE meter SET litres_per_pulse = ? WHERE meter_id = ? AND litres_per_pulse <> ?",
        (litres_per_pulse, new_meter_id, litres_per_pulse),
    )
    carry_packs(tx, contracts_of(tx, old_meter_id)[-1], new_meter_id, slot_of(tx.now_us // 1_000_000), anew)
    made = spare_provisioning(tx, keyring, new_meter_id)
    link = meter_link.load(tx, new_meter_id)
    if not link.tariff_echo:
        meter_link.save(tx, replace(link, tariff_echo=made.tariff.version, policy_echo=made.policy.version))
    return made


def spare_provisioning(tx: Tx, keyring: Keyring, new_meter_id: bytes) -> Provisioning:
    """What a spare is provisioned with, once more: its OPENING is empty. Raises Refused for any other meter."""
    old_meter_id = _spare_for(tx, new_meter_id, None)
    (number,) = tx.cursor.execute(
        "SELECT customer_number FROM contract WHERE id = ?", (contracts_of(tx, old_meter_id)[-1].contract_id,)
    ).fetchone()
    (litres_per_pulse,) = tx.cursor.execute(
        "SELECT litres_per_pulse FROM meter WHERE meter_id = ?", (new_meter_id,)
    ).fetchone()
    root = keyring.root(tx, new_meter_id, FIRST_GENERATION)
    tariff, policy = packs_to_begin_with(tx, new_meter_id, slot_of(tx.now_us // 1_000_000))
    identity = (new_meter_id, number, FIRST_GENERATION, FIRST_EPOCH, litres_per_pulse, 0)
    return Provisioning(*identity, root, b"", tariff, policy)


def execute_swap(
    tx: Tx,
    keyring: Keyring,
    old_meter_id: bytes,
    new_meter_id: bytes,
    at_slot: int,
    final_index_l: int | None,
    first_index_l: int,
) -> bytes:
    """Close the old meter's wallet, open the new one's with its balance, and end the old meter; the OPENING, sealed.

    `at_slot`: when it was done, by the technician; never before what the old meter has reported, never in the future.
    `final_index_l` is on the old register, by default what it reported last; `first_index_l` on the new one. Raises
    Refused; then nothing was changed.
    """
    holding = holding_in_use(tx, old_meter_id)
    _spare_for(tx, new_meter_id, old_meter_id)
    check_index(final_index_l, "final_index_l")
    check_index(first_index_l, "first_index_l")
    contract = contracts_of(tx, old_meter_id)[-1]
    at_slot = _slot_of_swap(tx, old_meter_id, at_slot)
    final = close_books(tx, holding, final_index_l, "final_index_l", at_slot)
    begins = WalletOpening(
        meter_id=new_meter_id,
        generation=FIRST_GENERATION,
        batch_id=tx.batch_id,
        first_index_l=first_index_l,
        first_slot=at_slot,
        position_l=final.stands.position_l,
        month=max(final.stands.month, 0),
        day=max(final.stands.day, 0),
        remainder=final.remainder,
    )
    _move_wallet(tx, holding, begins)
    end_meter(tx, old_meter_id, holding.contract_id, new_meter_id, at_slot, final_index_l)
    carry_packs(tx, contract, new_meter_id, at_slot)
    carry_plan(tx, final.state, new_meter_id, _first_day_of_plan(tx, final, old_meter_id, at_slot))
    return opening_of_swap(tx, keyring, new_meter_id)


def opening_of_swap(tx: Tx, keyring: Keyring, meter_id: bytes) -> bytes:
    """The OPENING of a meter under a fresh counter, to be carried by cable; by radio it goes out by itself."""
    link = meter_link.load(tx, meter_id)
    keys = keyring.keys_of(tx, meter_id, link.generation, link.epoch)
    link, reply = reserve(link, keys, [opening_message(tx, meter_id, link.generation)])
    meter_link.save(tx, link)
    return seal(reply)[0]


def _prepared_for(tx: Tx, meter_id: bytes) -> bytes | None:
    row = tx.cursor.execute("SELECT replaces FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def _spare_for(tx: Tx, new_meter_id: bytes, old_meter_id: bytes | None) -> bytes:
    """The meter that a spare is prepared for, which is to be the old one if that is given. Raises Refused."""
    state, prepared_for = state_of_meter(tx, new_meter_id), _prepared_for(tx, new_meter_id)
    if state == RETIRED:
        raise Refused(Code.METER_RETIRED, "new_meter_id", new_meter_id.hex())
    if state != SPARE or prepared_for is None or prepared_for != (old_meter_id or prepared_for):
        raise Refused(Code.NOT_THE_SPARE, "new_meter_id", new_meter_id.hex())
    return prepared_for


def _register(tx: Tx, keyring: Keyring, meter_id: bytes, replaces: bytes) -> None:
    """A spare in the registry, with a fresh root and a conversation that has not begun."""
    now_slot = slot_of(tx.now_us // 1_000_000)
    tx.cursor.execute("DELETE FROM meter_key WHERE meter_id = ?", (meter_id,))
    values = (meter_id, FIRST_GENERATION, FIRST_EPOCH, LITRES_PER_PULSE[0], 0, now_slot, SPARE, tx.now_us, replaces)
    tx.cursor.execute(
        "INSERT INTO meter (meter_id, generation, epoch, litres_per_pulse, first_index_l, first_slot, state, added_us, "
        "replaces) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (meter_id) DO UPDATE SET replaces = excluded.replaces",
        values,
    )
    keyring.new_root(tx, meter_id, FIRST_GENERATION)
    meter_link.save(tx, meter_link.new_link(meter_id, FIRST_GENERATION, FIRST_EPOCH, now_slot))


def _slot_of_swap(tx: Tx, old_meter_id: bytes, at_slot: int) -> int:
    """The first slot that is the new meter's: the technician's, within what the books and the clock allow."""
    state, now_slot = meter_state.load(tx, old_meter_id), slot_of(tx.now_us // 1_000_000)
    reported_to = 0 if state.unsure else state.frontier_slot
    return min(max(at_slot, reported_to), now_slot)


def _move_wallet(tx: Tx, old: Holding, begins: WalletOpening) -> None:
    """The balance through `moving`, the contract to the new meter, and the new meter's books begin."""
    left = leave_wallet(tx, old)
    balance_mills = wallet_balance_mills(tx, old)
    new = Holding(begins.meter_id, begins.generation, old.contract_id)
    tx.cursor.execute("UPDATE contract SET meter_id = ? WHERE id = ?", (new.meter_id, old.contract_id))
    meter_opened(tx, new)
    key, names = f"swap:{old.meter_id.hex()}", (old.meter_id.hex(), new.meter_id.hex())
    wallet_closed(tx, "swap", f"{key}:close", old, balance_mills, f"meter {names[0]} gives way to {names[1]}")
    wallet_reopened(tx, "swap", f"{key}:open", new, balance_mills, f"meter {names[1]} in the place of {names[0]}")
    enter_wallet(tx, left, new)
    open_generation(tx, begins)
    meter_state.save(tx, meter_state.opened(begins))
    tx.cursor.execute(
        "UPDATE meter SET state = ?, first_index_l = ?, first_slot = ? WHERE meter_id = ?",
        (ACTIVE, begins.first_index_l, begins.first_slot, begins.meter_id),
    )


def _first_day_of_plan(tx: Tx, final: FinalCut, old_meter_id: bytes, at_slot: int) -> int:
    """The old meter has decided the instalment of the last local day that it began: none again for that day (B7)."""
    offsets = packs_in_force(tx, old_meter_id)(at_slot)[1].tariff.offsets
    day = local_day(at_slot, offsets)
    return day + 1 if final.state.today.day >= day else day
