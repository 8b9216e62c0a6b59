"""One scenario played and judged: what `guelta sim`, the swarm and the tests all do."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..clock import DAY_US
from .evidence import judge, watchers
from .life import Life
from .scenario import Scenario

_IN_MEMORY = Path("/dev/shm")


class Played(NamedTuple):
    """What became of a world: its hash, how many days all its meters lived, what is wrong, and what occurred."""

    scenario: Scenario
    digest: str
    meter_days: int
    findings: tuple[str, ...]
    saw: dict[str, int]


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder for a world's books; in memory where there is such a place, since worlds are played by the hundred."""
    place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="guelta-world-", dir=place) as folder:
        yield Path(folder)


def play(scenario: Scenario, look: Callable[[Life, tuple[str, ...]], None] = lambda _life, _findings: None) -> Played:
    """Play it to its end and judge it; `look` is called while everything is still there."""
    with a_folder() as folder:
        life = Life(scenario, folder, watchers())
        try:
            findings = _lived(life)
            look(life, findings)
            return Played(scenario, life.trace.digest, _meter_days(life), findings, dict(sorted(life.saw.items())))
        finally:
            life.close()


def fails(scenario: Scenario) -> bool:
    """Whether anything is wrong with it."""
    return bool(play(scenario).findings)


def _lived(life: Life) -> tuple[str, ...]:
    """A world that cannot go on is a finding like any other: the firmware and the headend must not raise."""
    try:
        life.play()
    except Exception as raised:  # noqa: BLE001  (whatever it is, it is told with its seed)
        where = traceback.extract_tb(raised.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        life.findings.append(f"raised {type(raised).__name__} in {place}: {raised} (at {life.world.now_us} us)")
        return tuple(life.findings)
    return (*life.findings, *(str(finding) for finding in judge(life)))


def _meter_days(life: Life) -> int:
    return len(life.homes) * (life.world.now_us // DAY_US)
