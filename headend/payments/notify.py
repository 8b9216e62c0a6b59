"""After the money moved: a validly signed notification is kept, then answered; never refused, the money is real.

Two commits. The first keeps the raw bytes (`keep`). The second makes of them what can be made (`answer`): a credit, a
duplicate, or suspense. Whatever is in them, the provider gets an answer; a crash in between is made good at the next
start (`unanswered`), without waiting for a repetition.
"""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, text

from headend.api import strict_json
from headend.api.problems import Problem
from headend.api.shapes import unix_us_of
from headend.ledger import payments
from headend.ledger.cases import CaseKind, open_case
from headend.ledger.payments import Outcome, Payment, PaymentOutcome
from headend.ledger.till import store_event
from headend.payments.amounts import Unusable, minor_units
from headend.payments.shapes import Notification, NotificationAnswer
from headend.storage.writer import Tx

UNREADABLE = "unreadable"
CURRENCY = "currency"
UNMATCHED = "unmatched_account"
CONFLICT = "differs_from_the_first"

_ANSWERS = {
    Outcome.CREDITED: ("credited", None),
    Outcome.DUPLICATE: ("duplicate", None),
    Outcome.SUSPENSE: ("suspense", UNMATCHED),
    Outcome.CONFLICT: ("duplicate", CONFLICT),
}


@dataclass(frozen=True)
class Kept:
    """A stored message."""

    event_id: int
    provider: str
    message_id: str
    raw: bytes


@dataclass(frozen=True)
class Answered:
    """What to tell the provider, and whose meter to tell as well."""

    answer: NotificationAnswer
    meter_id: bytes | None


@dataclass(frozen=True)
class _Unbookable:
    """A message whose money cannot be entered: it waits as a case for a person."""

    transaction_id: str | None
    reason: str


def keep(tx: Tx, provider: str, message_id: str, raw: bytes) -> Kept:
    """Store the raw bytes. The same id with other bytes is another message, and is kept beside the first."""
    event_id, new = store_event(tx, provider, message_id, raw)
    if not new and _raw(tx, event_id) != raw:
        message_id = f"{message_id}#{hashlib.sha256(raw).hexdigest()[:16]}"
        event_id, _ = store_event(tx, provider, message_id, raw)
    return Kept(event_id, provider, message_id, raw)


def answer(tx: Tx, kept: Kept) -> Answered:
    """Book what was kept, once per (provider, transaction id), and note the answer beside it."""
    payment = _payment(tx, kept)
    if isinstance(payment, _Unbookable):
        return _note(tx, kept, _wait_as_case(tx, kept, payment), None)
    outcome = payments.credit_payment(tx, payment)
    return _note(tx, kept, _told(payment, outcome), outcome)


def unanswered(connection: Connection) -> list[Kept]:
    """Messages kept by a headend that stopped before it answered them, oldest first."""
    query = text(
        "SELECT e.id, e.provider, e.message_id, e.raw FROM till_event e "
        "LEFT JOIN till_answer a ON a.till_event_id = e.id WHERE a.till_event_id IS NULL ORDER BY e.id"
    )
    return [Kept(row.id, row.provider, row.message_id, bytes(row.raw)) for row in connection.execute(query)]


def _payment(tx: Tx, kept: Kept) -> Payment | _Unbookable:
    """The message as a payment in the currency of the books, exact to the minor unit; or why it is none."""
    try:
        body = strict_json.decode(kept.raw, Notification)
        paid_at_us = unix_us_of(body.paid_at, "/paid_at")
    except Problem:
        return _Unbookable(_transaction_id_in(kept.raw), UNREADABLE)
    currency, exponent = tx.cursor.execute("SELECT currency, exponent FROM utility").fetchone()
    if body.currency != currency:
        return _Unbookable(body.transaction_id, CURRENCY)
    amount_minor = minor_units(body.amount, exponent)
    if isinstance(amount_minor, Unusable):
        return _Unbookable(body.transaction_id, amount_minor.value)
    return Payment(
        provider=kept.provider,
        provider_txn_id=body.transaction_id,
        reference=body.account,
        amount_minor=amount_minor,
        currency=body.currency,
        paid_at_us=paid_at_us,
        till_event_id=kept.event_id,
    )


def _told(payment: Payment, outcome: PaymentOutcome) -> NotificationAnswer:
    word, reason = _ANSWERS[outcome.outcome]
    return NotificationAnswer(word, payment.provider_txn_id, reason, outcome.payment_id, outcome.statement_number)


def _wait_as_case(tx: Tx, kept: Kept, found: _Unbookable) -> NotificationAnswer:
    """One case per transaction; the same transaction unbookable again is a duplicate of it."""
    key = f"{kept.provider}:{found.transaction_id or kept.message_id}"
    detail = {"provider": kept.provider, "transaction_id": found.transaction_id, "reason": found.reason}
    is_new = open_case(tx, CaseKind.PAYMENT_UNBOOKABLE, key, None, **detail, till_event=kept.event_id)
    return NotificationAnswer("suspense" if is_new else "duplicate", found.transaction_id, found.reason, None, None)


def _note(tx: Tx, kept: Kept, told: NotificationAnswer, outcome: PaymentOutcome | None) -> Answered:
    # The first answer to a message stays noted; its repetitions are told apart by their own outcome.
    tx.cursor.execute(
        "INSERT INTO till_answer (till_event_id, transaction_id, outcome, reason, payment_id, answered_us) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (till_event_id) DO NOTHING",
        (kept.event_id, told.transaction_id, told.outcome, told.reason, told.payment, tx.now_us),
    )
    credited = outcome is not None and outcome.outcome is Outcome.CREDITED
    return Answered(told, outcome.meter_id if outcome is not None and credited else None)


def _raw(tx: Tx, event_id: int) -> bytes:
    return bytes(tx.cursor.execute("SELECT raw FROM till_event WHERE id = ?", (event_id,)).fetchone()[0])


def _transaction_id_in(raw: bytes) -> str | None:
    """The transaction id of a message that is wrong elsewhere, so that its repetitions are known as such."""
    try:
        found = json.loads(raw)["transaction_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    is_usable = isinstance(found, str) and 0 < len(found) <= 64 and found.isascii() and found.isprintable()
    return found if is_usable else None
