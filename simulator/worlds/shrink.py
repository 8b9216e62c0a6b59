"""From a world that failed to the shortest story that still fails: fewer faults, fewer days.

A scenario holds every fault as a value and throws no more dice about them, so leaving some out changes nothing else
that was drawn (ddmin: Zeller, Hildebrandt 2002).
"""

from __future__ import annotations

from collections.abc import Callable

from ..clock import DAY_US
from .scenario import Fault, Scenario

Fails = Callable[[Scenario], bool]


def shrunk(scenario: Scenario, fails: Fails, plays_max: int = 60) -> Scenario:
    """A scenario with a part of the faults and days of one that fails, which fails too; after at most so many plays."""
    budget = _Budget(fails, plays_max)
    shorter = _fewer_days(scenario, budget)
    fewer = _fewer_faults(shorter, budget)
    return _fewer_days(fewer, budget)


class _Budget:
    """Plays a scenario as long as there are plays left; after that nothing fails any more."""

    def __init__(self, fails: Fails, plays: int) -> None:
        self._fails, self._plays = fails, plays

    def fails(self, scenario: Scenario) -> bool:
        if not self._plays:
            return False
        self._plays -= 1
        return self._fails(scenario)


def _fewer_faults(scenario: Scenario, budget: _Budget) -> Scenario:
    faults, parts = scenario.faults, 2
    while faults:
        size = -(-len(faults) // parts)
        for start in range(0, len(faults), size):
            rest = faults[:start] + faults[start + size :]
            if budget.fails(scenario._replace(faults=rest)):
                faults, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(faults))
    return scenario._replace(faults=faults)


def _fewer_days(scenario: Scenario, budget: _Budget) -> Scenario:
    """Half of the days, again and again, and the faults that are still within them."""
    while scenario.days > 1:
        days = scenario.days // 2
        half = scenario._replace(days=days, faults=_until(scenario.faults, days))
        if not budget.fails(half):
            break
        scenario = half
    return scenario


def _until(faults: tuple[Fault, ...], days: int) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if fault.at_us < days * DAY_US)
