"""One device, whatever happens to it, is never taken for two (A1, I6, I14): honest lives from dice.

The control lives the same lives under a rule that looks right and is not: as if what arrives last were the newest word.
It must raise alarms here, or these lives are too quiet.
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from headend.ingest import clones
from tests.clones.honest import Honest
from tests.clones.scene import Scene
from tests.figures import ROUND, publish

CHUNKS, LIVES, DAYS = 2, 4, 10


def live(folder: Path, seed: str, days: int) -> tuple[str | None, Honest]:
    """What was found of a clone in one honest life, and the life."""
    folder.mkdir()
    chance = random.Random(seed)
    scene = Scene(folder, chance)
    try:
        one = Honest(scene, chance, folder)
        one.live(days)
        found = scene.world.rows("SELECT detail FROM case_file WHERE kind = 'cloned'")
        return (found[0][0] if found else None), one
    finally:
        scene.close()


@pytest.mark.worlds
@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a1_an_honest_meter_is_one(tmp_path: Path, chunk: int) -> None:
    sums: Counter[str] = Counter()
    for number in range(LIVES):
        seed = f"honest {ROUND} {chunk} {number}"
        found, one = live(tmp_path / str(number), seed, DAYS)
        assert found is None, (seed, found)
        sums.update({**one.counts, "meter_days": DAYS + 1, "frames": len(one.captured)})
    print(dict(sums))
    publish("clones", f"honest-{chunk}", false_alarms=0, **{f"honest_{name}": count for name, count in sums.items()})


@pytest.mark.worlds
@pytest.mark.slow
def test_a_rule_that_believes_in_arrival_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = clones.anchor_behind
    monkeypatch.setattr(clones, "anchor_behind", lambda anchor, state, newest: right(anchor, state, True))
    lives = (live(tmp_path / str(number), f"honest 0 0 {number}", 4)[0] for number in range(LIVES))
    assert any(found is not None for found in lives)
