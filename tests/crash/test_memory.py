"""Allocations of the SQLite library fail in turn: nothing by halves, and the writer goes on (H3, I13)."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.figures import ROUND, publish
from tests.headend.world import World

ROOT = Path(__file__).parents[2]


STEP = 17


def tried(folder: Path, first: int, step: int) -> dict[str, object]:
    """What came of it, in a process of its own: the allocator can be changed only before the library is used."""
    folder.mkdir()
    World(folder, random.Random(7)).close()
    command = [sys.executable, "-m", "tests.crash.memory", str(folder), str(first), str(step)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=280)
    return dict(json.loads(done.stdout))


@pytest.mark.worlds
def test_allocations_fail_in_turn(fast: Path) -> None:
    """H3, I1, I2, I13: in seventeen rounds each of them; what was told done is there with its link, all else is not."""
    found = tried(fast / "life", 1 + ROUND % STEP, STEP)
    print(found)
    assert found["violations"] == []
    assert int(str(found["failed"])) > 300
    publish("crash", "allocations", failed_allocations=int(str(found["failed"])))


def test_h3_memory_that_runs_out_leaves_the_writer_alive(fast: Path) -> None:
    """H3: the ROLLBACK itself may find no memory; the writer that ended with it answered no later job."""
    found = tried(fast / "life", 1, 61)
    assert found["violations"] == []
    assert int(str(found["failed"])) > 50
