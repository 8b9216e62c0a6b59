"""Paying from a phone: inquire, notify, perhaps more than one callback, then walk to the meter and press the button.

The operator behaves as operators do: a notification that gets no answer is repeated under the same transaction
number until it is answered, and one that was answered may arrive again all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from .clock import MINUTE_US, SECOND_US
from .home import Home
from .prng import Stream
from .world import World

_RETRY_US = 5 * MINUTE_US
_PRESS_AGAIN_US = 40 * SECOND_US
_PRESSES_MAX = 6


class HeadendAway(Exception):
    """The headend gave no answer: it is down."""


class Biller(Protocol):
    """The headend's biller interface, as the operator's system sees it."""

    def inquire(self, customer_number: str, amount: int) -> str:
        """Who would be paid; refused for a wrong number or amount."""

    def notify(self, transaction: str, customer_number: str, amount: int) -> str:
        """Money has been taken: `credited`, `duplicate` or `suspense`."""


@dataclass
class Payment:
    """One payment and what every callback of it was answered, in order."""

    home: Home
    transaction: str
    amount: int
    callbacks: int
    credited_us: int = -1
    answers: list[str] = field(default_factory=list)


class Phone:
    """Carries out payments in virtual time and remembers them for the checkers.

    `told(payment, answer)` is called after every callback, `pressed(home)` when a payer whose tap is dry presses the
    button for the first time. `waits_s` holds, in seconds, how long each payer whose tap
    was dry waited from the confirmation to running water.
    """

    def __init__(
        self,
        world: World,
        biller: Biller,
        stream: Stream,
        told: Callable[[Payment, str], None],
        pressed: Callable[[Home], None],
    ) -> None:
        self.payments: list[Payment] = []
        self.waits_s: list[int] = []
        self._world, self._biller, self._stream = world, biller, stream
        self._told, self._pressed = told, pressed
        self._waiting: dict[int, int] = {}
        self._numbers: dict[int, str] = {}

    def register(self, home: Home, customer_number: str) -> None:
        """The number that the home's owner types."""
        self._numbers[home.number] = customer_number

    def pay(self, home: Home, amount: int, callbacks: int = 1) -> Payment:
        """Begin a payment; the callbacks after the first are the operator repeating itself."""
        payment = Payment(home, f"TX{len(self.payments) + 1:06d}", amount, callbacks)
        self.payments.append(payment)
        self._inquire(payment)
        return payment

    def under_way(self, home: Home) -> bool:
        """Whether a payment of this home is not yet credited."""
        return any(payment.home is home and payment.credited_us < 0 for payment in self.payments)

    def water_runs(self, home: Home) -> int | None:
        """The valve of a home has opened: the seconds its payer waited, None when nobody was waiting."""
        since_us = self._waiting.pop(home.number, None)
        if since_us is None:
            return None
        self.waits_s.append(-((since_us - self._world.now_us) // SECOND_US))
        return self.waits_s[-1]

    def _inquire(self, payment: Payment) -> None:
        try:
            self._biller.inquire(self._numbers[payment.home.number], payment.amount)
        except HeadendAway:
            self._world.after(_RETRY_US, self._inquire, payment)
            return
        self._world.after(self._stream.between(3, 9) * SECOND_US, self._notify, payment)

    def _notify(self, payment: Payment) -> None:
        try:
            answer = self._biller.notify(payment.transaction, self._numbers[payment.home.number], payment.amount)
        except HeadendAway:
            self._world.after(_RETRY_US, self._notify, payment)
            return
        payment.answers.append(answer)
        if answer == "credited":
            payment.credited_us = self._world.now_us
            self._credited(payment.home)
        self._told(payment, answer)
        if len(payment.answers) < payment.callbacks:
            self._world.after(self._stream.between(15, 90) * SECOND_US, self._notify, payment)

    def _credited(self, home: Home) -> None:
        """The confirmation reaches the payer's phone; whoever is dry is already at the meter."""
        if not home.valve.lets_water_through:
            self._waiting[home.number] = self._world.now_us
        self._world.after(self._stream.between(1, 4) * SECOND_US, self._press, home, 1)

    def _press(self, home: Home, presses: int) -> None:
        if presses == 1 and home.number in self._waiting:
            self._pressed(home)
        home.press_button()
        if home.number in self._waiting and presses < _PRESSES_MAX:
            self._world.after(_PRESS_AGAIN_US, self._press_again, home, presses + 1)

    def _press_again(self, home: Home, presses: int) -> None:
        if home.number in self._waiting:
            self._press(home, presses)
