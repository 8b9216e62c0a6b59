"""A thousand resets within ten minutes: what is true stays true, no counter comes twice, the flash lives on (M8)."""

import pytest

from hil_tests.cuts import runner
from tests.figures import ROUND, publish

KINDS = {"at_rest": 0, "water": 1, "money": 2}


def came_of(kind: str, seed: int) -> dict[str, int]:
    """A loop that was right."""
    found = runner.run("cpython", f"loop:{KINDS[kind]}:{seed}")[0]
    assert found["wrong"] == []
    assert 100 < found["idle"] < found["resets"] - 100  # power went within a boot, and after it
    assert found["erases"] <= 2 * found["updates"] * 13 // 10  # two copies each
    assert found["worst_block"] < found["erases"] // 16  # no block bears it alone
    return found


@pytest.mark.worlds
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_resets_in_ten_minutes(kind: str) -> None:
    """M8, I6–I9, I15: each life that comes to rest has every litre, every mill and no counter twice."""
    found = came_of(kind, 1 + ROUND)
    publish("cuts", f"loop-{kind}", resets_in_loops=found["resets"], erases_in_loops=found["erases"])


def test_resets_with_water_flowing() -> None:
    """M8, with other dice."""
    assert came_of("water", 7)["resets"] == 1000


def test_a_store_that_forgets_is_found_in_a_loop() -> None:
    """The control: a store that says done before it is."""
    assert runner.run("cpython", "control:done_too_early_in_a_loop")[0]["found"]
