"""Payments: one row per provider transaction for ever, credited to the meter of the number or kept in suspense.

A confirmed payment is never refused for business reasons: the money is real. What it matches nothing waits in suspense.
"""

from dataclasses import dataclass
from enum import IntEnum

from headend.ledger import posting_rules, recovered, statements
from headend.ledger.balances import wallet_balance_mills
from headend.ledger.cases import CaseKind, open_case
from headend.ledger.posting_rules import Holding
from headend.meters.lookup import holding_of_meter, holding_of_number, present_holding
from headend.refusals import Code, Refused
from headend.storage.tables import COUNTER_MAX
from headend.storage.writer import Tx

MILLS_PER_MINOR_UNIT = 1000
TEXT_MAX = 200


class Outcome(IntEnum):
    """What became of a payment."""

    CREDITED = 1
    DUPLICATE = 2  # the same transaction again: nothing was posted
    SUSPENSE = 3
    CONFLICT = 4  # the same transaction number with other money or another reference: nothing was posted, a case opened


@dataclass(frozen=True, slots=True)
class Payment:
    """A confirmed payment; `amount_minor` in minor units, `paid_at_us` the provider's time (its value date)."""

    provider: str
    provider_txn_id: str
    reference: str
    amount_minor: int
    currency: str
    paid_at_us: int
    till_event_id: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """Where the money stands; meter_id and statement_number are None while it is in suspense."""

    outcome: Outcome
    payment_id: int
    entry_id: int
    meter_id: bytes | None
    statement_number: int | None


def credit_payment(tx: Tx, payment: Payment) -> PaymentOutcome:
    """Record a payment once and credit it. Raises Refused for a payment that cannot be one (amount, currency, ids)."""
    _check(tx, payment)
    known = _find(tx, payment)
    if known is not None:
        return known
    amount_mills = payment.amount_minor * MILLS_PER_MINOR_UNIT
    holding = _holding_with_room(tx, payment.reference, amount_mills)
    key = f"payment:{payment.provider}:{payment.provider_txn_id}"
    memo = f"{payment.provider} {payment.provider_txn_id}"
    if holding is None:
        posted = posting_rules.payment_suspended(tx, key, amount_mills, payment.paid_at_us, memo)
        outcome = Outcome.SUSPENSE
    else:
        posted = posting_rules.payment_credited(tx, key, holding, amount_mills, payment.paid_at_us, memo)
        outcome = Outcome.CREDITED
    payment_id = _append(tx, payment, outcome, holding, posted.entry_id)
    return _outcome(tx, outcome, payment_id, posted.entry_id, None if holding is None else holding.meter_id)


def resolve_suspense(tx: Tx, payment_id: int, customer_number: str, key: str) -> PaymentOutcome:
    """Credit a payment in suspense to a customer. Raises Refused; a repeated key changes nothing."""
    amount_mills, outcome, _, _, paid_at_us = _row(tx, payment_id)
    if outcome != "suspense":
        raise Refused(Code.PAYMENT_NOT_IN_SUSPENSE, "payment_id", str(payment_id))
    holding = holding_of_number(tx, customer_number)
    if holding is None:
        raise Refused(Code.CUSTOMER_NUMBER, "customer_number", customer_number)
    full_key = f"suspense-resolved:{payment_id}"
    row = tx.cursor.execute("SELECT id, memo FROM entry WHERE key = ?", (full_key,)).fetchone()
    if row is not None and row[1] != key:
        raise Refused(Code.PAYMENT_NOT_IN_SUSPENSE, "payment_id", str(payment_id))
    posted = posting_rules.suspense_resolved(tx, full_key, holding, amount_mills, paid_at_us, memo=key)
    done = Outcome.CREDITED if posted.new else Outcome.DUPLICATE
    return _outcome(tx, done, payment_id, posted.entry_id, holding.meter_id)


def reverse_payment(tx: Tx, payment_id: int, key: str, memo: str) -> PaymentOutcome:
    """Take back a credited payment, as far as it is unspent; the rest is owed and a case says so. Raises Refused."""
    amount_mills, outcome, meter_id, entry_id, paid_at_us = _row(tx, payment_id)
    full_key = f"reversal:{payment_id}:{key}"
    done = tx.cursor.execute("SELECT id, key FROM entry WHERE reverses = ?", (entry_id,)).fetchone()
    if done is not None and done[1] == full_key:
        return _outcome(tx, Outcome.DUPLICATE, payment_id, int(done[0]), meter_id)
    if outcome != "credited" or meter_id is None or done is not None:
        raise Refused(Code.PAYMENT_NOT_REVERSIBLE, "payment_id", str(payment_id))
    paid = holding_of_meter(tx, meter_id)
    holding = present_holding(tx, paid.contract_id) or paid
    # What a restore found of D may be this very reversal: then it took what it took (SEMANTICS A5).
    known_mills = recovered.explainable_mills(tx, holding.meter_id, holding.generation, "reversed_mills", paid_at_us)
    unspent_mills = known_mills or max(0, wallet_balance_mills(tx, holding))
    posted = posting_rules.payment_reversed(
        tx, full_key, meter_id, holding, entry_id, amount_mills, unspent_mills, paid_at_us, memo
    )
    if unspent_mills < amount_mills:
        owed_mills = amount_mills - unspent_mills
        open_case(tx, CaseKind.CLAIM, full_key, meter_id, payment_id=payment_id, owed_mills=owed_mills)
    return _outcome(tx, Outcome.CREDITED, payment_id, posted.entry_id, holding.meter_id)


def _holding_with_room(tx: Tx, reference: str, amount_mills: int) -> Holding | None:
    """The wallet a payment goes to; None, so that it waits in suspense, if there is none or its C would pass 2^53."""
    holding = holding_of_number(tx, reference)
    if holding is None:
        return None
    granted = statements.current(tx, holding.meter_id, holding.generation)
    return holding if granted.credited_mills + amount_mills <= COUNTER_MAX else None


def _check(tx: Tx, payment: Payment) -> None:
    for field in ("provider", "provider_txn_id"):
        if not is_text(getattr(payment, field)):
            raise Refused(Code.PROVIDER, field)
    amount = payment.amount_minor
    if isinstance(amount, bool) or not 0 < amount <= COUNTER_MAX // MILLS_PER_MINOR_UNIT:
        raise Refused(Code.AMOUNT, "amount_minor", str(amount))
    row = tx.cursor.execute("SELECT currency FROM utility").fetchone()
    if row is None or row[0] != payment.currency:
        raise Refused(Code.CURRENCY, "currency", payment.currency)


def is_text(value: str) -> bool:
    """1 to 200 printable characters."""
    return 0 < len(value) <= TEXT_MAX and value.isprintable()


def _find(tx: Tx, payment: Payment) -> PaymentOutcome | None:
    """The outcome of a transaction that is already here; a changed repetition is a conflict, not a payment."""
    row = tx.cursor.execute(
        "SELECT id, entry_id, meter_id, amount_mills, reference FROM payment "
        "WHERE provider = ? AND provider_txn_id = ?",
        (payment.provider, payment.provider_txn_id),
    ).fetchone()
    if row is None:
        return None
    payment_id, entry_id, meter_id, amount_mills, reference = row
    same = amount_mills == payment.amount_minor * MILLS_PER_MINOR_UNIT and reference == payment.reference
    if not same:
        detail = {"amount_minor": payment.amount_minor, "reference": payment.reference}
        open_case(tx, CaseKind.PAYMENT_CONFLICT, str(payment_id), meter_id, **detail)
    return _outcome(tx, Outcome.DUPLICATE if same else Outcome.CONFLICT, payment_id, entry_id, meter_id)


def _append(tx: Tx, payment: Payment, outcome: Outcome, holding: Holding | None, entry_id: int) -> int:
    row = {
        "provider": payment.provider,
        "provider_txn_id": payment.provider_txn_id,
        "reference": payment.reference,
        "amount_mills": payment.amount_minor * MILLS_PER_MINOR_UNIT,
        "currency": payment.currency,
        "paid_at_us": payment.paid_at_us,
        "outcome": outcome.name.lower(),
        "meter_id": None if holding is None else holding.meter_id,
        "entry_id": entry_id,
        "till_event_id": payment.till_event_id,
    }
    return tx.append("payment", row)


def _row(tx: Tx, payment_id: int) -> tuple[int, str, bytes | None, int, int]:
    """(amount, outcome, meter, entry, when it was paid) of a payment. Raises Refused for an unknown one."""
    row = tx.cursor.execute(
        "SELECT amount_mills, outcome, meter_id, entry_id, paid_at_us FROM payment WHERE id = ?", (payment_id,)
    ).fetchone()
    if row is None:
        raise Refused(Code.PAYMENT_UNKNOWN, "payment_id", str(payment_id))
    return int(row[0]), row[1], row[2], int(row[3]), int(row[4])


def _outcome(tx: Tx, outcome: Outcome, payment_id: int, entry_id: int, meter_id: bytes | None) -> PaymentOutcome:
    row = tx.cursor.execute("SELECT number FROM statement WHERE entry_id = ?", (entry_id,)).fetchone()
    return PaymentOutcome(outcome, payment_id, entry_id, meter_id, None if row is None else int(row[0]))
