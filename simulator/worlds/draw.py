"""From a seed to a scenario: who lives there, how bad the air is, and what goes wrong when."""

from __future__ import annotations

from ..clock import HOUR_US
from ..headend_within import HTTP, LORAWAN, UDP
from ..household import load
from ..prng import Stream, Streams
from . import faults
from .scenario import CLEAR, Fault, HomePlan, Link, Scenario

CADENCES = (12, 48, 48)
CALM, ALL = "calm", "all"


def draw(seed: int, meters: int, days: int, profile: str = ALL) -> Scenario:
    """The world of a seed. `profile`: calm (nothing goes wrong), all, or one kind of fault by its name."""
    streams = Streams(seed)
    dice = streams.named("scenario")
    bad_air = profile in (ALL, "radio")
    worst = dice.below(951) if bad_air else 0
    homes = tuple(_home(dice, worst) for _ in range(meters))
    return Scenario(seed, profile, days, homes, _faults(streams, profile, meters, days))


def _home(dice: Stream, worst: int) -> HomePlan:
    below_mills, pays_minor = dice.between(0, 60) * 1000, dice.pick((50, 100, 200, 500))
    hours = dice.pick(((7,), (19,), (7, 13, 19)))
    bearer, report_slots = dice.pick((UDP, HTTP, LORAWAN)), dice.pick(CADENCES)
    link = Link(dice.below(worst + 1), dice.below(worst + 1), dice.below(300), dice.below(200), 72 * HOUR_US)
    household, first_minor = dice.below(len(load())), dice.between(20, 600)
    air = link if worst else CLEAR
    return HomePlan(household, air, bearer, report_slots, first_minor, pays_minor, below_mills, hours)


def _faults(streams: Streams, profile: str, meters: int, days: int) -> tuple[Fault, ...]:
    """Each kind is in every so many worlds; a profile of its name has it alone."""
    chosen: list[Fault] = []
    for name, kind in faults.KINDS.items():
        dice = streams.named(f"faults/{name}")
        drawn = kind.draw(dice, meters, days)
        if name == profile or (profile == ALL and streams.named(f"chosen/{name}").chance(1, kind.one_in)):
            chosen += drawn
    return tuple(sorted(chosen))
