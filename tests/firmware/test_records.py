"""Records on flash, the ring of slots, and the state, under CPython with files in memory."""

from itertools import pairwise

import pytest

from firmware import slot_log, state
from firmware.flash_record import TwoCopies, pack, unpack
from firmware.frame_counter import FrameCounter
from firmware.reports import Cut, build, count_that_fits
from firmware.slot_log import ClosedSlot, SlotLog
from protocol.compat import sha256
from protocol.wire.messages import UP_DAY, UP_RANGE
from protocol.wire.uplinks import decode_up
from protocol.wire.window import EMPTY, Window, accept
from tests.firmware.fake_files import FakeFiles

DAYS = 90


def closed(slot: int, litres: int = 1, pack4: int = 1, sure: bool = True, generation: int = 0) -> ClosedSlot:
    return ClosedSlot(slot, generation, slot, litres, pack4, sure, 0, slot * 500, 0, 0, slot)


def filled(first: int, count: int) -> tuple[SlotLog, list[bytes]]:
    log, records = SlotLog(FakeFiles()), [b""]
    for slot in range(first, first + count):
        records.append(slot_log.encode(closed(slot), records[-1]))
        log.append(records[-1])
    return log, records[1:]


def test_the_ring_holds_ninety_days_and_gives_up_the_oldest() -> None:
    """DESIGN §5: ≥ 90 days of half-hours; nothing newer is ever given up for something older."""
    first = 48 * 2_557 + 11
    log, _ = filled(first, DAYS * 48)
    slot = first
    while slot < first + DAYS * 48:
        start, litres = log.run(0, slot, first + DAYS * 48, 96)
        assert start.slot == slot and litres
        slot += len(litres)
    assert log.first_held(0, first, first + DAYS * 48) == first
    log, _ = filled(first, 100 * 48)
    assert log.first_held(0, first, first + 100 * 48) == 48 * (2_557 + 9)  # the oldest whole day of 92
    assert log.find(0, first + 100 * 48 - 1).litres == 1


def test_records_are_chained() -> None:
    """Each record's chain commits to all before it; a record from elsewhere does not fit in."""
    _, records = filled(100, 3)
    for before, record in pairwise(records):
        assert record[36:44] == sha256(before[36:44] + record[:36])[:8]


def test_a_rotten_record_is_taken_from_the_other_copy_and_missing_in_both_ends_the_run() -> None:
    """C4, M4."""
    log, _ = filled(96, 10)
    files = log.files
    spoiled = bytearray(files.content["a/log/02"])
    spoiled[3 * 48 + 12] ^= 4
    files.content["a/log/02"] = bytes(spoiled)
    assert len(log.run(0, 96, 106, 96)[1]) == 10
    files.content["b/log/02"] = bytes(spoiled)
    assert len(log.run(0, 96, 106, 96)[1]) == 3
    assert log.find(0, 99) is None
    assert log.first_held(0, 99, 106) == 100


def test_no_run_spans_a_pack_a_sureness_or_a_generation() -> None:
    """B4, C2."""
    log, last = SlotLog(FakeFiles()), b""
    made = [closed(96), closed(97), closed(98, pack4=2), closed(99, pack4=2, sure=False), closed(100, generation=1)]
    for one in made:
        last = slot_log.encode(one, last)
        log.append(last)
    assert [len(log.run(0, slot, 101, 96)[1]) for slot in (96, 98, 99, 100)] == [2, 1, 1, 0]
    assert len(log.run(1, 100, 101, 96)[1]) == 1
    assert log.highest_generation() == 1


def test_a_log_one_record_behind_is_made_good_once() -> None:
    """A cut between the state and the log: the state holds the newest record whole."""
    log, records = filled(96, 3)
    newest = slot_log.encode(closed(99), records[-1])
    log.files.content["b/log/02"] += newest[:20]  # torn
    log.recover(newest)
    log.recover(newest)
    assert log.files.content["a/log/02"] == log.files.content["b/log/02"] == b"".join(records) + newest


def test_frames_of_a_report_hold_what_fits() -> None:
    """One frame of 51 bytes: a DAY of an ordinary day, fewer slots of a wild one, never none."""
    quiet, wild = [0] * 48, [65_535 - 7 * n for n in range(48)]
    assert count_that_fits(quiet, 0, 51) == 48
    count = count_that_fits(wild, 0, 51)
    assert 1 <= count < 48
    for litres in (quiet, wild[:count]):
        kind, plaintext = build(Cut(0, 5, 1, 2, 0, 1, 1, 0), litres, 0)
        assert kind == (UP_DAY if len(litres) == 48 else UP_RANGE)
        assert len(plaintext) + 11 <= 51 and list(decode_up(kind, plaintext, 0).litres) == litres
    assert count_that_fits(wild, 0, 24) == 1


def test_the_higher_valid_sequence_wins_and_anything_torn_is_absent() -> None:
    """M1, M3: a short, empty, foreign or broken record counts as absent."""
    files = FakeFiles()
    record = TwoCopies(files, "x")
    record.save(b"one")
    older = files.content["a/x"]
    record.save(b"two")
    files.content["a/x"] = older
    assert TwoCopies(files, "x").load() == b"two"
    for torn in (b"", older[:10], older[:-1], older + b"\x00", b"\xff" * 40):
        assert unpack(torn) is None
        files.content["a/x"] = torn
        assert TwoCopies(files, "x").load() == b"two"
    files.content["b/x"] = b""
    assert TwoCopies(files, "x").load() is None
    assert unpack(pack(7, bytes(8), b"payload")) == (7, bytes(8), b"payload")


def test_every_number_of_the_state_comes_back() -> None:
    made = state.State()
    for at in range(0, len(state.FIELDS), 2):
        setattr(made, state.FIELDS[at], 250 - at)
    made.rating = made.rating._replace(spent_mills=2**53 - 1, remainder=9_999, day=-1, month=24_323, position_l=5)
    made.window = accept(accept(EMPTY, 3), 9)
    made.instalment_day = 2_557
    made.finished = [(7, bytes(range(48))), (2**32 - 1, bytes(48))]
    made.last_record = bytes(range(48))
    assert vars(state.decode(made.encode())) == vars(made)


@pytest.mark.parametrize("payload", [b"", b"\x01" + state.State().encode()[1:], state.State().encode() + b"\x00"])
def test_a_state_of_another_format_is_not_guessed_at(payload: bytes) -> None:
    assert state.decode(payload) is None


def test_frame_counters_are_reserved_in_blocks_and_survive_the_state() -> None:
    """D2."""
    files = FakeFiles()
    counter = FrameCounter(TwoCopies(files, "counters"))
    assert counter.lost
    counter.create()
    assert [counter.take(-1) for _ in range(65)] == list(range(65))
    counter.save(41)
    again = FrameCounter(TwoCopies(files, "counters"))
    assert again.take(-1) == 128  # what a boot did not use of its block is skipped
    assert again.window_after_loss() == Window(41, 2**64 - 1)
