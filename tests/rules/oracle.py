"""A second rating rule to hold the kernel against: exact fractions and the standard library's dates.

Written from docs/TARIFFS.md and SEMANTICS B without the kernel: water is a difference of cumulative cost curves, time
is `datetime`, money is a `Fraction` of a mill. Slow and obvious on purpose.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

LONGEST_ABSENCE_DAYS = 366
LONGEST_ABSENCE_MONTHS = 12


@dataclass(frozen=True)
class Printed:
    """A tariff in fractions: money in mills, widths in litres for the whole tap."""

    standard_minutes: int
    transitions: tuple[tuple[int, int], ...]
    edges: tuple[tuple[int, int, Fraction], ...]  # (from litre, to litre, price); the last one ends at BEYOND
    minimum: Fraction
    standing_day: Fraction
    standing_month: Fraction


@dataclass(frozen=True)
class Account:
    """What the customer has been charged; dates are None before the first slot."""

    spent: Fraction = Fraction(0)
    day: date | None = None
    month: tuple[int, int] | None = None
    position: int = 0


BEYOND = 10**12  # litres no tap reaches in a month


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
    """The same numbers as the pack's, in whole mills."""
    unit = Fraction(1, 10**scale)
    edges, low = [], 0
    for upto, price in blocks:
        high = upto * households if upto else BEYOND
        edges.append((low, high, price * unit))
        low = high
    return Printed(
        standard_minutes,
        tuple((slot, minutes) for slot, minutes in transitions),
        tuple(edges),
        minimum * unit,
        standing_day * unit,
        standing_month * unit,
    )


def local_date(tariff: Printed, slot: int) -> date:
    """The local date of a slot's first second."""
    minutes = tariff.standard_minutes
    for from_slot, changed in sorted(tariff.transitions):
        if slot >= from_slot:
            minutes = changed
    return (datetime(2020, 1, 1) + timedelta(minutes=30 * slot + minutes)).date()  # noqa: DTZ001 - wall time


def curve(tariff: Printed, litres: int) -> Fraction:
    """What the first `litres` of a month cost."""
    return sum(
        (price * (min(litres, high) - low) for low, high, price in tariff.edges if litres > low),
        Fraction(0),
    )


def rate_slot(account: Account, tariff: Printed, slot: int, litres: int, sure: bool) -> Account:
    """One slot: dates first (only by a sure clock), then litres along the month's curve."""
    if sure:
        account = _dates(account, tariff, local_date(tariff, slot))
    after = account.position + litres
    water = curve(tariff, after) - curve(tariff, account.position)
    return replace(account, spent=account.spent + water, position=after)


def _dates(account: Account, tariff: Printed, today: date) -> Account:
    days = 1 if account.day is None else (today - account.day).days
    if days > 0:
        charge = tariff.standing_day * min(days, LONGEST_ABSENCE_DAYS)
        account = replace(account, day=today, spent=account.spent + charge)
    month = (today.year, today.month)
    months = 1
    if account.month is not None:
        months = 12 * (month[0] - account.month[0]) + month[1] - account.month[1]
    if months > 0:
        charge = (tariff.standing_month + tariff.minimum) * min(months, LONGEST_ABSENCE_MONTHS)
        account = replace(account, month=month, spent=account.spent + charge, position=0)
    return account


def counters(account: Account) -> tuple[int, int]:
    """(mills, ten-thousandths of a mill); exact, or the oracle is wrong."""
    ten_thousandths = account.spent * 10_000
    assert ten_thousandths.denominator == 1
    return divmod(ten_thousandths.numerator, 10_000)
