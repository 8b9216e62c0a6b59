"""One seed is one world: the same frames, the same books, whatever the process (FEATURES B10)."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.clock import DAY_US
from simulator.worlds.draw import ALL, CALM, draw
from simulator.worlds.scenario import Fault
from simulator.worlds.shrink import shrunk

WORLDS = Path(__file__).parents[2] / "simulator" / "worlds"
# They count seconds to stop in time, and name the commit; nothing of a world depends on them.
OUTSIDE = ("cli.py", "swarm.py", "played.py", "dump.py")
FORBIDDEN = ("time", "random", "secrets", "uuid", "os", "threading", "asyncio", "socket", "tempfile")
CLOCKS = ("now", "today", "utcnow", "monotonic", "perf_counter", "urandom", "time_ns")


def played(seed: int, hash_seed: str) -> dict[str, object]:
    """The world of a seed in a process of its own."""
    size = ("--meters", "3", "--days", "4", "--json")
    command = [sys.executable, "-m", "guelta", "sim", "world", "--seed", str(seed), *size]
    done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_same_seed_makes_the_same_trace_in_any_process() -> None:
    """B10: order of sets and dictionaries, and what a process drew before, must not matter."""
    first, second = played(11, "1"), played(11, "2")
    assert first["trace"] == second["trace"] and first["saw"] == second["saw"]
    assert first["findings"] == []
    assert played(12, "1")["trace"] != first["trace"]


def test_the_same_seed_draws_the_same_faults_whatever_else_is_drawn() -> None:
    one, again = draw(5, 4, 10, ALL), draw(5, 4, 10, ALL)
    assert one == again and one.faults
    assert draw(5, 4, 10, CALM).faults == ()
    alone = draw(5, 4, 10, "power_cut").faults
    assert set(alone) <= set(draw(5, 4, 10, ALL).faults) or "power_cut" not in {f.kind for f in one.faults}


@pytest.mark.parametrize("file", sorted(WORLDS.rglob("*.py")), ids=lambda file: file.relative_to(WORLDS).as_posix())
def test_a_world_asks_no_clock_no_dice_and_no_set_for_its_order(file: Path) -> None:
    """What would make two runs of one seed differ: wall clocks, other people's randomness, the order of a set."""
    if file.name in OUTSIDE:
        return
    assert unordered_or_unseeded(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    ["import random", "from time import sleep", "x = datetime.now()", "for one in {1, 2}: pass", "[a for a in set(b)]"],
)
def test_what_would_spoil_a_seed_is_seen(text: str) -> None:
    """The control of the rule above."""
    assert unordered_or_unseeded(text)


def unordered_or_unseeded(source: str) -> list[str]:
    """Everything in a source that could make two runs differ."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in FORBIDDEN]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] in FORBIDDEN:
            found.append(str(node.module))
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            found.append(node.attr)
        elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
            found.append("a set gives no order")
    return found


def _is_set(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return is_call or isinstance(node, ast.Set | ast.SetComp)


def test_the_shortest_story_holds_what_is_to_blame_and_nothing_else() -> None:
    """Shrinking leaves out every fault and day that a failure does not need."""
    scenario = draw(3, 4, 16, ALL)
    guilty = Fault(2 * DAY_US, "power_cut", 1, 3)
    whole = scenario._replace(faults=tuple(sorted((*scenario.faults, guilty))))
    plays = []

    def fails(tried: object) -> bool:
        plays.append(tried)
        return guilty in tried.faults  # type: ignore[attr-defined]

    short = shrunk(whole, fails)
    assert short.faults == (guilty,) and short.days == 4
    assert len(plays) <= 60
