"""The part of the million mutated frames (tests/wire/test_mutated_frames.py) that runs with the meter's own cipher."""

import os

import pytest

from tests.dual.runner import run_dual

SEED = int(os.environ.get("GUELTA_FUZZ_SEED", "20200101"))
PARTS = 4
FRAMES = 10_000
MICROPYTHON_FRAMES = PARTS * FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_meter_accepts_none_of_them_unless_it_is_canonical(part: int) -> None:
    """Both interpreters say the same to every frame: after sealing none is accepted, before it the canonical ones."""
    lines = [line.split() for line in run_dual("wire_frames_mutated", str(SEED + part), str(FRAMES)).splitlines()]
    tallies = {(way, int(direction), int(kind)): (int(a), int(r)) for way, direction, kind, a, r, _ in lines}
    after = [tally for (way, *_), tally in tallies.items() if way == "after"]
    before = [tally for (way, *_), tally in tallies.items() if way == "before"]
    print(f"seed {SEED + part}: {FRAMES} frames; after sealing {after}; before sealing {before} accepted, refused")
    assert len(after) == len(before) == 16, "every type of both directions"
    assert sum(accepted + refused for accepted, refused in after + before) == FRAMES
    assert sum(accepted for accepted, _ in after) == 0
    assert sum(accepted for accepted, _ in before) > FRAMES // 100
