"""Each planted bug is found by somebody who was not made for it; without one nobody complains (target 20)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.figures import publish
from tests.mutants.mutants import MUTANTS, Mutant
from tests.mutants.planting import NAME, ROOT, Stale, changed

# A killer is a name of killers.py, or a test that was there before any mutant.
PYTEST = ("-m", "pytest", "-q", "-p", "tests.mutants.planting")
KILLERS = sorted({mutant.killer for mutant in MUTANTS})
TESTS = [killer for killer in KILLERS if killer.startswith("tests/")]
WORLDS = [killer for killer in KILLERS if killer not in TESTS]


def hunted(mutant: Mutant | None, *killers: str) -> subprocess.CompletedProcess[str]:
    """Killers in a process of their own, with the bug or without."""
    what = (*PYTEST, *killers) if killers[0] in TESTS else ("-m", "tests.mutants.planting", *killers)
    command = [sys.executable, *what]
    environment = {**os.environ, NAME: "" if mutant is None else mutant.name}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_one_change_of_code_that_is_there(mutant: Mutant) -> None:
    """A mutant whose text has gone would be found by nobody and prove nothing."""
    assert changed(mutant, (ROOT / mutant.file).read_text(encoding="utf-8"))


def test_a_stale_mutant_is_told() -> None:
    gone = MUTANTS[0]._replace(old="what is in no file")
    with pytest.raises(Stale, match=gone.name):
        changed(gone, Path(ROOT / gone.file).read_text(encoding="utf-8"))


def test_there_are_enough_of_them() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 32


@pytest.mark.worlds
@pytest.mark.parametrize("killers", (TESTS, *(WORLDS[part::4] for part in range(4))))
def test_nobody_complains_without_a_bug(killers: list[str]) -> None:
    """The control: what finds a bug everywhere finds nothing worth finding."""
    done = hunted(None, *killers)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.worlds
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    """A killer that cannot even run is no killer: it ends with 1 for a finding, and says it."""
    done = hunted(mutant, mutant.killer)
    killed = done.returncode == 1 and done.stdout.strip() not in ("", "nothing")
    publish("mutants", mutant.name, planted=1, killed=killed)
    print(f"{mutant.name} ({mutant.breaks}): {done.stdout.strip()[:200]}")
    assert killed, f"{mutant.name} survived {mutant.killer}: {done.stdout} {done.stderr[-2000:]}"
