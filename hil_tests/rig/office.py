"""The headend as one meter's customer and utility know it: a real `guelta serve` with real books."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.air import Air
from simulator.checkers import Reading
from simulator.clock import DAY_US, HOUR_US, SLOT_US
from simulator.headend_link import HeadendLink
from simulator.prices import FIRST_BLOCK_MILLS_PER_L
from simulator.world import World

# When each world begins: friendly hours are over, local midnight is far, and a half-hour is ten minutes old.
_MORNING_US = 8 * HOUR_US + SLOT_US // 3


class Utility:
    """One headend process for all tests of a worker. Its clock never goes back: each world begins after the last."""

    def __init__(self, folder: Path) -> None:
        self._world = World()
        self._meters = 0
        self.headend = HeadendLink(folder / "headend", 0, lambda: self._world.now_us)

    def open(self) -> None:
        """Start it and publish the price of water."""
        self.headend.start()
        self.headend.publish_price(0, FIRST_BLOCK_MILLS_PER_L)

    def new_world(self) -> World:
        """A world that begins on the morning after the last one, with nothing in it."""
        world = World()
        world.now_us = -(-self._world.now_us // DAY_US) * DAY_US + _MORNING_US
        self._world = world
        return world

    def new_customer(self, world: World) -> Office:
        """Register one more meter, and its customer."""
        self._meters += 1
        meter_id = sha256(f"bench/{self._meters}".encode()).digest()[:8]
        registered = self.headend.add_meter(meter_id, f"Amina {self._meters}", 0)
        return Office(self.headend, world, meter_id, registered.customer_number, registered.provision_hex)


class Office:
    """What can be done for one meter at the headend, and what the headend knows of it."""

    def __init__(
        self, headend: HeadendLink, world: World, meter_id: bytes, customer_number: str, provision_hex: str
    ) -> None:
        self.meter_id, self.customer_number, self.provision_hex = meter_id, customer_number, provision_hex
        self.world, self.air = world, Air(world, headend)
        self._headend = headend
        self._payments = 0

    def top_up(self, minor: int) -> None:
        """The customer pays by phone so many F CFA."""
        self._payments += 1
        outcome = self._headend.notify(f"{self.meter_id.hex()}{self._payments:04d}", self.customer_number, minor)
        assert outcome == "credited", outcome

    def reading(self) -> Reading:
        """The meter's counters as the books have them."""
        return self._headend.reading(self.meter_id)

    def cases(self) -> tuple[str, ...]:
        """What the headend found wrong with the meter."""
        return self._headend.cases(self.meter_id)

    def differs_from(self, told: dict[str, Any]) -> dict[str, tuple[int, int]]:
        """Counters that are not the same on the meter and in the books: {name: (meter, books)}."""
        books = self.reading()._asdict()
        names = ("volume_l", "credited_mills", "debited_mills", "spent_mills", "collected_mills", "balance_mills")
        return {name: (told[name], books[name]) for name in names if told[name] != books[name]}
