"""REKEY (SEMANTICS D4): keys change in two phases, and at no moment can meter and headend not talk."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from firmware.flash_record import TwoCopies
from firmware.frame_counter import FrameCounter
from firmware.key_ring import KeyRing
from protocol.wire import event_codes
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import UP_EVENT, Rekey, Statement
from simulator import link
from tests.firmware.fake_files import FakeFiles
from tests.firmware.rig import METER_ID, ROOT, PowerCut, Rig, opening

Make = Callable[..., Rig]


def epoch_on_air(meter: Rig) -> int:
    """The low bits of the epoch of the last uplink."""
    return meter.raw[-1][0] & 7


def under(meter: Rig, epoch: int, credited_mills: int) -> bytes:
    """A statement sealed under an epoch of the test's choice."""
    meter.books.counter += 1
    message_type, plaintext = encode_down(Statement(90, credited_mills, 0, 0, 0))
    return seal(derive(ROOT, METER_ID, 1, epoch), DOWN, message_type, meter.books.counter, plaintext)


def test_uplinks_change_at_once_and_downlinks_with_the_first_under_the_new_epoch(rig: Make) -> None:
    """D4: the event is the first frame under the new keys, so the headend knows; then the old ones are forgotten."""
    meter = rig(opening=opening(1_000)).start()
    meter.hear(meter.books.rekey(1))
    assert epoch_on_air(meter) == 1
    told = [entry for event in meter.sent(UP_EVENT) for entry in event.events]
    assert (told[-1].code, told[-1].argument) == (event_codes.KEYS_CHANGED, 1)
    meter.hear(under(meter, 0, 2_000))
    assert meter.read()["credited_mills"] == 2_000  # sealed before the headend knew
    meter.hear(under(meter, 1, 3_000))
    meter.hear(under(meter, 0, 9_000))
    assert (meter.read()["credited_mills"], meter.read()["key_epoch"]) == (3_000, 1)


@pytest.mark.parametrize("epoch", [0, 1, 9, 2**32 - 1])
def test_an_epoch_not_above_the_present_one_or_too_far_above_is_refused(rig: Make, epoch: int) -> None:
    """D4: three bits are on air, so more than seven steps could not be told apart."""
    meter = rig(opening=opening(1_000)).start()
    meter.hear(meter.books.rekey(1))
    meter.hear(meter.books.seal(Rekey(1)))  # the change is complete by this very frame
    refused = meter.read()["refused_frames"]
    meter.hear(meter.books.seal(Rekey(epoch)))
    assert (meter.read()["refused_frames"], meter.read()["key_epoch"]) == (refused + 1, 1)


def test_a_second_change_waits_until_the_first_is_complete(rig: Make) -> None:
    """D4: under the old keys only the epoch under way may be asked for again, and the meter then says so again."""
    meter = rig(opening=opening(1_000)).start()
    meter.books.keys = derive(ROOT, METER_ID, 1, 0)
    first, again, other = [meter.books.seal(Rekey(epoch)) for epoch in (1, 1, 2)]  # all under the old keys
    meter.books.next_keys = derive(ROOT, METER_ID, 1, 1)
    meter.hear(first)
    said = len(meter.raw)
    meter.hear(again)
    assert len(meter.raw) > said
    meter.hear(other)
    assert (meter.read()["key_epoch"], meter.read()["refused_frames"]) == (1, 1)
    meter.hear(meter.books.rekey(2))
    assert (meter.read()["key_epoch"], epoch_on_air(meter)) == (2, 2)


def test_no_counter_is_used_twice_and_no_frame_heard_twice_through_epochs(rig: Make) -> None:
    """D2, D4: counters and windows run on; Books.read asserts it of the uplinks, the replay here of the downlinks."""
    meter = rig(opening=opening(1_000)).start()
    history = [meter.books.statement(2_000)]
    meter.hear(*history)
    for epoch in (1, 3, 10):
        history.append(meter.books.rekey(epoch))
        meter.hear(history[-1])
        history.append(meter.books.statement(2_000 + epoch))
        meter.hear(history[-1])
        meter.run(1800)
        meter.restart()
    counters = [counter for _, counter, _, _ in meter.frames]
    assert len(counters) == len(set(counters)) and counters == sorted(counters)
    before = meter.read()
    meter.hear(*history)
    after = meter.read()
    assert (after["key_epoch"], after["credited_mills"]) == (10, 2_010)
    assert after["refused_frames"] == before["refused_frames"] + len(history)


def test_epochs_outlive_the_state(rig: Make) -> None:
    """D4: they stand with the frame counters, so a meter that lost its state still speaks under the right keys."""
    from tests.firmware.test_faults import spoil

    meter = rig(opening=opening(1_000)).start()
    meter.hear(meter.books.rekey(5))
    meter.hear(meter.books.statement(2_000))
    meter.kill()
    spoil(meter.flash, "/a/state", "/b/state")
    meter.restart().run(1800)
    assert (meter.read()["opened"], meter.read()["key_epoch"], epoch_on_air(meter)) == (0, 5, 5)


# Loss -----------------------------------------------------------------------------------------------------------------
class Headend:
    """The other half of the change, as the headend makes it: both epochs until the first uplink under the new one."""

    def __init__(self) -> None:
        self.epoch, self.next_epoch, self.counter = 0, 0, 0

    def downlink(self) -> tuple[int, int]:
        """(epoch it is sealed under, the epoch that it asks for)."""
        return self.epoch, self.next_epoch

    def hear(self, epoch: int) -> bool:
        if epoch not in (self.epoch, self.next_epoch):
            return False
        self.epoch = epoch if epoch == self.next_epoch else self.epoch
        return True


def changes_under(lost: tuple[bool, ...]) -> None:
    """Rounds of a downlink and an uplink, each of them heard or lost."""
    counter = FrameCounter(TwoCopies(FakeFiles(), "counters"))
    counter.create()
    identity: Any = type("Identity", (), {"root": ROOT, "meter_id": METER_ID, "generation": 1})
    ring, headend = KeyRing(identity, counter), Headend()
    headend.next_epoch = 3
    for down_lost, up_lost in zip(lost[::2], lost[1::2], strict=True):
        epoch, wanted = headend.downlink()
        if not down_lost:
            keys = [keys for keys in ring.down if keys.epoch == epoch]
            assert keys, f"the meter cannot read the headend: {lost}"
            ring.heard_under(keys[0], 0)
            ring.change(wanted, 0)
        if not up_lost:
            assert headend.hear(ring.up.epoch), f"the headend cannot read the meter: {lost}"
    assert headend.epoch == 3 and [keys.epoch for keys in ring.down] == [3], lost


def test_whatever_is_lost_both_sides_understand_what_arrives() -> None:
    """D4: four rounds in 256 patterns of loss: not one frame that cannot be read, and once nothing is lost any more
    both sides stand under the new epoch alone."""
    for lost in itertools.product((False, True), repeat=8):
        changes_under((*lost, False, False, False, False))


@pytest.mark.slow
def test_the_power_cut_at_each_flash_operation_of_a_change_leaves_both_sides_talking(
    rig: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """D4: enumerated. After each cut the headend repeats what it has reason to repeat, and the change ends."""
    prepared = rig(opening=opening(1_000)).start()
    prepared.run(10)
    prepared.kill()
    image, window = prepared.flash.read_bytes(), prepared.books.window
    operation, cuts = 0, 0
    while cuts == operation:
        operation += 1
        meter = rig(opening=opening(1_000))
        meter.flash.write_bytes(image)
        meter.now_s = prepared.now_s
        meter.books.window, meter.books.counter = window, 100
        meter.start(provision=False)
        rekey = meter.books.rekey(1)
        try:
            meter.advance(link.cut_power(operation, link.CUT_TORN))
            meter.hear(rekey)
            meter.hear(meter.books.statement(2_000))
            meter.advance(link.cut_power(1_000_000, link.CUT_CLEAN))  # no cut after this
        except PowerCut:
            cuts += 1
            meter.restart()
        for _ in range(2):  # what a headend does: as long as no uplink came under the new keys, it asks again
            if meter.books.next_keys is not None:
                meter.hear(meter.books.seal(Rekey(1)))
        meter.hear(meter.books.statement(3_000))
        meter.run(1800)
        reading = meter.read()
        assert (reading["credited_mills"], reading["key_epoch"]) == (3_000, 1), operation
        assert (epoch_on_air(meter), meter.books.keys.epoch, meter.books.next_keys) == (1, 1, None), operation
        meter.hear(under(meter, 0, 9_000))
        assert meter.read()["credited_mills"] == 3_000, "the old keys are forgotten"
        meter.kill()
    with capsys.disabled():
        print(f"\n{cuts} cuts around REKEY: both sides talk")
    assert cuts > 10
