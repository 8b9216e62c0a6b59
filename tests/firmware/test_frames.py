"""What the meter accepts by radio, and what it never does: refused frames change nothing (I14), no counter twice
(I15)."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware.flash_record import TwoCopies
from firmware.frame_counter import FrameCounter
from protocol.rules.calendar import slot_of
from protocol.wire.command_codes import VALVE_OPEN
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.limits import COUNTER_MAX
from protocol.wire.messages import DOWN_STATEMENT, UP_ANCHOR, UP_DEVICE, Command, Opening, Statement, Time
from tests.firmware.fake_files import FakeFiles
from tests.firmware.rig import METER_ID, MIDNIGHT_S, ROOT, Rig, opening
from tests.firmware.test_faults import spoil

Make = Callable[..., Rig]
MONEY = ("credited_mills", "debited_mills", "spent_mills", "collected_mills", "statement", "acked_slot", "opened")


def money(meter: Rig) -> dict[str, Any]:
    reading = meter.read()
    return {name: reading[name] for name in MONEY}


def foreign(root: bytes = ROOT, meter_id: bytes = METER_ID, generation: int = 1, direction: int = DOWN) -> bytes:
    message_type, plaintext = encode_down(Statement(99, 9_999_999, 0, 0, 0))
    return seal(derive(root, meter_id, generation, 0), direction, message_type, 50, plaintext)


@pytest.mark.parametrize(
    "frame",
    [
        foreign(root=bytes(16)),
        foreign(meter_id=b"somebody"),
        foreign(generation=2),
        foreign(direction=0),
        foreign()[:-1] + bytes((foreign()[-1] ^ 1,)),
        foreign()[:10],
        b"",
        bytes(200),
    ],
    ids=["other key", "other meter", "other generation", "uplink key", "one bit", "cut short", "empty", "long"],
)
def test_a_foreign_or_broken_frame_changes_nothing_and_is_counted(rig: Make, frame: bytes) -> None:
    meter = rig(opening=opening(1_000)).start()
    before = money(meter)
    meter.hear(frame)
    assert money(meter) == before
    assert meter.read()["refused_frames"] == 1


def test_the_meters_own_frames_reflected_have_no_effect(rig: Make) -> None:
    meter = rig(opening=opening(1_000)).start()
    meter.run(3600)
    before = money(meter)
    meter.hear(*meter.raw)
    assert money(meter) == before


def test_a_replayed_history_has_no_effect_even_after_a_reset(rig: Make) -> None:
    """A4, D1: the window survives the reset."""
    meter = rig(opening=opening(1_000)).start()
    history = [meter.books.statement(credited) for credited in (2_000, 3_000, 4_000)]
    meter.hear(*history)
    meter.restart()
    before = money(meter)
    meter.hear(*history)
    assert money(meter) == before
    assert meter.read()["refused_frames"] == 3


def test_a_sealed_message_outside_its_limits_is_refused(rig: Make) -> None:
    """Behind the right tag too: parse, then limits."""
    meter = rig(opening=opening(1_000)).start()
    before = money(meter)
    for plaintext in (b"", b"\x01", b"\x1b" + bytes(8), b"\x02\x1b" + b"\xff" * 8 + b"\x00\x00\x00"):
        meter.books.counter += 1
        meter.hear(seal(meter.books.keys, DOWN, DOWN_STATEMENT, meter.books.counter, plaintext))
    assert money(meter) == before
    assert meter.read()["refused_frames"] == 4


def test_no_frame_counter_is_used_twice_across_kills(rig: Make) -> None:
    """D2: blocks are reserved before use; Books.read asserts freshness for every frame of every boot."""
    meter = rig(opening=opening(1_000)).start()
    for _ in range(5):
        meter.run(40 * 60)
        meter.restart()
    counters = [counter for _, counter, _, _ in meter.frames]
    assert len(counters) == len(set(counters)) and counters == sorted(counters)


def test_boot_anchors_are_rate_limited(rig: Make) -> None:
    """D2: a brown-out loop does not fill the air."""
    meter = rig(opening=opening(1_000)).start()
    for _ in range(6):
        meter.run(10)
        meter.restart()
    assert len(meter.sent(UP_ANCHOR)) == 1
    assert meter.read()["boot_count"] == 7
    meter.run(1000)
    meter.restart()
    assert len(meter.sent(UP_ANCHOR)) == 2


def test_anchor_tells_the_cut_and_device_the_echoes(rig: Make) -> None:
    meter = rig(opening=opening(50_000)).start()
    meter.draw(4)
    meter.run(1800)
    meter.draw(1)
    meter.run(7 * 86_400)
    anchor, device = meter.sent(UP_ANCHOR)[-1], meter.sent(UP_DEVICE)[-1]
    assert (anchor.volume_l, anchor.spent_mills, anchor.credited_mills) == (5, 2_500, 50_000)
    assert (device.pack_version, device.policy_version, device.statement, device.flags) == (1, 1, 1, 0)


def test_without_an_opening_no_statement_is_applied_and_the_grace_is_a_limit(rig: Make) -> None:
    """A4: the meter runs on a negative limit, not on credit; what flowed is charged when the OPENING comes."""
    meter = rig(opening=b"", installation_grace_mills=2_000).start()
    assert meter.sent(UP_DEVICE)[-1].flags == 1
    meter.credit(1_000_000)
    assert (meter.read()["credited_mills"], meter.read()["refused_frames"]) == (0, 1)
    assert meter.draw(100) == 4  # 2,000 mills at 500
    start = slot_of(MIDNIGHT_S)
    meter.hear(meter.books.seal(Opening(1, 70_000, 0, 0, 0, start, 10_000, 0, 7)))
    reading = meter.read()
    assert (reading["opened"], reading["volume_l"], reading["spent_mills"]) == (1, 70_004, 2_000)
    assert (reading["balance_mills"], reading["statement"]) == (8_000, 7)
    meter.run(3600)
    report = meter.sent(1)[-1]
    assert (report.volume16_l, report.litres[0]) == (70_000 & 0xFFFF, 4)


def test_an_opening_is_taken_once_and_of_its_generation_only(rig: Make) -> None:
    meter = rig(opening=opening(5_000)).start()
    meter.draw(2)
    start = slot_of(MIDNIGHT_S)
    before = money(meter)
    meter.hear(meter.books.seal(Opening(1, 0, 0, 0, 0, start, 5_000, 0, 1)))
    meter.hear(meter.books.seal(Opening(2, 0, 0, 0, 0, start, 5_000, 0, 1)))
    assert money(meter) == before


def test_time_about_an_uplink_never_sent_is_refused(rig: Make) -> None:
    """C3."""
    meter = rig(opening=opening(5_000)).start()
    meter.hear(meter.books.seal(Time(4_000, MIDNIGHT_S + 500_000)))
    assert meter.read()["refused_frames"] == 1
    assert meter.read()["unix_s"] == meter.now_s


# Counters that outlive everything -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("windows", "heard"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_headend_that_is_far_ahead_is_found_within_two_windows_more(rig: Make, windows: int, heard: bool) -> None:
    """D2: a restore may have jumped the counter; the meter tries two windows of 2^16 beyond the next."""
    meter = rig(opening=opening(1_000)).start()
    meter.hear(meter.books.statement(2_000))
    meter.books.counter += 0x10000 * windows + 8_000
    meter.hear(meter.books.statement(3_000))
    assert meter.read()["credited_mills"] == (3_000 if heard else 2_000)


@pytest.mark.parametrize("keepsake", [False, True])
def test_a_meter_without_its_counters_is_silent_and_deaf(rig: Make, keepsake: bool) -> None:
    """I15, A4: with the state gone as well, an old OPENING would otherwise bring the first day's credit back.

    With a keepsake it has its counters, and the floor below which it hears nothing.
    """
    first = opening(50_000)
    meter = rig(opening=first).start()
    meter.draw(20)
    statement = meter.books.statement(60_000)
    meter.hear(statement)
    meter.kill()
    spoil(meter.flash, "/a/state", "/b/state", "/a/counters", "/b/counters")
    if not keepsake:
        meter.eeprom.unlink()
    meter.frames.clear()
    meter.restart().run(2 * 3600)
    meter.hear(first, statement, meter.books.statement(70_000))
    assert (meter.read()["opened"], meter.read()["credited_mills"], bool(meter.frames)) == (0, 0, keepsake)


def test_the_floor_keeps_an_order_from_being_heard_again_by_a_meter_that_forgot_it(rig: Make) -> None:
    """D1, D2: both copies of the state gone, the same COMMAND comes once more: it is below the floor of the window."""
    meter = rig(opening=opening(1_000)).start()
    order = meter.books.seal(Command(1, MIDNIGHT_S + 86_400, VALVE_OPEN, 3_600, 500))
    meter.hear(order)
    assert meter.read()["command"] == 1
    meter.kill()
    spoil(meter.flash, "/a/state", "/b/state")
    meter.restart()
    meter.hear(order)
    assert (meter.read()["command"], meter.read()["refused_frames"]) == (0, 1)
    assert meter.draw(100) == 0


def test_one_rotten_copy_of_the_counters_repeats_none(rig: Make) -> None:
    """I15: the other copy has the reservation; Books.read asserts that no counter comes twice."""
    meter = rig(opening=opening(1_000)).start()
    for name in ("/a/counters", "/b/counters"):
        meter.run(3600)
        meter.kill()
        spoil(meter.flash, name)
        meter.restart()
    meter.run(3600)
    assert meter.frames[-1][0] > MIDNIGHT_S + 2 * 3600


def test_spent_counters_end_in_silence_not_in_a_fault() -> None:
    """D2: 2^32 uplinks are the end of a key's life; the last one is used, and none after it."""
    counter = FrameCounter(TwoCopies(FakeFiles(), "counters"))
    counter.create()
    counter.reserved = counter.next = COUNTER_MAX - 1
    assert [counter.take(-1), counter.take(-1), counter.silent] == [COUNTER_MAX - 1, COUNTER_MAX, True]
    assert FrameCounter(counter.record).silent
