"""Payments as the books hold them, and each with its trace: from the provider's raw words to the meter's echo."""

from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.problems import Problem
from headend.api.shapes import (
    INTEGER_MAX,
    Money,
    PageQuery,
    Request,
    Response,
    cursor_of,
    instant,
    keys_of,
)
from headend.ledger.payments import MILLS_PER_MINOR_UNIT

RowNumber = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]


class PaymentPath(Request):
    payment: RowNumber


class Payment(Response):
    """One provider transaction. `outcome` is where its money stands now: credited, suspense or reversed."""

    payment: int
    provider: str
    transaction_id: str
    account: str
    money: Money
    paid_at: str
    outcome: str
    meter_id: str | None
    statement_number: int | None


class TraceStep(Response):
    """When, what, and the words or number that show it."""

    at: str
    step: str
    detail: str


class PaymentDetail(Payment):
    """The payment with everything that happened to it, in order."""

    trace: list[TraceStep]


class PaymentPage(Response):
    items: list[Payment]
    next: str | None


SELECT_PAYMENT = """
SELECT p.*, coalesce(p.meter_id, x.meter_id) AS holder_meter_id, coalesce(s.number, xs.number) AS statement_number,
       CASE WHEN r.id IS NOT NULL THEN 'reversed' WHEN x.id IS NOT NULL THEN 'credited' ELSE p.outcome END AS stands,
       e.batch_id AS entry_batch, x.batch_id AS resolved_batch, r.batch_id AS reversed_batch
FROM payment p
JOIN entry e ON e.id = p.entry_id
LEFT JOIN statement s ON s.entry_id = p.entry_id
LEFT JOIN entry x ON x.key = 'suspense-resolved:' || p.id
LEFT JOIN statement xs ON xs.entry_id = x.id
LEFT JOIN entry r ON r.reverses = p.entry_id
"""


def list_payments(connection: Connection, query: PageQuery) -> PaymentPage:
    """All payments in the order in which they were booked."""
    (after,) = keys_of(query.cursor, int) or (0,)
    select = text(SELECT_PAYMENT + "WHERE p.id > :after ORDER BY p.id LIMIT :limit")
    rows = connection.execute(select, {"after": after, "limit": query.limit + 1}).all()
    items = [Payment(**payment_fields(row)) for row in rows[: query.limit]]
    return PaymentPage(items, cursor_of(items[-1].payment) if len(rows) > query.limit else None)


def get_payment(connection: Connection, path: PaymentPath) -> PaymentDetail:
    """One payment with its trace: received raw, booked, statement granted, applied by the meter."""
    row = connection.execute(text(SELECT_PAYMENT + "WHERE p.id = :id"), {"id": path.payment}).one_or_none()
    if row is None:
        raise Problem("payment_unknown", detail=path.payment)
    return PaymentDetail(**payment_fields(row), trace=_trace(connection, row))


def payment_fields(row: Any) -> dict[str, Any]:
    """A row of SELECT_PAYMENT as the fields of a Payment."""
    return {
        "payment": row.id,
        "provider": row.provider,
        "transaction_id": row.provider_txn_id,
        "account": row.reference,
        "money": Money(row.amount_mills // MILLS_PER_MINOR_UNIT, row.currency),
        "paid_at": instant(row.paid_at_us // 1_000_000),
        "outcome": row.stands,
        "meter_id": None if row.holder_meter_id is None else bytes(row.holder_meter_id).hex(),
        "statement_number": row.statement_number,
    }


def _trace(connection: Connection, row: Any) -> list[TraceStep]:
    """Every message of the provider about it, then what the books and the meter did."""
    messages = text(
        "SELECT e.received_us, e.message_id, a.outcome FROM till_event e "
        "JOIN till_answer a ON a.till_event_id = e.id WHERE a.payment_id = :id ORDER BY e.id"
    )
    steps = [
        TraceStep(instant(found.received_us // 1_000_000), "notified", f"{found.message_id}: {found.outcome}")
        for found in connection.execute(messages, {"id": row.id})
    ]
    booked = {"booked": row.entry_batch, "matched": row.resolved_batch, "reversed": row.reversed_batch}
    for step, batch in booked.items():
        if batch is not None:
            steps.append(TraceStep(_committed(connection, batch), step, f"commit {batch}"))
    if row.statement_number is not None:
        steps += _statement_steps(connection, row)
    return steps


def _statement_steps(connection: Connection, row: Any) -> list[TraceStep]:
    committed = _committed(connection, row.resolved_batch or row.entry_batch)
    granted = TraceStep(committed, "granted", f"statement {row.statement_number}")
    query = text("SELECT statement_echo, heard_us FROM meter_link WHERE meter_id = :meter_id")
    link = connection.execute(query, {"meter_id": row.holder_meter_id}).one_or_none()
    if link is None or link.heard_us is None or link.statement_echo < row.statement_number:
        return [granted]
    return [granted, TraceStep(instant(link.heard_us // 1_000_000), "applied", f"meter echoes {link.statement_echo}")]


def _committed(connection: Connection, batch: int) -> str:
    committed_us: int = connection.execute(
        text("SELECT committed_us FROM batch WHERE id = :id"), {"id": batch}
    ).scalar_one()
    return instant(committed_us // 1_000_000)


ENDPOINTS = (
    Endpoint("GET", "/v1/payments", list_payments, "List the payments", "Money", refusals=("invalid_cursor",)),
    Endpoint(
        "GET",
        "/v1/payments/{payment}",
        get_payment,
        "One payment with its trace",
        "Money",
        refusals=("payment_unknown",),
    ),
)
