"""What a home wants to use: half-hours of litres from the data file, turned into pulses of one litre.

`data/household_days.json` holds 100 households of 14 days of 48 half-hours (generated with a stochastic end-use model;
its `about` says how). A home of the world is one of them; a world longer than its days starts again at its first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from .clock import MINUTE_US, SECOND_US, SLOT_US, SLOTS_PER_DAY
from .prng import Stream

_TAP_SPACING_US = 7 * SECOND_US  # a tap at about 8.5 litres a minute
_QUIET_END_US = 10 * SECOND_US  # no draw runs over the edge of its half-hour
# A minute's pulses come together in its middle, 30 s from any edge of a half-hour: a meter whose clock is a few seconds
# off still counts them into the right one, and the world can price them without asking the meter.
_PULSES_AT_US = 30 * SECOND_US


class Household(NamedTuple):
    """One household of the data file; `days` is a tuple of days, each a tuple of 48 litres."""

    kind: str
    persons: int
    days: tuple[tuple[int, ...], ...]

    def litres(self, slot: int) -> int:
        """Litres wanted in the world's slot (0 = the half-hour after the first midnight)."""
        return self.days[slot // SLOTS_PER_DAY % len(self.days)][slot % SLOTS_PER_DAY]


@cache
def load() -> tuple[Household, ...]:
    """Every household of the data file."""
    text = files(__package__).joinpath("data/household_days.json").read_text(encoding="utf-8")
    return tuple(
        Household(entry["type"], entry["persons"], tuple(tuple(day) for day in entry["days"]))
        for entry in json.loads(text)["households"]
    )


class Demand:
    """A household's wishes in one world: its file, and what the story adds to single slots."""

    def __init__(self, household: Household) -> None:
        self.household = household
        self._extra_l: dict[int, int] = {}

    def add(self, slot: int, litres: int) -> None:
        """More litres in one slot: a wash, a leak."""
        self._extra_l[slot] = self._extra_l.get(slot, 0) + litres

    def litres(self, slot: int) -> int:
        """Litres wanted in the world's slot."""
        return self.household.litres(slot) + self._extra_l.get(slot, 0)

    def total_l(self, slots: Iterable[int]) -> int:
        """Litres wanted over several slots."""
        return sum(self.litres(slot) for slot in slots)


def pulse_train(litres: int, stream: Stream) -> list[tuple[int, int]]:
    """Spread a half-hour's litres over it: [(offset_us, litres)], one entry a minute in which water runs.

    Up to three draws start at drawn moments and run at tap speed; a half-hour that could not hold them all at that
    speed is drawn evenly. The sum of the litres is exactly `litres`.
    """
    if litres == 0:
        return []
    room_us = SLOT_US - _QUIET_END_US
    spacing_us = min(_TAP_SPACING_US, room_us // litres)
    draws = min(litres, stream.between(1, 3))
    latest_us = max(room_us - litres * spacing_us, 0)
    starts = sorted(stream.below(latest_us + 1) for _ in range(draws))
    by_minute: dict[int, int] = {}
    for number in range(litres):
        draw = number * draws // litres
        offset_us = starts[draw] + number * spacing_us
        minute = offset_us // MINUTE_US
        by_minute[minute] = by_minute.get(minute, 0) + 1
    return [(minute * MINUTE_US + _PULSES_AT_US, count) for minute, count in sorted(by_minute.items())]
