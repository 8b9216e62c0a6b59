"""A small world in which a bit of everything was done, for the tests of those who judge: played once."""

from __future__ import annotations

from pathlib import Path

from simulator.clock import DAY_US, HOUR_US
from simulator.headend_within import LORAWAN, UDP
from simulator.worlds.evidence import watchers
from simulator.worlds.life import Life
from simulator.worlds.scenario import CLEAR, Fault, HomePlan, Scenario

HOMES = (
    HomePlan(59, CLEAR, UDP, 12, 300, 100, 20_000, (7, 19)),
    HomePlan(3, CLEAR, LORAWAN, 48, 60, 50, 5_000, (7, 13, 19)),
)
FAULTS = (
    Fault(9 * HOUR_US, "debt_plan", 1, 60, 2),
    Fault(20 * HOUR_US, "command", 1, 0, 50),
    Fault(26 * HOUR_US, "payment_misdirected", 2, 1, 2, 60),
    Fault(30 * HOUR_US, "payment_again", 1, 0, 3),
    Fault(2 * DAY_US + HOUR_US, "payment_reversed", 2, 0),
    Fault(2 * DAY_US + 5 * HOUR_US, "rekey", 1),
)


def judged_world(folder: Path) -> Life:
    """Three days and their end; the caller closes it."""
    life = Life(Scenario(4, "test", 3, HOMES, FAULTS), folder, watchers())
    life.play()
    return life
