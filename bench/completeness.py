"""`guelta bench completeness`: what the headend holds after a month of bad air, and at what price.

Complete is: of the slots of the first DAYS days, those that the headend holds (in whatever frame they came) at the end
of SETTLING_DAYS more days, in which the meters report and the air loses as before. The price is every frame that either
side sends from power-on to that end, lost ones and those of all types included, per meter and day.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click

from bench.latency_report import provenance
from bench.site import Site
from bench.utility import BLOCKS, START_SLOT, Utility
from headend.ingest.received import Bearer
from simulator.clock import DAY_US, SLOT_US, SLOTS_PER_DAY
from simulator.household import Household, load
from simulator.lorawan import LoraOptions, LoraWan
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.world import World

DAYS, SETTLING_DAYS = 30, 2
REPORT_SLOTS = 48
# Enough for the month, before it: what is measured is the log. One tariff change comes by radio.
PAID_MINOR = 1_000_000
PUBLISHED_DAY, CHANGED_DAY = 10, 15


class Complete(NamedTuple):
    """Counts over all meters."""

    meters: int
    slots: int
    held: int
    incomplete_meters: int
    uplinks: int
    downlinks: int
    frames_by_type: dict[str, int]

    @property
    def meter_days(self) -> int:
        """What frames a day are counted over."""
        return self.meters * (DAYS + SETTLING_DAYS)


def run(meters: int, seed: int, options: LoraOptions) -> Complete:
    """A month of so many homes, each one of the household data, on one headend."""
    world = World()
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        utility = Utility(Path(folder), seed, lambda: world.now_us)
        try:
            sites = [_site(world, utility, number, seed, options) for number in range(1, meters + 1)]
            world.at(PUBLISHED_DAY * DAY_US, _raise_price, utility)
            world.run_until((DAYS + SETTLING_DAYS) * DAY_US)
            missing = [DAYS * SLOTS_PER_DAY - len(_held(utility, site.meter_id)) for site in sites]
            types = _types(sites)
        finally:
            utility.close()
    slots = meters * DAYS * SLOTS_PER_DAY
    uplinks, downlinks = sum(site.radio.uplinks for site in sites), sum(site.radio.downlinks for site in sites)
    return Complete(meters, slots, slots - sum(missing), sum(map(bool, missing)), uplinks, downlinks, types)


def _site(world: World, utility: Utility, number: int, seed: int, options: LoraOptions) -> Site:
    """One home, moved into at the start, with money for the month."""
    meter_id, customer_number, provision_hex = utility.add(number, REPORT_SLOTS)
    stream = Stream(seed, f"radio/{number}")
    site = Site(
        world,
        utility,
        MeterInMemory(str(number), provision_hex),
        (meter_id, customer_number),
        Bearer.LORAWAN,
        lambda world, *ends: LoraWan(world, options, stream, *ends),
    )
    site.pay(PAID_MINOR)
    site.power_on()
    households = load()
    _use_water(world, site, households[number % len(households)], Stream(seed, f"taps/{number}"), 0)
    return site


def _use_water(world: World, site: Site, home: Household, taps: Stream, slot: int) -> None:
    """The litres of one half-hour, at a drawn moment of it; then those of the next."""
    litres = home.litres(slot)
    if litres:
        world.at(slot * SLOT_US + taps.below(SLOT_US), site.draw, litres)
    world.at((slot + 1) * SLOT_US, _use_water, world, site, home, taps, slot + 1)


def _raise_price(utility: Utility) -> None:
    dearer = [[upto_l, price + 10] for upto_l, price in BLOCKS]
    utility.publish(START_SLOT + CHANGED_DAY * SLOTS_PER_DAY, dearer)


def _held(utility: Utility, meter_id: bytes) -> set[int]:
    """Slots of the month that stand in some uplink of this meter."""
    rows = utility.rows("SELECT first_slot, slot_count FROM uplink WHERE meter_id = ? AND first_slot > 0", meter_id)
    held = {slot for first, count in rows for slot in range(first, first + count)}
    return held & set(range(START_SLOT, START_SLOT + DAYS * SLOTS_PER_DAY))


def _types(sites: list[Site]) -> dict[str, int]:
    """Uplinks sent and downlinks heard, by message type."""
    names = {
        "up": ("DAY", "RANGE", "POLL", "EVENT", "ANCHOR", "GAP", "DEVICE", "EXTENDED"),
        "down": ("STATEMENT", "TIME", "NACK", "TARIFF", "POLICY", "COMMAND", "PLAN", "EXTENDED"),
    }
    counts: dict[str, int] = {}
    for site in sites:
        for _, direction, frame in site.trace:
            name = f"{direction} {names[direction][frame[0] >> 3 & 7]}"
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def report(meters: int, seed: int, options: LoraOptions) -> dict[str, Any]:
    """The figures of a run and how they came about."""
    result = run(meters, seed, options)
    return {
        "complete_percent": round(100 * result.held / result.slots, 4),
        "uplinks_per_day": round(result.uplinks / result.meter_days, 3),
        "downlinks_per_day": round(result.downlinks / result.meter_days, 3),
        **result._asdict(),
        "days": DAYS,
        "settling_days": SETTLING_DAYS,
        "spreading_factor": options.spreading_factor,
        "loss_each_way_percent": options.loss_up_permille / 10,
        "answer_ms": options.answer_us // 1000,
        **provenance(seed),
    }


@click.command()
@click.option("--meters", default=50, show_default=True, type=click.IntRange(1), help="Homes of the household data.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another sample.")
@click.option("--sf", "factor", default=10, show_default=True, type=click.IntRange(7, 12), help="Spreading factor.")
@click.option("--loss", default=30, show_default=True, type=click.IntRange(0, 90), help="Per cent each way.")
@click.option(
    "--answer-ms", default=60, show_default=True, type=click.IntRange(0), help="From uplink to queued answer."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def completeness(meters: int, seed: int, factor: int, loss: int, answer_ms: int, as_json: bool) -> None:
    """Measure what the headend holds of a month of daily reports over bad air, and the frames it takes."""
    result = report(meters, seed, LoraOptions(factor, 10 * loss, 10 * loss, 1000 * answer_ms))
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        click.echo(f"{name:24} {value}")
