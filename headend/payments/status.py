"""Later: where does the money of this transaction stand?"""

from sqlalchemy import Connection, text

from headend.api.problems import Problem
from headend.api.shapes import Money, instant
from headend.ledger.payments import MILLS_PER_MINOR_UNIT
from headend.payments.shapes import StatusAnswer, TransactionPath


def status(connection: Connection, path: TransactionPath) -> StatusAnswer:
    """The transaction as booked; money in suspense that was matched since shows as credited."""
    query = text(
        "SELECT a.outcome, a.payment_id, e.received_us, p.amount_mills, p.currency, p.entry_id, p.outcome AS booked, "
        "coalesce(s.number, r.number) AS statement_number FROM till_answer a "
        "JOIN till_event e ON e.id = a.till_event_id LEFT JOIN payment p ON p.id = a.payment_id "
        "LEFT JOIN statement s ON s.entry_id = p.entry_id "
        "LEFT JOIN entry x ON x.key = 'suspense-resolved:' || p.id LEFT JOIN statement r ON r.entry_id = x.id "
        "WHERE e.provider = :provider AND a.transaction_id = :transaction ORDER BY a.payment_id IS NULL, e.id LIMIT 1"
    )
    fields = {"provider": path.provider, "transaction": path.transaction_id}
    row = connection.execute(query, fields).one_or_none()
    if row is None:
        raise Problem("unknown_transaction", transaction=path.transaction_id, provider=path.provider)
    is_credited = row.statement_number is not None
    money = None if row.payment_id is None else Money(row.amount_mills // MILLS_PER_MINOR_UNIT, row.currency)
    return StatusAnswer(
        outcome="credited" if is_credited else "suspense",
        transaction_id=path.transaction_id,
        payment=row.payment_id,
        money=money,
        statement_number=row.statement_number,
        received_at=instant(row.received_us // 1_000_000),
    )
