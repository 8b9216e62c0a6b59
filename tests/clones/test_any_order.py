"""Frames of one meter in any order, any number of times, at any time (hypothesis): never two meters (R2, R4, A1)."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headend.ingest import clones
from protocol.rules.calendar import slot_of, slot_start
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

BLOCK = 64
ACTS = ("use", "report", "again", "anchor", "device", "poll", "boot", "leap")
lives = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), min_size=5, max_size=60)


def frames_of(meter: VirtualMeter, life: list[tuple[str, int]]) -> list[tuple[int, bytes]]:
    """(slot of the meter's clock, frame) of an honest life: water, reports, re-sends, boots, leaps."""
    sealed = []
    for act, number in life:
        if act == "use":
            meter.use([number % 7, 0])
        elif act == "leap":
            meter.use([0] * (number % 12))
        elif act == "boot":
            meter.counter = (meter.counter // BLOCK + 1 + number % 3) * BLOCK
        elif act == "report":
            count = 1 + number % len(meter.log)
            sealed.append(meter.report(len(meter.log) - count, count))
        elif act == "again":
            first = number % len(meter.log)
            sealed.append(meter.report(first, 1 + number % (len(meter.log) - first)))
        else:
            sealed.append(getattr(meter, act)())
    return [(meter.slot, frame) for frame in sealed]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One headend; each life is another meter's, later than the last one's."""
    made = World(tmp_path_factory.mktemp("books"), random.Random(1))
    yield made
    made.close()


def alarm(world: World, life: list[tuple[str, int]], seed: int) -> bool:
    """Whether an honest life, its frames shuffled and half of them doubled, is taken for two."""
    chance = random.Random(seed)
    number = 1 + world.one("SELECT count(*) FROM meter")
    meter = world.add(number, start_slot=slot_of(world.clock.unix_us() // 1_000_000))
    world.pay(meter.number, 100_000, f"first {number}")
    meter.use([3] * 4)
    world.receive(meter, meter.report(0, 4))
    frames = frames_of(meter, life)
    frames += chance.choices(frames, k=len(frames)) if frames else []
    chance.shuffle(frames)
    for slot, frame in frames:
        heard_s = slot_start(slot) + chance.randint(-40_000, 90_000)
        world.clock.set(max(world.clock.unix_us(), heard_s * 1_000_000))
        world.lose_answer(meter, frame)
    return bool(world.rows("SELECT detail FROM case_file WHERE kind = 'cloned' AND meter_id = ?", meter.meter_id))


@settings(max_examples=40, deadline=None)
@given(life=lives, seed=st.integers(0, 2**32))
def test_one_meter_in_any_order_is_one(world: World, life: list[tuple[str, int]], seed: int) -> None:
    assert not alarm(world, life, seed)


def test_a_rule_that_takes_arrival_for_order_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dice are bad enough: as if each frame that comes were the newest word."""
    right = clones.anchor_behind
    monkeypatch.setattr(clones, "anchor_behind", lambda anchor, state, newest: right(anchor, state, True))
    chance = random.Random(3)
    for seed in range(100):
        life = [(chance.choice(ACTS), chance.randint(0, 40)) for _ in range(40)]
        if alarm(world, life, seed):
            return
    raise AssertionError("no alarm in a hundred lives")
