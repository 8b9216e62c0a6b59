"""What water costs in the world: the shared rating rule applied to litres that the world itself knows.

The story asks it in advance, to know when a credit will end; the checkers ask it afterwards, to price what left the
pipe without asking the meter or the headend. Same kernel as both (protocol/rules/rating.py), other inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from protocol.rules import rating
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.tariff import Tariff

from .clock import OFFSET_MINUTES, START_UNIX_S

MILLS_PER_MINOR = 1000
CURRENCY = "XOF"
# Niger 2006, household connection, F CFA a cubic metre and month: 0-10: 127, 11-40: 279, above: 448. One F CFA a cubic
# metre is one mill a litre, digit for digit.
FIRST_BLOCK_MILLS_PER_L = 127
UPPER_BLOCKS = ((40_000, 279), (0, 448))
FIRST_BLOCK_UPTO_L = 10_000
STANDING_DAY_MILLS = 5_000

START_SLOT = slot_of(START_UNIX_S)


class Price(NamedTuple):
    """The price of the first block from one slot of the world on (0 = its first half-hour)."""

    from_slot: int
    mills_per_l: int


def blocks(first_mills_per_l: int) -> tuple[tuple[int, int], ...]:
    """The blocks ((upto_l, mills per litre), …) with this price in the first."""
    return ((FIRST_BLOCK_UPTO_L, first_mills_per_l), *UPPER_BLOCKS)


def tariff(version: int, price: Price) -> Tariff:
    """The tariff as the kernel takes it."""
    return Tariff(
        version=version,
        from_slot=START_SLOT + price.from_slot,
        scale=0,
        offsets=Offsets(OFFSET_MINUTES, ()),
        households=1,
        minimum=0,
        blocks=blocks(price.mills_per_l),
        standing_day=STANDING_DAY_MILLS,
        standing_month=0,
    )


def cost_mills(litres_of_slot: Callable[[int], int], slots: int, prices: tuple[Price, ...]) -> int:
    """What the world's first `slots` half-hours cost, by the rating rule itself: T of SEMANTICS B5."""
    state = rating.NEW
    packs = [tariff(number, price) for number, price in enumerate(prices, 1)]
    for slot in range(slots):
        in_force = [pack for pack in packs if pack.from_slot <= START_SLOT + slot][-1]
        state = rating.rate_slot(state, in_force, START_SLOT + slot, litres_of_slot(slot), True)
    return int(state.spent_mills)
