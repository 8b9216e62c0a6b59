"""A world of two homes in which one thing goes wrong at noon of its second day, and what was to be seen before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.clock import DAY_US, HOUR_US
from simulator.headend_within import UDP
from simulator.worlds.life import Life
from simulator.worlds.scenario import CLEAR, Fault, HomePlan, Scenario

NOON_US = DAY_US + 12 * HOUR_US + 7_000_000
PLAN = HomePlan(59, CLEAR, UDP, 1, 200, 100, 1_000, (7, 19))


class Struck:
    """`before` is what `look` saw just before the strike; `life` stands `hours` after it."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        told: tuple[int, ...],
        hours: int = 2,
        look: Callable[[Life], Any] = lambda life: None,
        plan: HomePlan = PLAN,
    ) -> None:
        fault = Fault(NOON_US, kind, 1, *told)
        self.life = Life(Scenario(1, "test", 9, (plan, plan._replace(household=3)), (fault,)), folder)
        self.life.prepare()
        self.life.run_until(NOON_US - 1)
        self.home, self.saw = self.life.homes[0], self.life.saw.copy()
        self.before = look(self.life)
        self.life.run_until(NOON_US + hours * HOUR_US)

    def new(self, what: str) -> int:
        """How often it occurred since the strike."""
        return self.life.saw[what] - self.saw[what]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the books say."""
        return self.life.office.rows(query, *values)

    def cases(self) -> list[str]:
        """The kinds of all cases."""
        return [str(row[0]) for row in self.rows("SELECT kind FROM case_file ORDER BY id")]
