"""What providers send: a message is a payment exact to the minor unit, or it has a reason that a person is told; a
notification in signed bytes is never lost to an exception (P7, I3, I25).

The first byte chooses the currency's places."""

import json
from fractions import Fraction

import msgspec

from headend.api import strict_json
from headend.api.problems import Problem
from headend.api.shapes import unix_us_of
from headend.payments import notify
from headend.payments.amounts import AMOUNT_MINOR_MAX, Unusable, minor_units
from headend.payments.inquire import masked, typed
from headend.payments.shapes import Inquiry, Notification

EXPONENTS = (0, 2, 3)


def seeds() -> list[bytes]:
    paid = {"transaction_id": "TX-1", "account": "0000 01-95", "amount": 1_500, "currency": "XOF"}
    paid |= {"paid_at": "2026-11-22T07:30:00.125Z", "payer": "Aïcha"}
    asked = {"account": "00000195", "amount": "500.25", "currency": "KES"}
    messages = [paid, paid | {"amount": "12.345"}, paid | {"amount": -1, "more": [1]}, paid | {"paid_at": "x"}, asked]
    return [bytes([place]) + json.dumps(one).encode() for place in range(3) for one in messages]


def one(data: bytes) -> None:
    exponent, raw = EXPONENTS[sum(data[:1]) % 3], data[1:]
    known = notify._transaction_id_in(raw)
    assert known is None or (known.isascii() and known.isprintable() and 0 < len(known) <= 64)
    for shape in (Notification, Inquiry):
        try:
            body = strict_json.decode(raw, shape)
        except Problem as refused:
            _check_refusal(refused)
            continue
        if body.amount is not None:
            _check_amount(body.amount, exponent)
        assert len(typed(body.account)) <= 64 and masked(body.account) is not None
        if shape is Notification:
            assert known == body.transaction_id
            _check_instant(body.paid_at)


def _check_amount(amount: int | str, exponent: int) -> None:
    minor = minor_units(amount, exponent)
    if isinstance(minor, Unusable):
        return
    assert 1 <= minor <= AMOUNT_MINOR_MAX
    exact = Fraction(amount) * 10**exponent if isinstance(amount, str) else Fraction(amount)
    assert exact == minor


def _check_instant(text: str) -> None:
    try:
        assert 0 < unix_us_of(text, "/paid_at") < 2**53
    except Problem as refused:
        _check_refusal(refused)


def _check_refusal(refused: Problem) -> None:
    """It can be told in both languages."""
    for language in ("en", "fr"):
        document = refused.document(language, "0" * 16)
        assert msgspec.json.decode(msgspec.json.encode(document))["status"] == refused.status
