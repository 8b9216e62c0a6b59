"""Balances, as the books have them now: sums over postings, never a stored number."""

from headend.ledger import chart
from headend.ledger.posting_rules import Holding
from headend.storage.writer import Tx


def wallet_balance_mills(tx: Tx, holding: Holding) -> int:
    """C − D − S − R of a meter by its last statement and the last report of its counters that was posted."""
    row = tx.cursor.execute(
        "SELECT s.credited_mills - s.debited_mills - coalesce(m.spent_mills + m.collected_mills, 0) FROM statement s "
        "LEFT JOIN meter_state m ON m.meter_id = s.meter_id AND m.generation = s.generation "
        "WHERE s.meter_id = ? AND s.generation = ? ORDER BY s.number DESC LIMIT 1",
        (holding.meter_id, holding.generation),
    ).fetchone()
    if row is None:
        raise LookupError(f"meter {holding.meter_id.hex()} was never opened")
    return int(row[0])


def receivable_balance_mills(tx: Tx, contract_id: int) -> int:
    """What a holder owes by now; negative: what is owed to the holder."""
    account = chart.account_id(tx, chart.receivable_code(contract_id))
    (owed_mills,) = tx.cursor.execute(
        "SELECT coalesce((SELECT sum(amount_mills) FROM posting WHERE debit_account = ?1), 0) "
        "- coalesce((SELECT sum(amount_mills) FROM posting WHERE credit_account = ?1), 0)",
        (account,),
    ).fetchone()
    return int(owed_mills)
