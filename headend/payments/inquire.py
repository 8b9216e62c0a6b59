"""Before the money moves: is this account known, open and payable so? May refuse, with a numbered reason."""

from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import Connection, text

from headend.api.shapes import Money
from headend.meters.customer_number import is_valid
from headend.payments.amounts import Unusable, minor_units
from headend.payments.providers import Limits, limits_of
from headend.payments.shapes import Inquiry, InquiryAnswer, ProviderPath, Reason


class Refusal(IntEnum):
    """Why an account cannot be paid. Numbers are for ever."""

    UNKNOWN_ACCOUNT = 1
    CHECK_DIGITS = 2
    CLOSED = 3
    BELOW_MINIMUM = 4
    ABOVE_CEILING = 5
    CURRENCY = 6
    AMOUNT = 7


# (French, English), for the payer's screen.
SENTENCES = {
    Refusal.UNKNOWN_ACCOUNT: ("Ce numéro de client n’existe pas.", "This customer number does not exist."),
    Refusal.CHECK_DIGITS: (
        "Ce numéro comporte une faute de frappe ; vérifiez les 8 chiffres.",
        "There is a slip in this number; check its 8 digits.",
    ),
    Refusal.CLOSED: ("Ce compte est fermé.", "This account is closed."),
    Refusal.BELOW_MINIMUM: ("Le montant est inférieur au minimum.", "The amount is below the minimum."),
    Refusal.ABOVE_CEILING: ("Le montant dépasse le plafond.", "The amount is above the ceiling."),
    Refusal.CURRENCY: ("Ce compte ne se paie pas dans cette devise.", "This account is not paid in this currency."),
    Refusal.AMOUNT: ("Ce montant n’existe pas dans cette devise.", "This amount does not exist in this currency."),
}


class _Holder(NamedTuple):
    """Who stands behind a customer number."""

    name: str
    is_open: bool


def inquire(connection: Connection, path: ProviderPath, body: Inquiry) -> InquiryAnswer:
    """Say whether this account may be paid, and whose it is, its name masked; or refuse with a numbered reason."""
    limits = limits_of(connection, path.provider)
    holder = _holder(connection, body.account)
    refusal = _refusal(body, holder, limits)
    return InquiryAnswer(
        accepted=refusal is None,
        reason=None if refusal is None else Reason(int(refusal), refusal.name.lower(), *SENTENCES[refusal]),
        holder=masked(holder.name) if refusal is None and holder is not None else None,
        minimum=Money(limits.minimum_minor, limits.currency),
        ceiling=Money(limits.ceiling_minor, limits.currency),
    )


def masked(name: str) -> str:
    """Enough to recognise, not enough to learn: "Aïcha Abdou" → "A… A…"."""
    return " ".join(word[0] + "…" for word in name.split())


def _refusal(body: Inquiry, holder: _Holder | None, limits: Limits) -> Refusal | None:
    if not is_valid(typed(body.account)):
        return Refusal.CHECK_DIGITS if _is_long_enough(body.account) else Refusal.UNKNOWN_ACCOUNT
    if holder is None:
        return Refusal.UNKNOWN_ACCOUNT
    if not holder.is_open:
        return Refusal.CLOSED
    if body.currency is not None and body.currency != limits.currency:
        return Refusal.CURRENCY
    return None if body.amount is None else _amount_refusal(body.amount, limits)


def _amount_refusal(amount: int | str, limits: Limits) -> Refusal | None:
    minor = minor_units(amount, limits.exponent)
    if minor is Unusable.TOO_LARGE:
        return Refusal.ABOVE_CEILING
    if isinstance(minor, Unusable):
        return Refusal.AMOUNT
    if minor < limits.minimum_minor:
        return Refusal.BELOW_MINIMUM
    return Refusal.ABOVE_CEILING if minor > limits.ceiling_minor else None


def typed(account: str) -> str:
    """The digits of a number as people write it: "0000 01-95" → "00000195"."""
    return account.replace(" ", "").replace(".", "").replace("-", "")


def _is_long_enough(account: str) -> bool:
    digits = typed(account)
    return len(digits) == 8 and digits.isascii() and digits.isdigit()


def _holder(connection: Connection, account: str) -> _Holder | None:
    query = text(
        "SELECT cu.name AS name, m.state <> 'retired' AND c.start_slot = "
        "(SELECT max(start_slot) FROM contract l WHERE l.meter_id = c.meter_id) AS is_open "
        "FROM contract c JOIN customer cu ON cu.id = c.customer_id JOIN meter m ON m.meter_id = c.meter_id "
        "WHERE c.customer_number = :number"
    )
    row = connection.execute(query, {"number": typed(account)}).one_or_none()
    return None if row is None else _Holder(row.name, bool(row.is_open))
