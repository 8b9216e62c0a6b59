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

from bench.homes import Homes
from bench.latency_report import provenance
from bench.site import Site
from bench.utility import START_SLOT, Utility
from simulator.clock import DAY_US, SLOTS_PER_DAY
from simulator.lorawan import LoraOptions

DAYS, SETTLING_DAYS = 30, 2
CHANGED_DAY = 15


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
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        homes = Homes(Path(folder), meters, seed, options, CHANGED_DAY)
        try:
            homes.world.run_until((DAYS + SETTLING_DAYS) * DAY_US)
            missing = [DAYS * SLOTS_PER_DAY - len(_held(homes.utility, site.meter_id)) for site in homes.sites]
        finally:
            homes.close()
    slots, radios = meters * DAYS * SLOTS_PER_DAY, [site.radio for site in homes.sites]
    uplinks, downlinks = sum(radio.uplinks for radio in radios), sum(radio.downlinks for radio in radios)
    types = _types(homes.sites)
    return Complete(meters, slots, slots - sum(missing), sum(map(bool, missing)), uplinks, downlinks, types)


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
