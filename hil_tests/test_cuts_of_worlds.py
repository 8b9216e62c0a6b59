"""The power cuts that `make worlds` counts: every operation of every scenario, and the boots after them cut again."""

import pytest

from hil_tests.cuts import runner
from tests.figures import ROUND, publish

SECOND = 1  # cut of each recovery, clean or torn, at another operation for each flash
# Every cut of every recovery, both ways.
PAIRS = ("an_opening", "a_stalling_valve", "a_lost_state", "a_vulnerable_home", "a_last_move")
SHARED = ("fire", "a_debt", "provisioning")


@pytest.mark.worlds
@pytest.mark.parametrize(("name", "part", "parts"), runner.parts(runner.PARTS_OF_WORLDS))
def test_neither_a_cut_nor_one_after_it_loses_anything(name: str, part: int, parts: int) -> None:
    """M1, M2, I6–I8, I15: after every cut, clean and torn, and after cuts of the boot that follows it, the meter is
    what is true, as far as anybody was told; no counter is used twice; nothing is formatted."""
    second = -1 if name in PAIRS else SECOND
    swept = runner.run("cpython", f"cuts:{name}:{part}:{parts}:{second}:{ROUND}")[0]
    operations = swept["operations"]
    assert swept["wrong"] == []
    assert swept["formats"] == 0
    assert len(swept["sums"]) == 2 * (operations * (part + 1) // parts - operations * part // parts)
    assert swept["second"] > 0
    publish(
        "cuts",
        f"{name}-{part}",
        cuts=len(swept["sums"]) + swept["second"],
        cuts_of_recoveries=swept["second"],
        flashes_that_differed=swept["boots"],
        boots_beyond=swept["further"],
        scenarios=part == 0,
        violations=len(swept["wrong"]),
        formats=swept["formats"],
    )


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_verdict_is_the_verdict_of_a_boot_of_its_own(name: str) -> None:
    """What a boot looks at decides it: each cut booted alone finds and says what a sweep that shares verdicts says."""
    shared, alone = runner.run("cpython", f"cuts:{name}:0:1", f"alone:{name}")
    assert alone["sums"] == shared["sums"]
    assert alone["boots"] == len(alone["sums"]) > shared["boots"]
