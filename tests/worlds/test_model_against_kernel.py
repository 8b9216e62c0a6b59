"""The judges' model of prices and the kernel of meter and headend were written apart: on dice they come to the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from protocol.rules import rating
from protocol.rules.calendar import Offsets
from protocol.rules.tariff import Tariff
from simulator.prng import Stream
from simulator.worlds.model import Bill, Half, prices_of
from tests.figures import ROUND, publish

SCALE = 4


def a_tariff(dice: Stream) -> tuple[dict[str, Any], Tariff]:
    """The same prices as they are printed, and as a meter holds them."""
    edges = sorted({dice.between(1, 60_000) for _ in range(dice.below(4))})
    finest = 10**SCALE
    blocks = [[upto, Fraction(dice.below(3_000 * finest), finest)] for upto in (*edges, 0)]
    day, month, minimum = (dice.below(2) * dice.below(9_000) for _ in range(3))
    minutes = 15 * dice.between(-48, 56)
    printed = {"blocks": blocks, "utc_offset_minutes": minutes, "standing_day": day, "standing_month": month}
    mills = 1000 * finest
    prices = tuple((upto, 0 if minimum and at == 0 else int(price * finest)) for at, (upto, price) in enumerate(blocks))
    charges = (minimum * mills, prices, day * mills, month * mills)
    return {**printed, "minimum": minimum}, Tariff(1, 0, SCALE, Offsets(minutes, ()), 1, *charges)


def histories(seed: int, count: int) -> int:
    """Rate so many drawn histories both ways; how many half-hours they had."""
    dice, slots = Stream(seed, "histories"), 0
    for _ in range(count):
        bill, state, slot = Bill(), rating.NEW, dice.below(100_000)
        printed, tariff = a_tariff(dice)
        for _ in range(dice.between(1, 40)):
            litres, sure = dice.below(2) * dice.below(9_000), dice.chance(9, 10)
            prices = prices_of(printed)
            assert prices is not None
            bill.charge(Half(slot, litres, prices, sure))
            state = rating.rate_slot(state, tariff, slot, litres, sure)
            assert (bill.spent_mills, bill.position_l) == (state.spent_mills, state.position_l), (printed, slot)
            slot += dice.pick((1, 1, 1, 20, 48, 700, -10, 30_000))
            slots += 1
            if dice.chance(1, 12):
                printed, tariff = a_tariff(dice)
    return slots


def test_i16_the_model_and_the_kernel_come_to_the_same() -> None:
    """I16."""
    assert histories(1, 60) > 500


@pytest.mark.worlds
def test_i16_the_model_and_the_kernel_come_to_the_same_on_many_histories() -> None:
    """I16: other dice in each round."""
    slots = histories(1_000 + ROUND, 3_000)
    publish("checks", "model", histories=3_000, half_hours=slots)
