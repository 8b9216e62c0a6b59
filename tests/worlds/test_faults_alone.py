"""A world of each kind of fault alone passes every check (I1–I25), in other worlds each night."""

from pathlib import Path

import pytest

from simulator.worlds import faults
from simulator.worlds.draw import draw
from simulator.worlds.played import play
from tests.figures import ROUND, publish

METERS, DAYS = 2, 6


@pytest.mark.worlds
@pytest.mark.parametrize("kind", sorted(faults.KINDS))
def test_a_world_of_one_kind_of_fault_is_right(kind: str, tmp_path: Path) -> None:
    """The seed of a failure is in its message: `guelta sim world --seed N --meters 2 --days 6 --faults KIND`."""
    seed = 1_000 + ROUND
    played = play(draw(seed, METERS, DAYS, kind))
    assert played.saw[f"fault {kind}"], "it never struck"
    assert played.findings == (), (seed, kind, played.findings)
    publish("faults", kind, worlds=1, meter_days=played.meter_days, strikes=played.saw[f"fault {kind}"])
