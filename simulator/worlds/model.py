"""What water costs, by a model of its own: fractions and Python's calendar, no file of the meter or the headend.

It is written from docs/TARIFFS.md. A price list is what the utility printed; a litre costs its block's price at the
place it has in the local month; a local day and a local month are charged once, at the first half-hour that is known to
lie in them; an hour that nobody could date (`sure` is false) begins neither. Money is a Fraction of mills, so nothing
is ever rounded; S is the whole mills of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

SLOT = timedelta(minutes=30)
ZERO = datetime(2020, 1, 1, tzinfo=UTC)
DAY_ONE = date(2020, 1, 1)
DAYS_MAX, MONTHS_MAX = 366, 12
KNOWN = {"utc_offset_minutes", "blocks", "standing_day", "standing_month", "minimum"}
MILLS_PER_MINOR = 1000
FINEST = 10_000  # the smallest part of a mill that a price list may use; anything finer is not in this model


class Prices(NamedTuple):
    """A printed tariff for one tap: ((last litre of the block, 0 for none; mills a litre), …), mills a day, a month."""

    offset: timedelta
    blocks: tuple[tuple[int, Fraction], ...]
    standing_day: Fraction
    standing_month: Fraction

    def local_date(self, slot: int) -> date:
        """The local day that owns a half-hour."""
        return (ZERO + slot * SLOT + self.offset).date()


class Half(NamedTuple):
    """A half-hour and what was counted in it."""

    slot: int
    litres: int
    prices: Prices
    sure: bool = True


class Bill:
    """What has been charged so far; starts where an OPENING says: litres of this month, last month and day paid."""

    def __init__(self, position_l: int = 0, month: int = 0, day: int = 0) -> None:
        self.mills = Fraction(0)
        self.position_l = position_l
        self._month: int | None = month or None
        self._day: int | None = day or None

    @property
    def spent_mills(self) -> int:
        """S."""
        return self.mills.numerator // self.mills.denominator

    def charge(self, half: Half) -> None:
        """One half-hour: what falls due at its first second, then its litres."""
        if half.sure:
            self._begin(half)
        left = half.litres
        while left:
            upto_l, price = next(block for block in half.prices.blocks if block[0] == 0 or self.position_l < block[0])
            litres = left if upto_l == 0 else min(left, upto_l - self.position_l)
            self.mills += litres * price
            self.position_l += litres
            left -= litres

    def lost(self, last_slot: int, spent_mills: int, rest: Fraction, position_l: int, prices: Prices | None) -> None:
        """Half-hours whose detail is gone: the charge and what stays below a mill are the meter's word (C4)."""
        self.mills = self.spent_mills + spent_mills + rest
        self.position_l = position_l
        if prices is not None:
            self._month = max(self._month or 0, _month_of(prices.local_date(last_slot)))
            self._day = max(self._day or 0, (prices.local_date(last_slot) - DAY_ONE).days)

    def charge_all(self, halves: Iterable[Half]) -> int:
        """S after them."""
        for half in halves:
            self.charge(half)
        return self.spent_mills

    def _begin(self, half: Half) -> None:
        today = half.prices.local_date(half.slot)
        day, month = (today - DAY_ONE).days, _month_of(today)
        days = 1 if self._day is None else min(max(0, day - self._day), DAYS_MAX)
        months = 1 if self._month is None else min(max(0, month - self._month), MONTHS_MAX)
        if days or months:
            self.mills += days * half.prices.standing_day + months * half.prices.standing_month
        if months:
            self.position_l = 0
        self._day, self._month = max(day, self._day or 0), max(month, self._month or 0)


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def prices_of(printed: dict[str, Any], households: int = 1) -> Prices | None:
    """What a printed tariff says for one tap; None when it says something that this model does not know.

    A minor unit a cubic metre is a mill a litre. A minimum is the month's charge for the first block, which then costs
    nothing more.
    """
    if not set(printed) <= KNOWN:
        return None
    day, month, minimum = (
        Fraction(printed.get(name, 0)) * MILLS_PER_MINOR for name in ("standing_day", "standing_month", "minimum")
    )
    prices = [Fraction(price) for _, price in printed["blocks"]]
    if minimum:
        prices[0] = Fraction(0)
    if any((amount * FINEST).denominator != 1 for amount in (day, month, minimum, *prices)):
        return None
    uptos = [int(upto) * households for upto, _ in printed["blocks"]]
    offset = timedelta(minutes=int(printed["utc_offset_minutes"]))
    return Prices(offset, tuple(zip(uptos, prices, strict=True)), day, month + minimum * households)


def known_at(tariffs: Sequence[tuple[int, Prices]], slot: int) -> Prices | None:
    """The prices of a half-hour: of all that have begun, the one that began last; of those, the one known last.

    `tariffs` are (from slot, prices) in the order in which they became known.
    """
    begun = [(from_slot, order) for order, (from_slot, _) in enumerate(tariffs) if from_slot <= slot]
    return tariffs[max(begun)[1]][1] if begun else None
