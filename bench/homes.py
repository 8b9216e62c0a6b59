"""Many homes on one headend: daily reports over LoRaWAN, water as in the household data, and the changes of a month.

The money for the month is paid before it. Once, a tariff change is published and comes by radio; it acts days later.
"""

from __future__ import annotations

from pathlib import Path

from bench.site import Site
from bench.utility import BLOCKS, START_SLOT, Utility
from headend.ingest.received import Bearer
from simulator.clock import DAY_US, SLOT_US, SLOTS_PER_DAY
from simulator.household import Household, load
from simulator.lorawan import LoraOptions, LoraWan
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.world import World

REPORT_SLOTS = 48
PAID_MINOR = 1_000_000
PUBLISHED_DAY = 10


def use_water(world: World, site: Site, home: Household, taps: Stream, slot: int = 0) -> None:
    """The litres of one half-hour, at a drawn moment of it; then those of the next."""
    litres = home.litres(slot)
    if litres:
        world.at(slot * SLOT_US + taps.below(SLOT_US), site.draw, litres)
    world.at((slot + 1) * SLOT_US, use_water, world, site, home, taps, slot + 1)


class Homes:
    """`sites` are powered on; `world.run_until` lets them live. The new price acts from day `changed_day` on."""

    def __init__(self, folder: Path, meters: int, seed: int, options: LoraOptions, changed_day: int) -> None:
        self.world = World()
        self.utility = Utility(folder, seed, lambda: self.world.now_us)
        self._changed_day = changed_day
        self.sites = [self._move_in(number, seed, options) for number in range(1, meters + 1)]
        self.world.at(PUBLISHED_DAY * DAY_US, self._raise_price)

    def close(self) -> None:
        """The month is over."""
        self.utility.close()

    def _move_in(self, number: int, seed: int, options: LoraOptions) -> Site:
        meter_id, customer_number, provision_hex = self.utility.add(number, REPORT_SLOTS)
        stream = Stream(seed, f"radio/{number}")
        site = Site(
            self.world,
            self.utility,
            MeterInMemory(str(number), provision_hex),
            (meter_id, customer_number),
            Bearer.LORAWAN,
            lambda world, *ends: LoraWan(world, options, stream, *ends),
        )
        site.pay(PAID_MINOR)
        site.power_on()
        households = load()
        use_water(self.world, site, households[number % len(households)], Stream(seed, f"taps/{number}"))
        return site

    def _raise_price(self) -> None:
        dearer = [[upto_l, price + 10] for upto_l, price in BLOCKS]
        self.utility.publish(START_SLOT + self._changed_day * SLOTS_PER_DAY, dearer)
