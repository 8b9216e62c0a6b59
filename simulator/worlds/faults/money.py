"""Payments as operators bring them: told twice, before the inquiry is answered, days late, forged, edited, stale, for
an account that does not exist, in another currency, of an odd amount, with other money under the same number, and
taken back at any point of life.

None excuses anything: `life.till` says what was truly paid, to which account, what became of it, and what was taken
back. Forged messages are in no till.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import HOUR_US, MINUTE_US
from ...headend_acts import body_of
from ...headend_within import Down
from ..home import WorldHome
from ..scenario import Fault
from ..till import Payment
from .kind import DAY_MIN, Kind, at_home, dice_of, often, seldom

if TYPE_CHECKING:
    from ..life import Life

UNSIGNED, WRONG, EDITED, STALE, FUTURE, RECORDED = range(6)
ODD = ((500, "EUR"), (0, "XOF"), (-500, "XOF"), (10**12 + 1, "XOF"), (10**18, "XOF"))
AMOUNTS = (50, 100, 200, 500, 5_000)


def _again(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which payment of this home is told again; b: how often, a minute apart."""
    paid = life.till.of(home.number)
    for copy in range(fault.b if paid else 0):
        life.world.after(copy * MINUTE_US, life.notify, paid[fault.a % len(paid)])


def _late(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes after which the operator tells of it for the first time; b: how much."""
    payment = life.take(home, home.customer_number, AMOUNTS[fault.b])
    life.later(fault.a * MINUTE_US, life.notify, payment)


def _early(life: Life, fault: Fault, home: WorldHome) -> None:
    """The notification comes before the operator has asked whether it may take the money; b: how much."""
    payment = life.take(home, home.customer_number, AMOUNTS[fault.b])
    life.notify(payment)
    if life.office.up:
        accepted = life.office.inquire(home.customer_number, AMOUNTS[fault.b])
        life.saw["inquiry accepted" if accepted else "inquiry refused"] += 1


def _forge(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: how (no signature, a wrong one, an edited body, an old or future time stamp, a recorded message)."""
    now_us, office = life.world.now_us, life.office
    dice = dice_of(life, fault)
    transaction, message = f"FORGED{now_us}", f"F{now_us}"
    body = body_of(transaction, home.customer_number, 77_777, "2026-04-01T00:00:00Z")
    at_us = now_us + {STALE: -HOUR_US, FUTURE: HOUR_US}.get(fault.a, 0)
    headers = office.sign(message, body, at_us)
    if fault.a == UNSIGNED:
        del headers["webhook-signature"]
    elif fault.a == WRONG:
        headers["webhook-signature"] = "v1," + "A" * 42 + dice.pick("AEIMQUYcgkosw048") + "="
    elif fault.a == EDITED:
        headers, body = office.sign(message, body, now_us), body.replace(b"77777", b"99999")
    elif fault.a == RECORDED and life.till.payments:
        payment = life.till.payments[dice.below(len(life.till.payments))]
        body = _body(payment)
        headers = office.sign(message, body, payment.paid_us)  # as it was then; days ago, or a repetition
        if now_us - payment.paid_us < HOUR_US:
            return
    try:
        verdict, _ = office.notify_signed(headers, body)
    except Down:
        life.headend_died()
        return
    life.tell("forged " + verdict, home)


def _reverse(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which payment of this home, from the last one back; the operator takes it back."""
    paid = [one for one in life.till.of(home.number) if not one.reversed and "credited" in one.answers]
    if paid:
        payment = paid[-1 - fault.a % len(paid)]

        def take_back() -> None:
            life.office.reverse(payment.transaction)
            payment.reversed = True

        life.act("reverse", home, take_back)


def _misdirect(life: Life, fault: Fault, home: WorldHome) -> None:
    """A slip in the account; b: how much; c: minutes until the office finds whose it is, 0 for never."""
    digits = home.customer_number
    wrong = digits[:-1] + str((int(digits[-1]) + 1 + fault.a) % 10)
    payment = life.take(home, wrong, AMOUNTS[fault.b])
    payment.meant_for = digits
    life.notify(payment)

    def resolve() -> None:
        if "suspense" not in payment.answers:
            return

        def give() -> None:
            life.office.resolve(payment.transaction, digits)
            payment.resolved = True

        life.act("resolve", home, give)

    if fault.c:
        life.later(fault.c * MINUTE_US, resolve)


def _odd(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: another currency, nothing, less than nothing, more than there is."""
    amount, currency = ODD[fault.a]
    payment = life.take(home, home.customer_number, amount)
    payment.currency = currency
    life.notify(payment)


def _conflict(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which payment comes again under its number with other money."""
    paid = [one for one in life.till.of(home.number) if one.answers]
    if paid:
        payment = paid[fault.a % len(paid)]
        body = body_of(payment.transaction, payment.account, payment.amount_minor + 1, payment.paid_at)
        try:
            verdict, _ = life.office.notify_signed(
                life.office.sign(f"C{life.world.now_us}", body, life.world.now_us), body
            )
        except Down:
            life.headend_died()
            return
        life.tell("conflict " + verdict, home)


def _body(payment: Payment) -> bytes:
    return body_of(payment.transaction, payment.account, payment.amount_minor, payment.paid_at, payment.currency)


_LAST = len(AMOUNTS) - 1
MONEY = (
    Kind("payment_again", often("payment_again", 2, (0, 99), (1, 20)), at_home(_again)),
    Kind("payment_late", often("payment_late", 1, (1, 6 * DAY_MIN), (0, _LAST)), at_home(_late)),
    Kind("payment_early", often("payment_early", 1, (0, 0), (0, _LAST)), at_home(_early)),
    Kind("payment_forged", often("payment_forged", 2, (0, 5)), at_home(_forge)),
    Kind("payment_reversed", often("payment_reversed", 1, (0, 9)), at_home(_reverse)),
    Kind(
        "payment_misdirected",
        seldom("payment_misdirected", 4, (0, 8), (0, _LAST), (0, 3 * DAY_MIN)),
        at_home(_misdirect),
    ),
    Kind("payment_odd", seldom("payment_odd", 4, (0, len(ODD) - 1)), at_home(_odd)),
    Kind("payment_conflict", seldom("payment_conflict", 3, (0, 99)), at_home(_conflict)),
)
