"""`guelta bench cuts`: what it counts, and what it refuses."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from bench import cuts


class Pretended:
    """A sweep of two operations and two flips; `spoilt` makes the interpreters disagree and a meter fail."""

    INTERPRETERS = ("micropython", "cpython")

    def __init__(self, spoilt: bool) -> None:
        self.spoilt = spoilt

    def parts(self) -> list[tuple[str, int, int]]:
        return [("a_life", 0, 1)]

    def cut_everywhere(self, name: str, part: int, count: int) -> dict[str, dict[str, Any]]:
        swept = {"sums": [1, 2, 3, 4], "journal": 9, "erases": 1, "boots": 3, "further": 1, "formats": 0}
        good = {**swept, "wrong": []}
        bad = {**swept, "sums": [1, 2, 3, 5], "wrong": [[1, 1, "raised"]]}
        return {"micropython": good, "cpython": bad if self.spoilt else good}

    def flipped(self) -> list[str]:
        return ["a_life"]

    def seed_of(self, name: str) -> int:
        return 1

    def flip_everywhere(self, name: str, flips: int, seed: int) -> dict[str, list[dict[str, Any]]]:
        even = {"kinds": {"bit": 1}, "outcomes": {"told": 1}, "sums": {"0": 7}, "formats": 0, "wrong": []}
        odd = {**even, "sums": {"1": 8}}
        return {"micropython": [even], "cpython": [odd, {**even, "sums": {"0": 7 + self.spoilt}}]}


@pytest.mark.parametrize("spoilt", [False, True])
def test_every_cut_of_both_interpreters_counts_and_any_violation_fails(
    spoilt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuts, "_runner", lambda: Pretended(spoilt))
    done = CliRunner().invoke(cuts.cuts, ["--json", "--flips", "2"])
    found = json.loads(done.stdout)
    assert (found["cut"]["cuts"], found["cut"]["operations"], found["flipped"]["flips"]) == (8, 2, 2)
    assert found["cut"]["verdicts_that_differ_between_interpreters"] == spoilt
    assert found["flipped"]["verdicts_that_differ_between_interpreters"] == spoilt
    assert found["cut"]["violations"] == spoilt
    assert done.exit_code == spoilt


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(cuts, "import_module", absent)
    done = CliRunner().invoke(cuts.cuts, [])
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "Error: the sweep needs 'littlefs': run it in a checkout with the development packages"
    )
