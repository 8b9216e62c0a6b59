"""Each thing that gives a clone away by itself, and the honest meter that looks most like one (A1, I6, I14)."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.ingest.received import Refusal
from headend.ledger.checks import check_books
from headend.meters import commands
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from protocol.rules.calendar import slot_start
from protocol.wire.command_codes import DONE, TELL
from protocol.wire.messages import Command, Device
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

DAY = 48
BLOCK = 64
HOUR_US = 3_600_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, random.Random(1))
    yield made
    made.close()


@pytest.fixture
def meter(world: World) -> VirtualMeter:
    """A meter with money and twenty half-hours, all of them told."""
    made = world.add()
    world.pay(made.number, 100_000, "first")
    made.use([5] * 20)
    at(world, made)
    world.receive(made, made.report(0, 20))
    assert made.credited_mills > 0
    return made


def at(world: World, meter: VirtualMeter, seconds: int = 60) -> None:
    """It is so many seconds into the meter's open half-hour."""
    world.clock.set((slot_start(meter.slot) + seconds) * 1_000_000)


def booted(meter: VirtualMeter) -> VirtualMeter:
    """A copy of a meter in another box: it begins with the next block of counters, as after any boot."""
    twin = copy.deepcopy(meter)
    twin.counter = (meter.counter // BLOCK + 1) * BLOCK
    return twin


def witness(world: World) -> str | None:
    rows = world.rows("SELECT detail ->> 'witness' FROM case_file WHERE kind = 'cloned'")
    assert (world.one("SELECT state FROM meter") == "quarantined") == bool(rows)
    return rows[0][0] if rows else None


def last(meter: VirtualMeter, slots: int) -> bytes:
    return meter.report(len(meter.log) - slots, slots)


def test_a_half_hour_that_was_over_is_still_to_come_in_a_later_frame(world: World, meter: VirtualMeter) -> None:
    twin = booted(meter)
    world.receive(twin, twin.anchor())
    meter.use([0])
    at(world, meter)
    world.receive(meter, last(meter, 1))
    assert witness(world) == "slot"
    assert world.reader.read(check_books) == []


def test_a_report_overtaken_by_the_anchor_of_a_boot_is_honest(world: World, meter: VirtualMeter) -> None:
    """R2: sealed before the boot, heard three days after it."""
    meter.use([5])
    late = last(meter, 1)
    meter.counter = (meter.counter // BLOCK + 1) * BLOCK
    at(world, meter)
    world.receive(meter, meter.anchor())
    world.clock.set(world.clock.unix_us() + 72 * HOUR_US)
    assert world.lose_answer(meter, late).refusal is None
    assert witness(world) is None


@pytest.mark.parametrize("litres", [[6, 5], [5, 6, 7], [5, 4]])
def test_one_counter_says_two_things(world: World, meter: VirtualMeter, litres: list[int]) -> None:
    """I6: also where V, S and the number of half-hours are the same, and only the litres of each are not."""
    twin = copy.deepcopy(meter)
    meter.use([5, 6])
    at(world, meter)
    frame = last(meter, 2)
    for _ in range(3):
        world.receive(meter, frame)
    assert witness(world) is None
    twin.use(litres)
    world.lose_answer(twin, last(twin, len(litres)))
    assert witness(world) == "counter"
    assert world.reader.read(check_books) == []


def test_one_half_hour_says_two_things(world: World, meter: VirtualMeter) -> None:
    twin = booted(meter)
    for one, litres in ((meter, 3), (twin, 4)):
        one.use([litres])
        at(world, one)
        world.lose_answer(one, last(one, 1))
    assert witness(world) == "half-hour"


def test_the_register_of_a_later_frame_stands_lower(world: World, meter: VirtualMeter) -> None:
    twin = booted(meter)
    meter.use([9] * 3)
    at(world, meter)
    world.receive(meter, last(meter, 3))
    twin.use([0] * 4)
    at(world, twin)
    world.lose_answer(twin, twin.anchor())
    assert witness(world) == "volume"


def device(meter: VirtualMeter, boots: int, command: int = 0) -> bytes:
    head = (0, 0, meter.statement, meter.acked_slot, 1, 1, 0, boots, 0, 3_600, 100)
    return meter.seal(Device(*head, command, 48, 0))


def test_a_later_frame_counts_fewer_boots(world: World, meter: VirtualMeter) -> None:
    old = copy.deepcopy(meter)
    world.receive(meter, device(meter, 7))
    late = device(meter, 8)
    meter.counter = (meter.counter // BLOCK + 1) * BLOCK
    world.receive(meter, device(meter, 9))
    world.lose_answer(meter, late)
    assert witness(world) is None
    old.counter = meter.counter
    world.lose_answer(old, device(old, 8))
    assert witness(world) == "boots"


def ordered(world: World, meter: VirtualMeter) -> Command:
    until_s = world.clock.unix_us() // 1_000_000 + 3_600
    made = world.writer.run(lambda tx: commands.order(tx, meter.meter_id, TELL, 0, 0, until_s))
    return Command(made.number, until_s, TELL, 0, 0)


def test_an_order_was_done_before_it_was_given(world: World, meter: VirtualMeter) -> None:
    """D1: a RESULT that was overtaken is honest; one below a counter that was heard before the order is not."""
    first = ordered(world, meter)
    late = meter.result(first, DONE, 0)
    world.clock.set(world.clock.unix_us() + HOUR_US)
    meter.counter = (meter.counter // BLOCK + 1) * BLOCK
    world.receive(meter, meter.poll())
    world.lose_answer(meter, late)
    assert witness(world) is None
    twin = booted(meter)
    world.receive(twin, twin.poll())
    world.clock.set(world.clock.unix_us() + HOUR_US)
    world.lose_answer(meter, meter.result(ordered(world, meter), DONE, 0))
    assert witness(world) == "order"


def test_the_keys_of_before_come_after_the_new_ones(world: World, meter: VirtualMeter) -> None:
    """D4: a capture from before the change is harmless; the old keys above a counter of the new ones are not."""
    capture, twin = meter.poll(), copy.deepcopy(meter)
    world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    meter.change_keys(1)
    world.receive(meter, meter.poll())
    assert world.lose_answer(meter, capture).refusal is Refusal.REPLAYED
    assert witness(world) is None
    twin.counter = meter.counter
    assert world.lose_answer(twin, twin.poll()).refusal is Refusal.REPLAYED
    assert witness(world) == "epoch"


def test_a_time_long_after_a_later_frame_was_heard(world: World, meter: VirtualMeter) -> None:
    twin = copy.deepcopy(meter)
    meter.counter += 5
    world.receive(meter, meter.poll())
    twin.use([0] * 2 * DAY)
    at(world, twin)
    world.lose_answer(twin, last(twin, DAY))
    assert witness(world) == "time"


def test_a_clock_that_runs_ahead_proves_nothing(world: World, meter: VirtualMeter) -> None:
    """C3: thirty hours ahead, as its other frames of about then show, and overtaken."""
    meter.use([0] * 60)
    late, shown = last(meter, 30), meter.report(20, 30)
    meter.counter += 5
    world.receive(meter, meter.poll())
    world.lose_answer(meter, shown)
    at(world, meter)
    world.lose_answer(meter, late)
    assert witness(world) is None


def test_a_time_soon_after_is_asked_about(world: World, meter: VirtualMeter) -> None:
    """A clock may be wrong by hours: the meter is asked to tell once, and the number in its answer proves it."""
    twin = copy.deepcopy(meter)
    meter.counter += 5
    world.receive(meter, meter.poll())
    twin.use([0] * 3)
    at(world, twin)
    for slots in (2, 1):
        world.lose_answer(twin, last(twin, slots))
    assert witness(world) is None
    assert world.rows("SELECT number, code, state FROM meter_command") == [(1, TELL, "wanted")]
    world.lose_answer(twin, twin.result(Command(1, 0, TELL, 0, 0), DONE, 0))
    assert witness(world) == "order"


def test_a_capture_of_a_year_ago_is_no_clone(world: World, meter: VirtualMeter) -> None:
    """R4: the 14 bits of a slot come again after 341 days; an old frame is read by its own time."""
    captured = []
    for _ in range(70):
        meter.use([0] * 250)
        at(world, meter)
        captured.append(last(meter, 250))
        world.receive(meter, captured[-1])
    world.receive(meter, meter.anchor())
    for frame in captured:
        world.lose_answer(meter, frame)
    assert world.lose_answer(meter, captured[0]).refusal is Refusal.REPLAYED
    assert world.one("SELECT count(*) FROM uplink") == 72
    assert witness(world) is None


def test_a_copy_of_long_ago_goes_on_below_the_window(world: World, meter: VirtualMeter) -> None:
    twin = copy.deepcopy(meter)
    for _ in range(80):
        meter.use([1])
        at(world, meter)
        world.receive(meter, last(meter, 1))
    unheard = meter.poll()
    meter.counter += 100
    world.receive(meter, meter.poll())
    assert world.lose_answer(meter, unheard).refusal is Refusal.REPLAYED
    assert witness(world) is None
    twin.slot = meter.slot
    assert world.lose_answer(twin, twin.anchor()).refusal is Refusal.REPLAYED
    assert witness(world) is not None


def test_a4_nothing_is_posted_of_a_clone_until_a_renewal_shuts_it_out(world: World, meter: VirtualMeter) -> None:
    """A4: facts are kept, the books check and can be rebuilt; a fresh root ends it, and the case."""
    twin = booted(meter)
    for one, litres in ((meter, 3), (twin, 4)):
        one.use([litres])
        at(world, one)
        world.lose_answer(one, last(one, 1))
    frontier = world.one("SELECT frontier_slot FROM meter_state")
    meter.use([5] * 4)
    at(world, meter)
    world.lose_answer(meter, last(meter, 4))
    world.lose_answer(twin, twin.anchor())
    assert world.one("SELECT frontier_slot FROM meter_state") == frontier
    assert world.one("SELECT count(*) FROM uplink") == 5
    assert world.one("SELECT count(*) FROM case_file WHERE kind = 'cloned'") == 1
    assert world.reader.read(check_books) == []
    renewed = world.meter(world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter.meter_id)))
    assert world.rows("SELECT outcome FROM case_file WHERE kind = 'cloned'") == [("renewed",)]
    assert world.lose_answer(twin, twin.poll()).refusal is Refusal.BAD_TAG
    renewed.use([2])
    world.receive(renewed, renewed.report(0, 1))
    assert world.one("SELECT state FROM meter") == "active"
    assert world.reader.read(check_books) == []
