"""What a kind of fault is: a name, how it is drawn from the seed, and how it strikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ...clock import DAY_US, HOUR_US, MINUTE_US, SLOT_US
from ...prng import Stream
from ..scenario import Fault

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life

Draw = Callable[[Stream, int, int], list[Fault]]
Strike = Callable[["Life", Fault, "WorldHome | None"], None]
OneStrike = Callable[["Life", Fault, "WorldHome"], None]
Span = tuple[int, int]

EDGE_US = 2 * MINUTE_US
DAY_MIN = DAY_US // MINUTE_US
NOTHING = (0, 0)


class Kind(NamedTuple):
    """`draw(dice, homes, days)` gives the faults of this kind in one world; `strike(life, fault, home)` does one.
    Where everything is drawn, one world in `one_in` has it."""

    name: str
    draw: Draw
    strike: Strike
    one_in: int = 3


def often(name: str, most: int = 1, a: Span = NOTHING, b: Span = NOTHING, c: Span = NOTHING) -> Draw:
    """Up to `most` for each home, at any time but near the edge of a half-hour, with a, b and c within their spans."""
    return lambda dice, homes, days: [
        Fault(_when(dice, days), name, dice.between(1, homes), dice.between(*a), dice.between(*b), dice.between(*c))
        for _ in range(dice.between(1, most * homes))
    ]


def seldom(name: str, most: int = 2, a: Span = NOTHING, b: Span = NOTHING, c: Span = NOTHING) -> Draw:
    """Up to `most` in a world, of one home each."""
    return lambda dice, homes, days: [
        Fault(_when(dice, days), name, dice.between(1, homes), dice.between(*a), dice.between(*b), dice.between(*c))
        for _ in range(dice.between(1, most))
    ]


def of_all(name: str, most: int = 2, a: Span = NOTHING, b: Span = NOTHING, c: Span = NOTHING) -> Draw:
    """Up to `most` in a world, of no home."""
    return lambda dice, _homes, days: [
        Fault(_when(dice, days), name, 0, dice.between(*a), dice.between(*b), dice.between(*c))
        for _ in range(dice.between(1, most))
    ]


def at_home(strike: OneStrike) -> Strike:
    """A strike of a fault that has a home. One that is gone feels nothing."""

    def checked(life: Life, fault: Fault, home: WorldHome | None) -> None:
        assert home is not None
        if not home.retired:
            strike(life, fault, home)

    return checked


def dice_of(life: Life, fault: Fault) -> Stream:
    """Dice for the bytes of one strike: the same whatever else is left out of the world."""
    return life.streams.named(f"strike/{fault.kind}/{fault.home}/{fault.at_us}/{fault.a}/{fault.b}")


def _when(dice: Stream, days: int) -> int:
    at_us = dice.below(days * DAY_US - HOUR_US)
    into_us = min(max(at_us % SLOT_US, EDGE_US), SLOT_US - EDGE_US)
    return at_us // SLOT_US * SLOT_US + into_us
