"""A second rating rule to hold the kernel against: exact fractions and the standard library's dates.

Written from docs/TARIFFS.md and SEMANTICS B without the kernel: water is a difference of cumulative cost curves, time
is `datetime`, money is a `Fraction` of a mill. Slow and obvious on purpose.
"""

from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

LONGEST_ABSENCE_DAYS = 366
LONGEST_ABSENCE_MONTHS = 12
BEYOND = 10**12  # litres no tap reaches in a month
EPOCH = datetime(2020, 1, 1)  # noqa: DTZ001 - wall time
HALF_HOUR = timedelta(minutes=30)


class Printed(NamedTuple):
    """A tariff: money in `unit`s of a mill, widths in litres for the whole tap."""

    unit: Fraction
    standard_minutes: int
    transitions: tuple[tuple[int, int], ...]
    edges: tuple[tuple[int, int, int], ...]  # (from litre, to litre, price); the last one ends at BEYOND
    minimum: int
    standing_day: int
    standing_month: int


class Account:
    """What a customer has been charged, in mills; dates are None before the first sure slot."""

    def __init__(self) -> None:
        self.spent = Fraction(0)
        self.day: date | None = None
        self.month: tuple[int, int] | None = None
        self.position = 0

    def rate_slot(self, tariff: Printed, slot: int, litres: int, sure: bool) -> None:
        """One slot: dates first (only by a sure clock), then litres along the month's curve."""
        units = self._dates(tariff, local_date(tariff, slot)) if sure else 0
        units += curve(tariff, self.position + litres) - curve(tariff, self.position)
        self.position += litres
        self.spent += units * tariff.unit

    def _dates(self, tariff: Printed, today: date) -> int:
        """What falls due by the date, in the tariff's units."""
        days = 1 if self.day is None else (today - self.day).days
        if days <= 0:
            return 0
        month, months = (today.year, today.month), 1
        if self.month is not None:
            months = 12 * (month[0] - self.month[0]) + month[1] - self.month[1]
        self.day, self.month = today, month
        if months > 0:
            self.position = 0
        return tariff.standing_day * min(days, LONGEST_ABSENCE_DAYS) + (tariff.standing_month + tariff.minimum) * min(
            months, LONGEST_ABSENCE_MONTHS
        )

    def counters(self) -> tuple[int, int]:
        """(mills, ten-thousandths of a mill); exact, or the oracle is wrong."""
        ten_thousandths = self.spent * 10_000
        assert ten_thousandths.denominator == 1
        return divmod(ten_thousandths.numerator, 10_000)


def printed(
    scale: int,
    standard_minutes: int,
    transitions: list[list[int]],
    households: int,
    minimum: int,
    blocks: list[list[int]],
    standing_day: int,
    standing_month: int,
) -> Printed:
    """A pack's numbers, the widths of its blocks multiplied by the households."""
    edges, low = [], 0
    for upto, price in blocks:
        high = upto * households if upto else BEYOND
        edges.append((low, high, price))
        low = high
    return Printed(
        Fraction(1, 10**scale),
        standard_minutes,
        tuple((slot, minutes) for slot, minutes in transitions),
        tuple(edges),
        minimum,
        standing_day,
        standing_month,
    )


def local_date(tariff: Printed, slot: int) -> date:
    """The local date of a slot's first second."""
    minutes = tariff.standard_minutes
    for from_slot, changed in tariff.transitions:
        if slot >= from_slot:
            minutes = changed
    return _date(slot, minutes)


@lru_cache(maxsize=100_000)
def _date(slot: int, minutes: int) -> date:
    return (EPOCH + slot * HALF_HOUR + timedelta(minutes=minutes)).date()


def curve(tariff: Printed, litres: int) -> int:
    """What the first `litres` of a month cost, in the tariff's units."""
    cost = 0
    for low, high, price in tariff.edges:
        if litres <= low:
            break
        cost += price * (min(litres, high) - low)
    return cost
