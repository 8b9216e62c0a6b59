"""Whole blocks of a living meter's flash lost: never formatted, and nobody is deceived (M5, A4)."""

import pytest

from hil_tests.cuts import runner
from tests.figures import ROUND, publish

LIVES = ("a_debit", "a_leaking_valve", "the_ring_turns")


@pytest.mark.worlds
@pytest.mark.parametrize("name", LIVES)
def test_a_lost_block_is_outvoted_or_told(name: str) -> None:
    """M5, I8, I11, I15: what one copy lost the other has; what both lost makes a new log, or safe mode, which speaks
    under fresh counters and leaves the valve alone. Nothing ever formats."""
    lost = runner.run("cpython", f"mounts:{name}:{1 + ROUND}")[0]
    assert lost["wrong"] == []
    assert lost["formats"] == 0
    assert lost["outcomes"]["safe mode"] > 4 and lost["outcomes"]["outvoted and told"] > 0
    publish("cuts", f"blocks-{name}", block_losses=sum(lost["outcomes"].values()))
