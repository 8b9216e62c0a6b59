"""Suspense: money that matches nobody yet. It stays visible until a person says whose it is."""

from sqlalchemy import Connection, text

from headend.api.aftermath import Aftermath
from headend.api.endpoint import OPERATE, Endpoint
from headend.api.payments import SELECT_PAYMENT, Payment, PaymentPage, PaymentPath, payment_fields
from headend.api.shapes import CustomerNumber, PageQuery, Request, cursor_of, keys_of
from headend.downlink.desired import push_statement
from headend.ledger.payments import resolve_suspense
from headend.meters.keyring import Keyring
from headend.storage.writer import Tx


class Decision(Request):
    """Whose money it is."""

    customer_number: CustomerNumber


def list_suspense(connection: Connection, query: PageQuery) -> PaymentPage:
    """Payments that wait for a decision, oldest first."""
    (after,) = keys_of(query.cursor, int) or (0,)
    where = "WHERE p.outcome = 'suspense' AND x.id IS NULL AND p.id > :after ORDER BY p.id LIMIT :limit"
    rows = connection.execute(text(SELECT_PAYMENT + where), {"after": after, "limit": query.limit + 1}).all()
    items = [Payment(**payment_fields(row)) for row in rows[: query.limit]]
    return PaymentPage(items, cursor_of(items[-1].payment) if len(rows) > query.limit else None)


def resolve(
    tx: Tx, keyring: Keyring, aftermath: Aftermath, path: PaymentPath, body: Decision, idempotency_key: str
) -> Payment:
    """Credit waiting money to a customer. The meter is told at once."""
    outcome = resolve_suspense(tx, path.payment, body.customer_number, idempotency_key)
    if outcome.meter_id is not None:
        aftermath.reply(push_statement(tx, keyring, outcome.meter_id))
    row = tx.connection.execute(text(SELECT_PAYMENT + "WHERE p.id = :id"), {"id": path.payment}).one()
    return Payment(**payment_fields(row))


ENDPOINTS = (
    Endpoint("GET", "/v1/suspense", list_suspense, "Money that waits", "Money", refusals=("invalid_cursor",)),
    Endpoint(
        "POST",
        "/v1/suspense/{payment}/resolve",
        resolve,
        "Say whose it is",
        "Money",
        OPERATE,
        writes=True,
        refusals=("payment_unknown", "payment_not_in_suspense", "customer_number"),
    ),
)
