"""Prices that change: announced, late, for weeks that are over, several in one month, up and down, with the price of a
rise that came late waived, owed or debited. They excuse nothing: what is published is what is owed.

The tariffs of a world are in the books (tariff) and in `life.acts`, each with its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...prng import Stream
from ..home import WorldHome
from ..scenario import Fault
from .kind import Kind, of_all

if TYPE_CHECKING:
    from ..life import Life

LATE = ("waive", "debt", "debit")
BLOCKS = ((4_000, 127), (12_000, 279), (0, 448))
_SLOTS_A_DAY = 48


def prices_of(percent: int, standing: int) -> dict[str, Any]:
    """The world's prices by so many per cent; standing charges a day and a month by the two digits of `standing`."""
    blocks = [[up_to, price * percent // 100] for up_to, price in BLOCKS]
    return {"blocks": blocks, "standing_day": 10 * (standing // 10), "standing_month": 200 * (standing % 10)}


def _publish(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    """a: per cent of the first prices; b: days from now, 20 meaning at once, less meaning past; c: three digits: late,
    standing charges a day and a month."""
    from_slot = life.now_slot + 1 + (fault.b - 20) * _SLOTS_A_DAY
    late, standing = LATE[fault.c // 100], fault.c % 100
    key = f"tariff-{fault.at_us}"
    prices = prices_of(fault.a, standing)
    life.act("publish", None, lambda: life.office.publish(max(from_slot, life.first_slot), prices, late, 3, key))


def _draw(dice: Stream, homes: int, days: int) -> list[Fault]:
    return of_all("tariff", 4, (20, 250), (2, 34), (0, 299))(dice, homes, days)


PRICES = (Kind("tariff", _draw, _publish, 2),)
