"""Who must notice a planted bug: small worlds, each with what brings a rule to its limit.

    GUELTA_MUTANT=block_edge_off_by_one python -m tests.mutants.planting plain_month

prints what the judges find, one line each, and ends with 1 if they find anything. Without a mutant it is the control.
"""

from collections.abc import Iterator

from hil_tests.cuts import on_device
from simulator.clock import DAY_US, HOUR_US, MINUTE_US
from simulator.headend_within import HTTP, LORAWAN, UDP
from simulator.prng import Streams
from simulator.worlds import faults
from simulator.worlds.draw import CALM, draw
from simulator.worlds.played import play
from simulator.worlds.scenario import CLEAR, Fault, Link, Scenario

BAD_AIR = Link(loss_up=250, loss_down=250, duplicate=300, reorder=300, late_max_us=40 * HOUR_US)
SLOW_AIR = Link(loss_up=300, loss_down=300, duplicate=300, reorder=500, late_max_us=12 * HOUR_US)
NEAR_AIR = Link(duplicate=500, reorder=700, late_max_us=20 * MINUTE_US)


def world(
    seed: int,
    *kinds: str,
    meters: int = 3,
    days: int = 6,
    air: Link = CLEAR,
    thirsty: bool = False,
    also: tuple[Fault, ...] = (),
) -> Scenario:
    """A town with these kinds of faults alone; it lives over the end of a month, its third day is a first. A thirsty
    one pays little, in the evening of the day on which it ran dry."""
    base = draw(seed, meters, days, CALM)
    dry = {"pays_minor": 50, "first_minor": 30, "below_mills": 1, "looks_at_hours": (19,)} if thirsty else {}
    homes = tuple(
        home._replace(link=air, bearer=(UDP, HTTP, LORAWAN)[number % 3], report_slots=(12, 48)[number % 2], **dry)
        for number, home in enumerate(base.homes)
    )
    struck = [
        fault
        for kind in kinds
        for fault in faults.KINDS[kind].draw(Streams(seed).named(f"faults/{kind}"), meters, days)
    ]
    name = "+".join(sorted({*kinds, *(fault.kind for fault in also)})) or CALM
    return base._replace(profile=name, homes=homes, faults=tuple(sorted((*struck, *also))))


def at_each(kind: str, days: tuple[int, ...], a: int = 0, b: int = 0, c: int = 0) -> tuple[Fault, ...]:
    """The same to each of three homes, at ten in the morning of these days, an hour apart."""
    return tuple(
        Fault(day * DAY_US + (9 + home) * HOUR_US + HOUR_US // 5, kind, home, a, b, c)
        for day in days
        for home in (1, 2, 3)
    )


# Four policies within half an hour, so that one that comes late is older than one that waits for its half-hour.
POLICIES = tuple(
    Fault(day * DAY_US + (8 + 2 * time) * HOUR_US + minute * MINUTE_US + MINUTE_US // 3, "policy", home, minute // 7)
    for day in (0, 1)
    for time in range(4)
    for home in (1, 2, 3)
    for minute in (2, 9, 16, 23)
)

# What each killer plays, one world after another until something is found.
KILLERS: dict[str, tuple[Scenario, ...]] = {
    "plain_month": (world(1), world(2, days=8)),
    "late_frames": (world(3, "command", "policy", air=BAD_AIR), world(4, "payment_again", "replayed", air=BAD_AIR)),
    "debits": (world(34, air=BAD_AIR, days=12, also=at_each("payment_reversed", (2, 3, 4, 5, 6, 7, 8))),),
    "fine_prices": (world(5, "tariff", days=8), world(6, "tariff", days=8)),
    "clocks": (world(7, "clock_jump", days=8), world(8, "clock_jump", days=8)),
    "debts": (world(9, thirsty=True, also=at_each("debt_plan", (0,), a=400, b=25)),),
    "power": (world(11, "power_cut", "reset_storm"), world(12, "power_cut", "boot_cut")),
    "rot": (world(13, "bit_rot", "power_outage"), world(14, "bit_rot", "reset_storm")),
    "dead_flash": (world(15, "flash_dead"), world(16, "flash_dead")),
    "commands": (
        world(17, air=SLOW_AIR, days=5, also=at_each("command", (0, 1, 2, 3), a=0, b=3)),
        world(18, air=SLOW_AIR, days=5, also=at_each("command", (0, 1, 2, 3), a=1, b=24)),
    ),
    "closing": (
        world(
            36,
            air=SLOW_AIR,
            days=6,
            also=(
                *at_each("clock_jump", (1, 2, 3, 4), a=3600, b=1, c=20 * 60),
                *at_each("command", (1, 2, 3, 4), a=1, b=24),
            ),
        ),
    ),
    "policies": (world(42, thirsty=True, days=2, air=NEAR_AIR, also=POLICIES),),
    "forged": (world(21, "damaged", "spliced", "flooded"),),
    "valves": (
        world(22, thirsty=True, days=5, also=at_each("valve_stuck", (0, 2), c=2 * 24 * 60)),
        world(35, thirsty=True, days=5, also=at_each("stem_broken", (0, 2), a=1, c=2 * 24 * 60)),
    ),
    "late_tariffs": (
        world(24, "tariff", "dark", days=8),
        world(25, days=5, also=(Fault(3 * DAY_US, "tariff", 0, 250, 18, 0),)),
    ),
    "payments": (
        world(26, "payment_again", "payment_late", days=4),
        world(27, thirsty=True, days=4, also=at_each("payment_reversed", (1, 2))),
    ),
    "swaps": (world(28, "swap", days=8), world(29, "swap", days=8)),
    "restores": (world(30, days=5, also=(Fault(DAY_US, "headend_restored", 0, 2 * 24 * 60, 0),)),),
    "old_flash": (world(32, days=5, also=at_each("old_flash", (1,), a=24 * 60)),),
}


# What the judges of power cuts and spoilt flashes play: jobs of hil_tests/cuts, in this process.
CUTS: dict[str, tuple[str, ...]] = {
    "cuts": ("cuts:daily_reports:0:6",),
    "flips": ("flips:a_debit:60:7:0:1",),
    "lost_blocks": ("mounts:a_debit:1",),
}


def findings(killer: str) -> Iterator[str]:
    """What the judges find in each world of a killer."""
    for job in CUTS.get(killer, ()):
        kind, *arguments = job.split(":")
        for wrong in on_device.KINDS[kind](on_device.littlefs_module(), *arguments)["wrong"]:
            yield f"{job}: {wrong}"
    for scenario in KILLERS.get(killer, ()):
        for finding in play(scenario).findings:
            yield f"seed {scenario.seed}: {finding}"


def hunt(*killers: str) -> int:
    """Tell the first finding, or that there is none; the exit code."""
    found = next((finding for killer in killers for finding in findings(killer)), None)
    print(found or "nothing")
    return 0 if found is None else 1
