"""Named streams of integers drawn from one seed.

Every part of a world draws from a stream of its own name ("radio/3", "story"), so that one part drawing one number
more does not shift what every other part gets. Integers only: a ratio is two integers, never a float, and the numbers
do not depend on the Python version (SplitMix64, Steele, Lea, Flood 2014, seeded through SHA-256).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

Item = TypeVar("Item")

_MASK = (1 << 64) - 1


def splitmix64(state: int) -> tuple[int, int]:
    """(next state, 64 bits)."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return state, mixed ^ (mixed >> 31)


class Stream:
    """One named sequence of integers; the same seed and name give the same sequence for ever."""

    def __init__(self, seed: int, name: str) -> None:
        digest = sha256(f"{seed}/{name}".encode()).digest()
        self._state = int.from_bytes(digest[:8], "big")

    def bits64(self) -> int:
        """The next 64 bits."""
        self._state, number = splitmix64(self._state)
        return number

    def below(self, limit: int) -> int:
        """An integer of 0..limit-1. The bias of one multiplication is below limit / 2^64."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        return (self.bits64() * limit) >> 64

    def between(self, low: int, high: int) -> int:
        """An integer of low..high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, numerator: int, denominator: int) -> bool:
        """True `numerator` times in `denominator`."""
        return self.below(denominator) < numerator

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in a new order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


class Streams:
    """Hands out the streams of one world."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def named(self, name: str) -> Stream:
        """A fresh stream; ask once and keep it, a second call starts the sequence again."""
        return Stream(self.seed, name)
