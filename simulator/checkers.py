"""What must be true of a world once its faults have stopped, judged apart from everything that made it.

Each checker is a pure function from witnesses to findings; none stops at the first fault and none repairs anything. A
world without findings is one in which water, money, payments, valves and books agree to the litre and the mill.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MILLS_PER_MINOR = 1000


class Reading(NamedTuple):
    """The counters of one meter as one side tells them: V in litres, the others in mills; `slots` closed so far."""

    volume_l: int
    credited_mills: int
    debited_mills: int
    spent_mills: int
    collected_mills: int
    balance_mills: int
    valve_open: bool
    slots: int


class Witness(NamedTuple):
    """One home seen from all sides: the pipe, the payer, the meter's console and the headend's REST.

    `priced_mills` is what the litres that left the pipe cost by the published prices (T of SEMANTICS B5),
    `corrected_mills` the signed sum of the rating corrections in the books, given back negative (A), and `cases` what
    the headend itself found wrong with this meter.
    """

    number: int
    name: str
    delivered_l: int
    tap_open: bool
    paid_minor: int
    answers: tuple[tuple[str, ...], ...]
    priced_mills: int
    corrected_mills: int
    cases: tuple[str, ...]
    meter: Reading
    books: Reading


class Finding(NamedTuple):
    """Something that is not as it must be."""

    check: str
    home: int
    text: str


def check_water(witnesses: Sequence[Witness]) -> list[Finding]:
    """Every litre that left the pipe is on the meter, and in the books."""
    found = []
    for one in witnesses:
        for side, litres in (("meter", one.meter.volume_l), ("books", one.books.volume_l)):
            if litres != one.delivered_l:
                found.append(Finding("water", one.number, f"{one.delivered_l} L delivered, {side} counts {litres} L"))
    return found


def check_money(witnesses: Sequence[Witness]) -> list[Finding]:
    """Balance = C − D − S − R on both sides, and no meter was granted other money than was paid, given back or taken.

    C − D may exceed what was paid only by rating corrections, which the headend books as general entries; so C must be
    at least what was paid, and the books' trial balance (the headend's own check) covers the rest.
    """
    found = []
    for one in witnesses:
        for side, reading in (("meter", one.meter), ("books", one.books)):
            derived = reading.credited_mills - reading.debited_mills - reading.spent_mills - reading.collected_mills
            if derived != reading.balance_mills:
                found.append(
                    Finding("money", one.number, f"{side}: balance {reading.balance_mills}, C−D−S−R is {derived}")
                )
        paid_mills = one.paid_minor * MILLS_PER_MINOR
        if one.books.credited_mills < paid_mills:
            found.append(Finding("money", one.number, f"paid {paid_mills} mills, credited {one.books.credited_mills}"))
    return found


def check_price(witnesses: Sequence[Witness]) -> list[Finding]:
    """T − S = A (SEMANTICS B8): the meter charged the price of the pipe's litres, but for posted corrections."""
    return [
        Finding(
            "price",
            one.number,
            f"the litres cost {one.priced_mills} mills, the meter charged {one.meter.spent_mills}, "
            f"corrections are {one.corrected_mills}",
        )
        for one in witnesses
        if one.priced_mills - one.meter.spent_mills != one.corrected_mills
    ]


def check_cases(witnesses: Sequence[Witness]) -> list[Finding]:
    """The headend has nothing against any meter."""
    return [Finding("case", one.number, case) for one in witnesses for case in one.cases]


def check_exactly_once(witnesses: Sequence[Witness]) -> list[Finding]:
    """Every payment is credited by exactly one of its callbacks, the first answered, and the rest are duplicates."""
    found = []
    for one in witnesses:
        for answers in one.answers:
            if answers[:1] != ("credited",) or any(answer != "duplicate" for answer in answers[1:]):
                found.append(Finding("exactly_once", one.number, f"callbacks were answered {', '.join(answers)}"))
    return found


def check_valve(witnesses: Sequence[Witness]) -> list[Finding]:
    """The pipe, the meter and the headend tell the same of the valve."""
    found = []
    for one in witnesses:
        told = {"meter": one.meter.valve_open, "books": one.books.valve_open}
        for side, is_open in told.items():
            if is_open != one.tap_open:
                found.append(Finding("valve", one.number, f"water runs: {one.tap_open}, {side} says open: {is_open}"))
    return found


def check_agreement(witnesses: Sequence[Witness]) -> list[Finding]:
    """Meter and books agree on every counter and on every half-hour."""
    found = []
    for one in witnesses:
        for field in Reading._fields:
            on_meter, in_books = getattr(one.meter, field), getattr(one.books, field)
            if on_meter != in_books:
                found.append(Finding("agreement", one.number, f"{field}: meter {on_meter}, books {in_books}"))
    return found


CHECKS = (
    check_water,
    check_money,
    check_price,
    check_cases,
    check_exactly_once,
    check_valve,
    check_agreement,
)


def check_all(witnesses: Sequence[Witness]) -> list[Finding]:
    """Everything that is wrong, in the order of the checks."""
    return [finding for check in CHECKS for finding in check(witnesses)]


def divergent(witnesses: Sequence[Witness], findings: Sequence[Finding]) -> int:
    """How many meters have at least one finding."""
    return len({finding.home for finding in findings} & {one.number for one in witnesses})
