"""Two devices with the same keys and the same past: told before the quieter one has spoken a third time (A1, I6, I14).

A meter lives, somebody copies its flash at a random moment, and the copy is switched on at once, hours or days later,
with a right clock chip or none; meanwhile the first may have been reset or not. From the moment both have been heard it
is counted how often each speaks (a report, or whatever frames it sends within a minute) until the case is open. Frames
that are byte for byte those of the other count for nobody: as long as the two say the same they are one meter.
"""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.ingest import clones
from headend.ingest.received import Bearer
from headend.ledger.checks import check_books
from tests.clones.scene import DAY_S, HOUR_S, Device, Scene
from tests.figures import ROUND, publish

CADENCES = {
    "30min": (1, Bearer.UDP),
    "6h": (12, Bearer.UDP),
    "daily": (48, Bearer.UDP),
    "lora_daily": (48, Bearer.LORAWAN),
}
CLONES = 50
LIMIT = 2


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, random.Random(1))
    yield made
    made.close()


def lives_twice(scene: Scene, chance: random.Random, number: int, report_slots: int) -> tuple[Device, Device]:
    """A meter with a past, and its copy; both have power, and neither was heard since the copy was made."""
    first = scene.add(number, report_slots)
    scene.water(first, chance, chance.choice((0.2, 0.6, 1.0)))
    scene.run(chance.randint(2 * HOUR_S, 30 * HOUR_S) + (report_slots // 12) * chance.randint(0, 12 * HOUR_S))
    twin = first.copy()
    if chance.random() < 0.3:
        first.reset()  # it was opened for the copy
    return first, twin


def until_told(scene: Scene, chance: random.Random, first: Device, twin: Device, report_slots: int) -> int:
    """How often the quieter of the two was heard, from when both were, until the case was open."""
    copied_s = scene.now_s
    scene.run(chance.choice((0, chance.randint(1, HOUR_S), chance.randint(HOUR_S, 3 * DAY_S))))
    scene.devices.append(twin)
    scene.water(twin, chance, chance.choice((0.2, 0.6, 0.9)))
    twin.power_on(clock_valid=chance.random() < 0.7)
    scene.run_until(
        scene.now_s + max(2 * DAY_S, 9 * report_slots * 1_800), lambda: scene.witness(first.meter_id) is not None
    )
    since_s = max(
        min((at for at, _ in own(one, other) if at >= copied_s), default=scene.now_s)
        for one, other in pair(first, twin)
    )
    return min(times(own(one, other), since_s) for one, other in pair(first, twin))


def pair(first: Device, twin: Device) -> tuple[tuple[Device, Device], tuple[Device, Device]]:
    return (first, twin), (twin, first)


def own(one: Device, other: Device) -> list[tuple[int, bytes]]:
    """What one said that the other did not say too."""
    said = {frame for _, frame in other.arrived}
    return [(at_s, frame) for at_s, frame in one.arrived if frame not in said]


def times(arrived: list[tuple[int, bytes]], since_s: int) -> int:
    spoken, last_s = 0, -60
    for at_s, _ in arrived:
        if at_s >= since_s and at_s - last_s >= 60:
            spoken, last_s = spoken + 1, at_s
    return spoken


@pytest.mark.worlds
@pytest.mark.slow
@pytest.mark.parametrize("cadence", CADENCES)
def test_a1_a_clone_is_told_within_two_uplinks(scene: Scene, cadence: str) -> None:
    chance = random.Random(f"clones {cadence} {ROUND}")
    report_slots, scene.bearer = CADENCES[cadence]
    needed: Counter[int] = Counter()
    by: Counter[str] = Counter()
    for number in range(1, CLONES + 1):
        first, twin = lives_twice(scene, chance, number, report_slots)
        told_after = until_told(scene, chance, first, twin, report_slots)
        witness = scene.witness(first.meter_id)
        assert witness is not None, (cadence, number, "never told")
        needed[told_after] += 1
        by[witness] += 1
        assert scene.world.one("SELECT state FROM meter WHERE meter_id = ?", first.meter_id) == "quarantined"
        scene.devices.clear()
    print(cadence, "told after", dict(sorted(needed.items())), "by", dict(by))
    assert max(needed) <= LIMIT
    assert scene.world.reader.read(check_books) == []
    publish("clones", cadence, clones=CLONES, told_at_first=needed[1] + needed[0], told_at_second=needed[2])


def test_a_headend_that_tells_nothing_is_caught(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure itself: without the finding, the two speak on and on."""
    monkeypatch.setattr(clones, "report", lambda *_: None)
    chance = random.Random(1)
    first, twin = lives_twice(scene, chance, 1, 1)
    assert until_told(scene, chance, first, twin, 1) > LIMIT
    assert scene.witness(first.meter_id) is None
