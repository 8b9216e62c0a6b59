"""The code that writes slots and chooses between them does the same on both interpreters, cut by cut (FEATURES B9)."""

import pytest

from tests.dual.runner import run_dual


def test_updates_cut_everywhere_end_alike(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run_dual("update_cuts", heap="96M").splitlines()
    assert len(lines) == 34 and all(line.endswith("[]") for line in lines[:-1])
    with capsys.disabled():
        print(f"\n{lines[-1]} on each interpreter")
    assert int(lines[-1].split()[1]) > 600
