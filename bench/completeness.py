"""`guelta bench completeness`: what the headend holds of a month of bad air, and at what price.

Complete is: of the slots of the first DAYS days, those that the headend holds, in whatever frame they came. It is asked
as the month ends and after so many more days, in which meters report and the air loses as before: a hole is filled by
asking for it, and asking is lost too. The price is every frame that either side sends from power-on to the last of
these days, lost ones and those of all types included, per meter and day.
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

DAYS = 30
CHANGED_DAY = 15
SETTLED_DAYS = (0, 3, 7, 14, 30)


class Complete(NamedTuple):
    """Counts over all meters; `missing` slots by the days since the month's end, `meter_days` what frames are over."""

    meters: int
    slots: int
    missing: dict[int, int]
    meter_days: int
    uplinks: int
    downlinks: int
    frames_by_type: dict[str, int]

    def percent(self, settled_days: int) -> float:
        """How complete the month is so many days after its end."""
        return round(100 - 100 * self.missing[settled_days] / self.slots, 4)


def run(meters: int, seed: int, options: LoraOptions, settling_days: int) -> Complete:
    """A month of so many homes, each one of the household data, on one headend, and what it takes to settle."""
    missing = {}
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        homes = Homes(Path(folder), meters, seed, options, CHANGED_DAY)
        try:
            for settled_days in [days for days in SETTLED_DAYS if days < settling_days] + [settling_days]:
                homes.world.run_until((DAYS + settled_days) * DAY_US)
                missing[settled_days] = sum(_missing(homes.utility, site.meter_id) for site in homes.sites)
        finally:
            homes.close()
    radios = [site.radio for site in homes.sites]
    uplinks, downlinks = sum(radio.uplinks for radio in radios), sum(radio.downlinks for radio in radios)
    meter_days = meters * (DAYS + settling_days)
    return Complete(meters, meters * DAYS * SLOTS_PER_DAY, missing, meter_days, uplinks, downlinks, _types(homes.sites))


def _missing(utility: Utility, meter_id: bytes) -> int:
    """How many slots of the month stand in no uplink of this meter."""
    rows = utility.rows("SELECT first_slot, slot_count FROM uplink WHERE meter_id = ? AND first_slot > 0", meter_id)
    held = {slot for first, count in rows for slot in range(first, first + count)}
    return len(set(range(START_SLOT, START_SLOT + DAYS * SLOTS_PER_DAY)) - held)


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


def report(meters: int, seed: int, options: LoraOptions, settling_days: int) -> dict[str, Any]:
    """The figures of a run and how they came about."""
    result = run(meters, seed, options, settling_days)
    return {
        "complete_percent": result.percent(settling_days),
        "uplinks_per_day": round(result.uplinks / result.meter_days, 3),
        "downlinks_per_day": round(result.downlinks / result.meter_days, 3),
        "meters": meters,
        "days": DAYS,
        "settling_days": settling_days,
        "complete_percent_by_settling_days": {days: result.percent(days) for days in result.missing},
        "slots": result.slots,
        "slots_missing": result.missing[settling_days],
        "frames_by_type": result.frames_by_type,
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
@click.option("--settling", default=14, show_default=True, type=click.IntRange(0, 60), help="Days after the month.")
@click.option(
    "--answer-ms", default=60, show_default=True, type=click.IntRange(0), help="From uplink to queued answer."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def completeness(meters: int, seed: int, factor: int, loss: int, settling: int, answer_ms: int, as_json: bool) -> None:
    """Measure what the headend holds of a month of daily reports over bad air, and the frames it takes."""
    result = report(meters, seed, LoraOptions(factor, 10 * loss, 10 * loss, 1000 * answer_ms), settling)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        click.echo(f"{name:34} {value}")
