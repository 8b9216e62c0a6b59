"""Homes that buy a week's water at a time: what their meters' radios did, for the energy that it took.

Each home of the household data runs dry about once a week; its customer pays between five minutes and four hours later
and presses the button. So the stretch holds what a real one holds: reports, polls of the ladder, statements, events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.homes import use_water
from bench.site import Connect, Meter, Site
from bench.utility import BLOCKS, Utility
from headend.ingest.received import Bearer
from simulator import link
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, SLOT_US
from simulator.gprs import Gprs, GprsOptions
from simulator.household import Household, load
from simulator.lorawan import Exchange, LoraOptions, LoraWan
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.world import World

LOSS_PERMILLE = 100
_MILLS_PER_MINOR = 1_000
_PAYS_AFTER_US = (5 * MINUTE_US, 4 * HOUR_US)


class Profile(NamedTuple):
    """How a meter reports."""

    bearer: Bearer
    report_slots: int
    told: str


PROFILES = {
    "lora_daily": Profile(Bearer.LORAWAN, 48, "one report a day over LoRaWAN"),
    "lora30": Profile(Bearer.LORAWAN, 1, "a report every half-hour over LoRaWAN, each answered"),
    "gprs_daily": Profile(Bearer.UDP, 48, "one report a day over GPRS, the modem off between"),
    "gprs30": Profile(Bearer.UDP, 1, "a report every half-hour over GPRS, the modem off between"),
}


class Lived(NamedTuple):
    """What one home's meter did in so many days."""

    days: int
    litres: int
    closures: int
    exchanges: Mapping[Exchange, int]
    attached_us: int
    listened_us: int
    datagrams: int


def sample(count: int) -> list[Household]:
    """So many homes of the household data, evenly from it."""
    everyone = load()
    return [everyone[at * len(everyone) // count] for at in range(count)]


def connect(profile: Profile, spreading_factor: int, stream: Stream) -> Connect:
    """The radio of a profile, with one frame of ten lost each way."""
    loss = (LOSS_PERMILLE, LOSS_PERMILLE)
    if profile.bearer is Bearer.LORAWAN:
        return lambda world, *ends: LoraWan(world, LoraOptions(spreading_factor, *loss), stream, *ends)
    return lambda world, *ends: Gprs(world, GprsOptions(*loss), stream, *ends)


def week_minor(home: Household) -> int:
    """What a week's water costs in the first block, in minor units."""
    litres = sum(sum(day) for day in home.days) * 7 // len(home.days)
    return max(litres * BLOCKS[0][1] // _MILLS_PER_MINOR, 1)


def move_in(
    world: World,
    utility: Utility,
    meter: Meter,
    who: tuple[bytes, str],
    profile: Profile,
    radio: Connect,
    home: Household,
    stream: Stream,
    water: Callable[[World, Site, Household, Stream], None] = use_water,
) -> Site:
    """A powered meter in its home; water runs and is paid for from now on."""
    site = Site(world, utility, meter, who, profile.bearer, radio)
    site.pay(week_minor(home))
    site.power_on()
    water(world, site, home, stream)
    world.after(SLOT_US, _buy_when_dry, world, site, week_minor(home), stream)
    return site


def _buy_when_dry(world: World, site: Site, amount_minor: int, stream: Stream) -> None:
    """Look at the tap; when it is dry, pay within hours and look again."""
    if site.valve.position == link.END_CLOSED:
        pays_us = stream.between(*_PAYS_AFTER_US)
        world.after(pays_us, _buy, site, amount_minor)
        world.after(pays_us + SLOT_US, _buy_when_dry, world, site, amount_minor, stream)
    else:
        world.after(SLOT_US, _buy_when_dry, world, site, amount_minor, stream)


def _buy(site: Site, amount_minor: int) -> None:
    site.pay(amount_minor)
    site.press()


def live(profile: Profile, spreading_factor: int, homes: list[Household], days: int, seed: int) -> list[Lived]:
    """All homes on one headend, for so many days."""
    world = World()
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        utility = Utility(Path(folder), seed, lambda: world.now_us)
        try:
            sites = []
            for number, home in enumerate(homes, 1):
                meter_id, customer, provision_hex = utility.add(number, profile.report_slots)
                radio = connect(profile, spreading_factor, Stream(seed, f"radio/{number}"))
                meter = MeterInMemory(str(number), provision_hex)
                taps = Stream(seed, f"taps/{number}")
                sites.append(move_in(world, utility, meter, (meter_id, customer), profile, radio, home, taps))
            world.run_until(days * DAY_US)
        finally:
            utility.close()
    return [_lived(site, days) for site in sites]


def _lived(site: Site, days: int) -> Lived:
    radio = site.radio
    exchanges = radio.exchanges if isinstance(radio, LoraWan) else {}
    attached_us, listened_us = (radio.attached_us, radio.listened_us) if isinstance(radio, Gprs) else (0, 0)
    datagrams = radio.uplinks + radio.downlinks if isinstance(radio, Gprs) else 0
    return Lived(days, site.litres, site.valve.closures, exchanges, attached_us, listened_us, datagrams)
