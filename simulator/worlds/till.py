"""The payers' operator: takes money, notifies the headend until it answers, and remembers what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..clock import unix_s


@dataclass
class Payment:
    """Money that was taken. `answers` are the headend's, one for each notification that it answered."""

    transaction: str
    home: int
    account: str
    amount_minor: int
    paid_us: int
    answers: list[str] = field(default_factory=list)
    reversed: bool = False
    currency: str = "XOF"
    meant_for: str = ""  # the customer number, where `account` is another
    resolved: bool = False
    answered_us: int = -1

    @property
    def paid_at(self) -> str:
        """When, as the operator writes it (RFC 3339)."""
        return datetime.fromtimestamp(unix_s(self.paid_us), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Till:
    """Every payment of a world, in order."""

    def __init__(self) -> None:
        self.payments: list[Payment] = []
        self._messages = 0

    def take(self, home: int, account: str, amount_minor: int, now_us: int) -> Payment:
        """A customer has paid."""
        payment = Payment(f"TX{len(self.payments) + 1:06d}", home, account, amount_minor, now_us)
        self.payments.append(payment)
        return payment

    def next_message(self) -> str:
        """The id of a notification; a repetition of a payment is a message of its own."""
        self._messages += 1
        return f"M{self._messages:07d}"

    def of(self, home: int) -> list[Payment]:
        """What one home paid."""
        return [payment for payment in self.payments if payment.home == home]
