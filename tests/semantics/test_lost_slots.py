"""Slots that are lost for good are declared, and what was sent once is asked for (SEMANTICS C4, F3, CT-05)."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.slot_log import RECORD_BYTES
from protocol.rules.calendar import slot_phase
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.messages import UP_DAY, UP_GAP, UP_RANGE, Nack
from protocol.wire.uplinks import decode_up
from tests.headend.world import START_SLOT, World, slot_at
from tests.semantics.home import DAY_S, HOUR_S, Home, never

DECEMBER = slot_at(2026, 12, 1)
BLOCKS = {"blocks": [[1_000, 127], [3_000, 279], [0, 448]], "standing_day": 50, "standing_month": 700}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """`home()` makes a Home with 100,000 F, rising blocks and both standing charges, whose books have begun."""
    world = World(tmp_path, random.Random(1))

    def make(**how: Any) -> Home:
        world.publish({"utc_offset_minutes": 60, **BLOCKS}, START_SLOT - 48, "debit")
        one = Home(world, **how)
        world.pay(one.number, 100_000, "top-up")
        one.live(4)
        return one

    yield make
    world.close()


def go_dark(one: Home, days: int) -> None:
    """Days of which no frame gets through, in the daily cadence so that they are quickly lived."""
    one.report_every(48)
    one.up = never
    for day in range(days):
        for _ in range(4):
            one.pulses += 7 + day % 5
            one.run(DAY_S // 4)


def come_back(one: Home, hours: int) -> list[int]:
    """Half-hourly reports that get through; the types of the frames of these hours."""
    sent: list[int] = []
    one.report_every(1)
    one.up = lambda frame: not sent.append(read_header(frame).type)
    one.run(hours * HOUR_S)
    one.live(1)
    return sent


def spoil(one: Home, *slots: int) -> None:
    """Rot both copies of the records of these slots."""
    for path, content in one.files.content.items():
        if "/log/" not in path:
            continue
        rotten = bytearray(content)
        for at in range(0, len(content), RECORD_BYTES):
            if int.from_bytes(content[at : at + 4], "big") in slots:
                rotten[at + 12] ^= 1
        one.files.content[path] = bytes(rotten)


def declared_gaps(one: Home) -> list[dict[str, int]]:
    """What the books tell a person of lost slots; in all else meter and books agree to the litre and the mill."""
    found = one.differences()
    cases = found.pop("cases", [])
    assert found == {}
    assert {kind for kind, _ in cases} <= {"slots-lost"}
    return [json.loads(detail) for _, detail in cases]


@pytest.mark.parametrize(
    "place", ["none", "first", "middle", "two stretches", "a whole day", "month edge", "last", "all"]
)
def test_c4_rotten_records_cost_detail_and_never_money(home: Callable[..., Home], place: str) -> None:
    """C4: V, S and R of the books are the meter's to the mill, wherever the loss; detail is lost only where it is."""
    one = home()
    first = one.state.open_slot
    go_dark(one, 31)
    end = one.state.open_slot
    lost = {
        "none": (),
        "first": (first, first + 1),
        "middle": tuple(range(first + 500, first + 520)),
        "two stretches": (first + 100, first + 300, first + 301),
        "a whole day": tuple(range(first + 480, first + 528)),
        "month edge": tuple(range(DECEMBER - 3, DECEMBER + 3)),
        "last": (end - 2, end - 1),
        "all": tuple(range(first, end)),
    }[place]
    spoil(one, *lost)
    sent = come_back(one, 6)
    declared = declared_gaps(one)
    assert one.state.first_slot < first < DECEMBER < end
    assert (UP_GAP in sent) == bool(lost)
    stretches = {"two stretches": 2}.get(place, 1) if lost else 0
    assert len(declared) == stretches
    # A gap ends with the first slot after it whose record is whole, since a record tells the counters at its end only.
    wholes = 0 if place == "all" else stretches
    assert sum(gap["slots"] for gap in declared) == len(lost) + wholes


@pytest.mark.slow
def test_c4_a_hundred_and_twenty_days_dark_cost_the_oldest_detail(home: Callable[..., Home]) -> None:
    """C4: the ring holds 92 days; what fell out of it is one GAP, and all else arrives as half-hours."""
    one = home()
    first = one.state.open_slot
    go_dark(one, 120)
    sent = come_back(one, 14)
    (gap,) = declared_gaps(one)
    assert gap["slot"] == first
    assert 27 * 48 < gap["slots"] <= 29 * 48
    assert sent.count(UP_DAY) + sent.count(UP_RANGE) < 2 * 92 + 40


def test_f3_any_slot_in_the_ring_is_told_again(home: Callable[..., Home]) -> None:
    """F3: acknowledged or not; from the first slot that was named to the last, in the fewest frames that hold them."""
    one = home()
    one.live(60)
    first, last = one.state.first_slot, one.state.open_slot - 1
    assert one.state.acked_slot > first + 100
    frames: list[bytes] = []
    one.up = lambda frame: bool(frames.append(frame))
    ranges = ((first + 2, 48), (first + 60, 3), (last, 9))
    one.meter.sync.nacked(Nack(0, ranges))
    one.run(60)
    logs = [decode_log(one, frame) for frame in frames]
    told = {START_SLOT & ~0x3FFF | log.slot14 + at: litres for log in logs for at, litres in enumerate(log.litres)}
    assert min(told) == first + 2 and max(told) == last and len(frames) <= len(ranges)
    assert all(slot in told for start, slots in ranges for slot in range(start, min(start + slots, last + 1)))
    assert all(told[slot] == one.meter.slot_log.find(0, slot).litres for slot in told)


def decode_log(one: Home, frame: bytes) -> Any:
    """The DAY or RANGE in a frame; every other message fails."""
    header = read_header(frame)
    (counter,) = [number for number, _ in one.meter.clock.sent if number & 0xFFFF == header.seq]
    plaintext = open_frame(one.meter.keys.up, UP, frame, counter)
    assert plaintext is not None and header.type in (UP_DAY, UP_RANGE)
    slot = START_SLOT & ~0x3FFF | (plaintext[0] << 8 | plaintext[1]) & 0x3FFF
    return decode_up(header.type, plaintext, slot_phase(slot, one.meter.wallet.tariff.offsets))


def test_f3_slots_that_are_gone_are_answered_by_their_gap(home: Callable[..., Home]) -> None:
    """F3, C4: acknowledged long ago, rotten since; the counters at both ends come from the records around them."""
    one = home()
    one.live(30)
    first = one.state.first_slot
    before, after = (one.meter.slot_log.find(0, slot) for slot in (first + 9, first + 13))
    spoil(one, first + 10, first + 11, first + 12)
    frames: list[bytes] = []
    one.up = lambda frame: bool(frames.append(frame))
    one.meter.sync.nacked(Nack(0, ((first + 11, 1),)))
    one.run(60)
    (frame,) = frames
    (counter,) = [number for number, _ in one.meter.clock.sent if number & 0xFFFF == read_header(frame).seq]
    gap = decode_up(read_header(frame).type, open_frame(one.meter.keys.up, UP, frame, counter), 0)
    assert (gap.first_slot, gap.slots) == (first + 10, 4)
    assert (gap.volume24_l, gap.spent24_mills) == (before.volume_l + before.litres, before.spent_mills)
    assert (gap.volume_l, gap.spent_mills) == (after.volume_l + after.litres, after.spent_mills)
    assert (gap.collected_mills, gap.position_l, gap.remainder) == (0, after.position_l, after.remainder)
