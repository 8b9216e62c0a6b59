"""A wallet that closes while something of it is still to be explained since a restore (SEMANTICS A4, A5).

What was recovered leaves the old wallet before its balance does, and comes into the next one as recovered: so a payment
that is notified again after a swap finds its part there, and raises C once.
"""

from dataclasses import replace

from headend.ledger import recovered
from headend.ledger.posting_rules import Holding, credit_recovered, debit_recovered
from headend.ledger.recovered import SHARES, Recovery
from headend.storage.writer import Tx


def leave_wallet(tx: Tx, old: Holding) -> Recovery | None:
    """Take what is still recovered out of a wallet that is about to close; None if nothing is."""
    found = recovered.load(tx, old.meter_id)
    if found is None or found.generation != old.generation or not any(found.to_explain_mills):
        return None
    credit_mills, debit_mills = found.to_explain_mills
    key, memo = f"recovered:{old.meter_id.hex()}:{old.generation}:closed", "still to be explained in the next wallet"
    if credit_mills:
        debit_recovered(tx, f"{key}:C", old, credit_mills, memo)
    if debit_mills:
        credit_recovered(tx, f"{key}:D", old, debit_mills, memo)
    return found


def enter_wallet(tx: Tx, left: Recovery | None, new: Holding) -> None:
    """Bring it into the next wallet, of the same meter or of another one."""
    if left is None:
        return
    credit_mills, debit_mills = left.to_explain_mills
    key, memo = f"recovered:{new.meter_id.hex()}:{new.generation}:opened", "still to be explained since the last wallet"
    if credit_mills:
        credit_recovered(tx, f"{key}:C", new, credit_mills, memo)
    if debit_mills:
        debit_recovered(tx, f"{key}:D", new, debit_mills, memo)
    known = recovered.load(tx, new.meter_id)
    if known is None:
        known = Recovery(new.meter_id, 0, left.restored_us, left.until_us, 0, 0, heard_us=tx.now_us, told_us=tx.now_us)
    known = replace(known, generation=new.generation, until_us=left.until_us)
    recovered.save(tx, replace(known, **{name: getattr(left, name) for name in SHARES}))
    if left.meter_id != new.meter_id:
        nothing = Recovery(left.meter_id, 0, 0, 0, 0, 0)
        recovered.save(tx, replace(left, **{name: getattr(nothing, name) for name in SHARES}))
