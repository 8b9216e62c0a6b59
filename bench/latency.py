"""`guelta bench latency`: from a committed payment to the valve's end-stop, by radio and by what the meter does.

The firmware's own code against the headend's own books, in lock-step virtual time. Every trial commits a payment at a
drawn moment of a dry spell, waits until the valve has moved on the meter's command, and uses the water up again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.site import Connect, Meter, Site
from bench.utility import Utility
from headend.ingest.received import Bearer
from simulator import link
from simulator.clock import HOUR_US, MINUTE_US, SECOND_US
from simulator.gprs import Gprs, GprsOptions
from simulator.lorawan import LoraOptions, LoraWan
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.world import World

PAID_MINOR = 100
DRAWN_L = 20
# A trial that has no water by then counts as this long.
GIVEN_UP_US = 72 * HOUR_US

MakeMeter = Callable[[str], Meter]


class Profile(NamedTuple):
    """How a meter reports, and when in the dry spell its customer pays: `paid_us` after the valve closed."""

    bearer: Bearer
    report_slots: int
    paid_us: tuple[int, int]
    press: bool
    told: str


DAY_US = 24 * HOUR_US
PROFILES = {
    "gprs30-passive": Profile(
        Bearer.UDP,
        1,
        (DAY_US, 2 * DAY_US),
        False,
        "half-hourly reports over GPRS; paid 24 to 48 h after the valve closed",
    ),
    "gprs30-ladder": Profile(
        Bearer.UDP, 1, (0, DAY_US), False, "half-hourly reports over GPRS; paid within 24 h of the valve's closing"
    ),
    "lora_daily-ladder": Profile(
        Bearer.LORAWAN, 48, (0, DAY_US), False, "one report a day over LoRaWAN; paid within 24 h of the valve's closing"
    ),
    "lora_daily-button": Profile(
        Bearer.LORAWAN, 48, (0, DAY_US), True, "the same, and the button is pressed as the payment is committed"
    ),
}


class Cell(NamedTuple):
    """One row of the table; `spreading_factor` is 0 over GPRS. Loss is per frame and the same each way."""

    profile: str
    spreading_factor: int
    loss_permille: int


class Outcome(NamedTuple):
    """A cell's latencies in trial order, frames sent each way, and all that the meter's antenna sent and heard."""

    latencies_us: tuple[int, ...]
    uplinks: int
    downlinks: int
    trace: tuple[tuple[int, str, bytes], ...]


def cells(profiles: Sequence[str], spreading_factors: Sequence[int], losses_permille: Sequence[int]) -> list[Cell]:
    """Every combination; over GPRS there are no spreading factors."""
    return [
        Cell(profile, factor, loss)
        for profile in profiles
        for factor in (spreading_factors if PROFILES[profile].bearer is Bearer.LORAWAN else (0,))
        for loss in losses_permille
    ]


def connect(cell: Cell, seed: int) -> Connect:
    """The radio of a cell."""
    stream = Stream(seed, f"radio/{cell}")
    loss = (cell.loss_permille, cell.loss_permille)
    if PROFILES[cell.profile].bearer is Bearer.LORAWAN:
        return lambda world, *ends: LoraWan(world, LoraOptions(cell.spreading_factor, *loss), stream, *ends)
    return lambda world, *ends: Gprs(world, GprsOptions(*loss), stream, *ends)


def in_memory(provision_hex: str) -> Meter:
    """The firmware under CPython."""
    return MeterInMemory("bench", provision_hex)


def run(cell: Cell, trials: int, seed: int, make_meter: MakeMeter = in_memory) -> Outcome:
    """All trials of a cell, one after another on one meter."""
    profile, world, moments = PROFILES[cell.profile], World(), Stream(seed, f"moments/{cell}")
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        utility = Utility(Path(folder), seed, lambda: world.now_us)
        meter_id, number, provision_hex = utility.add(1, profile.report_slots)
        site = Site(world, utility, make_meter(provision_hex), (meter_id, number), profile.bearer, connect(cell, seed))
        try:
            site.power_on()
            latencies = [_trial(world, site, profile, moments) for _ in range(trials)]
        finally:
            site.meter.dispose()
            utility.close()
    return Outcome(tuple(latencies), site.radio.uplinks, site.radio.downlinks, tuple(site.trace))


def _trial(world: World, site: Site, profile: Profile, moments: Stream) -> int:
    """Use up the credit, wait, pay; microseconds from the commit to the end-stop."""
    while site.valve.position != link.END_CLOSED:
        site.draw(DRAWN_L)
        world.run_until(world.now_us + SECOND_US)
    world.run_until(world.now_us + moments.between(*profile.paid_us))
    paid_us = world.now_us
    site.pay(PAID_MINOR)
    if profile.press:
        site.press()
    while site.opened_us is None and world.now_us < paid_us + GIVEN_UP_US:
        world.run_until(world.now_us + MINUTE_US)
    return GIVEN_UP_US if site.opened_us is None else site.opened_us - paid_us


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent do not exceed (nearest rank)."""
    return sorted(values)[-(-percent * len(values) // 100) - 1]
