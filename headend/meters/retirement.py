"""A meter is taken away for good (domain rule M17): its id never lives again, its keys are destroyed.

Where nobody draws water any more, the wallet is settled with what the holder owes: what is left is owed to the holder.
A meter that another one takes the place of ends with a swap (swap.py); a spare that is never used simply ends.
"""

from headend.ledger.balances import wallet_balance_mills
from headend.ledger.cases import OF_THE_METER
from headend.ledger.posting_rules import wallet_settled
from headend.meters.closing import close_books
from headend.meters.lookup import RETIRED, SPARE, holding_in_use, state_of_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.limits import VOLUME_MAX


def retire_meter(tx: Tx, meter_id: bytes, final_index_l: int | None = None) -> None:
    """Close the wallet of a meter and end it. `final_index_l` was read on its register, by default what it reported.

    Debt stays owed, less what was in the wallet; payments to its customer number wait in suspense from now on. Raises
    Refused; then nothing was changed.
    """
    at_slot = slot_of(tx.now_us // 1_000_000)
    if state_of_meter(tx, meter_id) == SPARE:
        end_meter(tx, meter_id, None, None, at_slot, None)
        return
    holding = holding_in_use(tx, meter_id)
    check_index(final_index_l, "final_index_l")
    close_books(tx, holding, final_index_l, "final_index_l", at_slot)
    key = f"retirement:{meter_id.hex()}"
    wallet_settled(tx, key, holding, wallet_balance_mills(tx, holding), "the meter was taken away")
    end_meter(tx, meter_id, holding.contract_id, None, at_slot, final_index_l)


def end_meter(
    tx: Tx, meter_id: bytes, contract_id: int | None, next_meter_id: bytes | None, at_slot: int, index_l: int | None
) -> None:
    """Write down how a meter ended, destroy its keys, give its radio free, and want nothing of it any more."""
    cursor = tx.cursor
    row = (meter_id, contract_id, next_meter_id, at_slot, index_l, tx.now_us)
    cursor.execute(
        "INSERT INTO retirement (meter_id, contract_id, next_meter_id, at_slot, final_index_l, retired_us) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    cursor.execute(f"UPDATE meter SET state = '{RETIRED}' WHERE meter_id = ?", (meter_id,))
    for table in ("meter_key", "radio", "slot_request"):
        cursor.execute(f"DELETE FROM {table} WHERE meter_id = ?", (meter_id,))
    cursor.execute(
        "UPDATE meter_command SET state = 'expired', settled_us = ? WHERE meter_id = ? AND state = 'wanted'",
        (tx.now_us, meter_id),
    )
    cursor.execute(
        "UPDATE meter_link SET bearer = NULL, address = NULL, next_epoch = NULL WHERE meter_id = ?", (meter_id,)
    )
    cursor.execute(
        "UPDATE meter_update SET state = 'cancelled', ended_us = ? WHERE meter_id = ? AND state = 'wanted'",
        (tx.now_us, meter_id),
    )
    kinds = ", ".join(f"'{kind}'" for kind in OF_THE_METER)
    cursor.execute(
        "UPDATE case_file SET closed_us = ?, outcome = 'retired' "
        f"WHERE meter_id = ? AND kind IN ({kinds}) AND closed_us IS NULL",
        (tx.now_us, meter_id),
    )


def check_index(index_l: int | None, field: str) -> None:
    """Raises Refused for litres that no register shows."""
    if index_l is not None and (isinstance(index_l, bool) or not 0 <= index_l <= VOLUME_MAX):
        raise Refused(Code.FIRST_INDEX, field, str(index_l))
