"""The keepsake and the rules of a boot: no provisioned meter is ever formatted, and a dead flash is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware import boot, boot_rules, commission, keepsake
from firmware.boards.base import Eeprom
from firmware.factory import Factory
from firmware.frame_counter import SKIP, FrameCounter
from firmware.meter import Meter
from firmware.safe_mode import SafeMode
from protocol.wire import event_codes
from protocol.wire.messages import UP_EVENT, VALVE_FAULT
from simulator import link
from simulator.meter_in_memory import MemoryEeprom
from tests.firmware.fake_files import FakeFiles
from tests.firmware.rig import METER_ID, Rig, opening
from tests.firmware.rig import ROOT as KEY
from tests.firmware.test_faults import spoil
from tests.semantics.home import MemoryBoard

Make = Callable[..., Rig]
HOUR, DAY = 3_600, 86_400
FLASH_LOST_ALARM = 64


# The table ------------------------------------------------------------------------------------------------------------
R = boot_rules
NO, BEGUN, KEPT, BAD = keepsake.NONE, keepsake.BEGUN, keepsake.KEPT, keepsake.BAD
TABLE = {
    (R.MOUNTS, R.GOOD): {NO: R.KEEP_AGAIN, BEGUN: R.KEEP_AGAIN, KEPT: R.KEEP_AGAIN, BAD: R.KEEP_AGAIN},
    (R.MOUNTS, R.SPOILT): {NO: R.SILENT, BEGUN: R.SILENT, KEPT: R.RESTORE, BAD: R.SILENT},
    (R.MOUNTS, R.ABSENT): {NO: R.FACTORY, BEGUN: R.FACTORY, KEPT: R.RESTORE, BAD: R.SILENT},
    (R.BLANK, R.ABSENT): {NO: R.FACTORY, BEGUN: R.FACTORY, KEPT: R.ALARM, BAD: R.SILENT},
    (R.BROKEN, R.ABSENT): {NO: R.SILENT, BEGUN: R.FACTORY, KEPT: R.ALARM, BAD: R.SILENT},
}


@pytest.mark.parametrize("found", TABLE)
@pytest.mark.parametrize("kept", [NO, BEGUN, KEPT, BAD])
def test_every_row_of_the_table(found: tuple[int, int], kept: int) -> None:
    assert boot_rules.rule(*found, kept, False) == TABLE[found][kept]


def test_only_a_keepsake_that_says_the_same_twice_is_left_alone() -> None:
    assert boot_rules.rule(R.MOUNTS, R.GOOD, KEPT, True) == R.NORMAL


def test_a_flash_with_anything_on_it_is_never_a_factory_new_one_unless_its_format_was_cut() -> None:
    """The refusing side: of all that a flash may show, what would be formatted when somebody provisions."""
    formatted = {(found, kept) for found, row in TABLE.items() for kept, what in row.items() if what == R.FACTORY}
    assert formatted == {
        *(((R.BLANK, R.ABSENT), kept) for kept in (NO, BEGUN)),
        *(((R.MOUNTS, R.ABSENT), kept) for kept in (NO, BEGUN)),
        ((R.BROKEN, R.ABSENT), BEGUN),
    }


# The EEPROM -----------------------------------------------------------------------------------------------------------
class CutEeprom(MemoryEeprom):
    """Loses its power after so many bytes written; then nothing is written any more."""

    def __init__(self, content: bytes, left: int) -> None:
        self.content, self.left = bytearray(content), left

    def write(self, offset: int, data: bytes) -> None:
        data = data[: self.left]
        self.left -= len(data)
        super().write(offset, data)


class StuckEeprom(MemoryEeprom):
    """Can be read only; `raising`: and says so."""

    def __init__(self, content: bytes, raising: bool) -> None:
        self.content, self.raising = bytearray(content), raising

    def write(self, offset: int, data: bytes) -> None:
        if self.raising:
            raise OSError(5)


class DeadEeprom(Eeprom):
    def read(self, offset: int, size: int) -> bytes:
        raise OSError(19)

    def write(self, offset: int, data: bytes) -> None:
        raise OSError(19)


@pytest.mark.parametrize("place", [keepsake.IDENTITY, keepsake.COUNTERS])
@pytest.mark.parametrize("spoilt_copy", [None, 0, 1])
def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new_payload(place: Any, spoilt_copy: int | None) -> None:
    """Also where one of the copies was rotten before: the whole one is written last."""
    eeprom = MemoryEeprom()
    assert keepsake.keep(eeprom, place, b"old payload")
    if spoilt_copy is not None:
        eeprom.content[place[spoilt_copy] + 20] ^= 1
    seen = set()
    for cut_after in range(70):
        cut = CutEeprom(bytes(eeprom.content), cut_after)
        whole = keepsake.keep(cut, place, b"new payload")
        kept, payload, _ = keepsake.look(cut, place)
        assert kept == KEPT and payload in (b"old payload", b"new payload")
        assert not whole or payload == b"new payload"
        seen.add(payload)
    assert len(seen) == 2


def test_what_was_never_written_whole_is_nothing_and_a_torn_mark_of_provisioning_is_no_dead_meter() -> None:
    assert keepsake.look(MemoryEeprom(), keepsake.IDENTITY)[0] == NO
    assert keepsake.look(None, keepsake.IDENTITY)[0] == NO
    for cut_after in range(45):
        cut = CutEeprom(bytes(MemoryEeprom().content), cut_after)
        keepsake.keep(cut, keepsake.IDENTITY, b"")
        assert keepsake.look(cut, keepsake.IDENTITY)[0] in (NO, BEGUN)


def test_a_bit_flipped_anywhere_in_one_copy_is_noticed_and_mended() -> None:
    eeprom = MemoryEeprom()
    keepsake.keep(eeprom, keepsake.COUNTERS, bytes(range(18)))
    good = bytes(eeprom.content)
    for copy in keepsake.COUNTERS:
        for bit in range(38 * 8):
            eeprom.content[copy + bit // 8] ^= 1 << bit % 8
            assert keepsake.look(eeprom, keepsake.COUNTERS) == (KEPT, bytes(range(18)), False)
            assert keepsake.keep(eeprom, keepsake.COUNTERS, bytes(range(18)))
            assert bytes(eeprom.content) == good


def test_an_eeprom_that_does_not_answer_is_bad_and_never_believed_to_have_written() -> None:
    assert keepsake.look(DeadEeprom(), keepsake.IDENTITY)[0] == BAD
    assert not keepsake.keep(DeadEeprom(), keepsake.IDENTITY, b"x")
    for raising in (False, True):
        assert not keepsake.keep(StuckEeprom(bytes(MemoryEeprom().content), raising), keepsake.IDENTITY, b"x")


def test_counters_that_the_flash_lost_or_forgot_come_from_the_keepsake_with_room_to_spare() -> None:
    """I15: never one that may have been used."""
    from firmware.flash_record import TwoCopies

    files, eeprom = FakeFiles(), MemoryEeprom()
    counter = FrameCounter(TwoCopies(files, "counters"), eeprom)
    counter.create()
    older = dict(files.content)
    used = [counter.take(5) for _ in range(100)]
    kept = keepsake.look(eeprom, keepsake.COUNTERS)[1]
    for content in (older, {}):
        files.content = dict(content)
        again = FrameCounter(TwoCopies(files, "counters"), eeprom, kept)
        assert not again.lost and again.restored and again.next == 128 + SKIP > max(used)
        assert again.downlink_floor == 5
    assert FrameCounter(TwoCopies(FakeFiles(), "counters"), eeprom, b"").lost


# The boot, on values --------------------------------------------------------------------------------------------------
class World:
    now_s = 1_800_000_000
    pulses = 0
    eeprom = None


class TestBoard(MemoryBoard):
    __test__ = False

    def __init__(self, files: FakeFiles | None, eeprom: Eeprom | None, blank: bool = False) -> None:
        super().__init__(World(), files, (World.now_s, True))  # type: ignore[arg-type]
        self.eeprom, self.blank = eeprom, blank
        self.formats = 0

    def flash_blank(self) -> bool:
        return self.blank

    def format_flash(self) -> FakeFiles:
        self.formats += 1
        return FakeFiles()


def provisioned() -> tuple[TestBoard, bytes]:
    board = TestBoard(None, MemoryEeprom(), blank=True)
    data = identity()
    commission.provision(board, data, board.format_flash)
    assert board.formats == 1
    return board, data


def identity(generation: int = 1) -> bytes:
    from firmware.provisioning import identity_record

    return identity_record(METER_ID, KEY, generation)


def booted(board: TestBoard) -> Any:
    application = boot.boot(board)
    application.wake_up()
    application.tick()
    return application


def test_identities_that_the_flash_lost_are_written_again_and_told() -> None:
    """Heal, one way: flash from keepsake."""
    board, data = provisioned()
    content = board.files.content
    for spoilt in (("a/identity", "b/identity"), ("a/identity",), ()):
        for name in spoilt:
            content[name] = b"rot" + content[name]
        meter = booted(board)
        assert isinstance(meter, Meter)
        assert content["a/identity"] == content["b/identity"] and data in content["a/identity"]
        told = [entry.argument for entry, _ in meter.events.waiting if entry.code == event_codes.FLASH_COPY_BAD]
        assert sum(told) == len(spoilt)
    del content["a/identity"], content["b/identity"]  # provisioning was cut before its last act
    assert isinstance(booted(board), Meter) and data in content["a/identity"]


def test_a_keepsake_that_is_lost_or_of_another_meter_is_written_again() -> None:
    """Heal, the other way: keepsake from flash. The wallet lives on the flash, so the flash says who the meter is."""
    board, data = provisioned()
    good = bytes(board.eeprom.content)
    foreign = MemoryEeprom()
    keepsake.keep(foreign, keepsake.IDENTITY, identity(2))
    keepsake.keep(foreign, keepsake.COUNTERS, (10**9).to_bytes(5, "big") + bytes(13))
    one_copy = bytearray(good)
    one_copy[100] ^= 4
    for content in (b"\xff" * 4096, bytes(4096), bytes(one_copy), bytes(foreign.content)):
        board.eeprom = MemoryEeprom()
        board.eeprom.content = bytearray(content)
        meter = booted(board)
        assert isinstance(meter, Meter) and meter.store.counter.next < 1_000_000
        assert keepsake.look(board.eeprom, keepsake.IDENTITY) == (KEPT, data, True)
        assert keepsake.look(board.eeprom, keepsake.COUNTERS)[0] == KEPT


def test_a_meter_lives_on_with_a_dead_eeprom_and_tells() -> None:
    board, _ = provisioned()
    for eeprom in (DeadEeprom(), StuckEeprom(bytes(4096), False)):
        board.eeprom = eeprom
        meter = booted(board)
        assert isinstance(meter, Meter) and meter.store.bad_copies() == 1
        assert event_codes.FLASH_COPY_BAD in [entry.code for entry, _ in meter.events.waiting] or board.sent


def test_provisioning_refuses_whatever_may_be_a_meter_and_formats_nothing() -> None:
    board, data = provisioned()
    meter_files, kept = board.files, board.eeprom
    bad = MemoryEeprom()
    bad.content = bytearray(4096)
    refused = {
        "holds another meter": (TestBoard(meter_files, kept), TestBoard(meter_files, None)),
        "has lost its flash": (
            TestBoard(None, kept),
            TestBoard(None, kept, blank=True),
            TestBoard(None, None),
            TestBoard(None, MemoryEeprom()),
            TestBoard(None, bad),
            TestBoard(None, bad, blank=True),
        ),
        "EEPROM does not keep": (TestBoard(None, StuckEeprom(b"\xff" * 4096, False), blank=True),),
    }
    for reason, boards in refused.items():
        for one in boards:
            with pytest.raises(commission.ProvisioningRefused, match=reason):
                commission.provision(one, identity(2), one.format_flash)
            assert one.formats == 0
    commission.provision(TestBoard(meter_files, kept), data, lambda: pytest.fail("formatted"))  # the same: harmless


@pytest.mark.parametrize("cut_after", range(0, 1_600, 25))
def test_provisioning_that_was_cut_can_be_done_again_or_is_whole(cut_after: int) -> None:
    """At any byte that goes to the EEPROM; what the flash then holds: everything, or nothing."""
    for files in (None, FakeFiles()):
        board = TestBoard(None, CutEeprom(b"\xff" * 4096, cut_after), blank=True)
        try:
            commission.provision(board, identity(), board.format_flash)
        except commission.ProvisioningRefused:
            pass
        again = TestBoard(files and board.files, MemoryEeprom(), blank=board.formats == 0)
        again.eeprom.content = board.eeprom.content
        if keepsake.look(again.eeprom, keepsake.IDENTITY)[0] == KEPT:
            assert isinstance(boot.boot(again), Meter if again.files else SafeMode)
            continue
        assert isinstance(boot.boot(again), Factory)
        commission.provision(again, identity(), again.format_flash)
        assert isinstance(booted(again), Meter)


def test_a_stuck_keepsake_keeps_the_radio_silent_when_the_flash_is_gone() -> None:
    """I15: an alarm under a counter that cannot be reserved would come again under the same one."""
    board, _ = provisioned()
    for raising in (False, True):
        lost = TestBoard(None, StuckEeprom(bytes(board.eeprom.content), raising))
        assert booted(lost).mode == 2 and lost.sent == []


def test_without_counters_in_the_keepsake_safe_mode_is_silent() -> None:
    board, _ = provisioned()
    content = bytearray(board.eeprom.content)
    for copy in keepsake.COUNTERS:
        content[copy + 17] ^= 1
    lost = TestBoard(None, MemoryEeprom())
    lost.eeprom.content = content
    assert booted(lost).mode == 1 and lost.sent == []


# Real processes -------------------------------------------------------------------------------------------------------
def zero_superblocks(path: Path) -> bytes:
    image = bytearray(path.read_bytes())
    image[:8192] = bytes(8192)
    path.write_bytes(bytes(image))
    return bytes(image)


def erase(path: Path) -> bytes:
    image = b"\xff" * path.stat().st_size
    path.write_bytes(image)
    return image


@pytest.mark.parametrize(("lose", "argument"), [(zero_superblocks, 0), (erase, 1)])
def test_a_dead_flash_is_told_at_boot_and_once_a_day_and_never_formatted(
    rig: Make, lose: Callable[[Path], bytes], argument: int
) -> None:
    """M5, I15: an authentic EVENT under counters beyond all used (the rig's books refuse a repeated one), the face's
    alarm, and the valve as it stands."""
    meter = rig(opening=opening(500_000)).start()
    meter.draw(5)
    meter.run(HOUR)
    used = max(counter for _, counter, _, _ in meter.frames)
    meter.kill()
    image = lose(meter.flash)
    meter.frames.clear()
    meter.moves.clear()
    for boots in (1, 2):
        meter.start(provision=False)
        meter.run(3 * DAY + HOUR)
        alarms = meter.frames[4 * (boots - 1) :]
        assert [kind for _, _, kind, _ in alarms] == [UP_EVENT] * 4
        assert [alarms[n + 1][0] - alarms[n][0] for n in range(3)] == [DAY] * 3
        meter.credit(9_000_000)  # heard, and ignored
        meter.press()
        reading = meter.read()
        assert (reading["safe_mode"], reading["credited_mills"], reading["flash_operations"]) == (2, 0, 0)
        assert (meter.face["alarms"], meter.face["valve"]) == (FLASH_LOST_ALARM, VALVE_FAULT)
        meter.kill()
    entries = [entry for event in meter.sent(UP_EVENT) for entry in event.events]
    assert {(entry.code, entry.argument) for entry in entries} == {(event_codes.FLASH_LOST, argument)}
    assert len({entry.event_no for entry in entries}) == 8 and min(e.event_no for e in entries) >= 2**31
    assert [entry.at_unix_s for entry in entries] == [at for at, _, _, _ in meter.frames]
    assert min(counter for _, counter, _, _ in meter.frames) >= used + SKIP
    assert meter.moves == [] and meter.flash.read_bytes() == image


def test_both_identities_rotten_are_restored_under_a_real_micropython(rig: Make) -> None:
    meter = rig(opening=opening(500_000)).start()
    meter.draw(5)
    before = meter.read()
    meter.kill()
    spoil(meter.flash, "/a/identity", "/b/identity")
    meter.restart()
    after = meter.read()
    assert (after["safe_mode"], after["volume_l"], after["balance_mills"]) == (0, 5, before["balance_mills"])
    assert after["bad_copies"] == 2 and event_codes.FLASH_COPY_BAD in meter.event_codes()
    assert meter.restart().read()["bad_copies"] == 0


def test_both_counters_rotten_are_restored_and_the_meter_speaks_on(rig: Make) -> None:
    """I15: the rig's books refuse a repeated counter."""
    meter = rig(opening=opening(500_000)).start()
    meter.run(HOUR)
    meter.kill()
    spoil(meter.flash, "/a/counters", "/b/counters")
    meter.restart()
    meter.frames.clear()
    meter.run(HOUR)
    assert meter.frames and min(counter for _, counter, _, _ in meter.frames) >= SKIP
    meter.credit(9_000_000)
    assert meter.read()["credited_mills"] == 9_000_000


def test_a_blank_meter_waits_for_the_console_and_then_lives(rig: Make) -> None:
    """Factory mode: nothing is formatted before `provision`, and a wrong identity formats nothing either."""
    meter = rig(opening=opening(500_000))
    meter.start(provision=False)
    meter.run(2 * HOUR)
    assert (meter.read()["safe_mode"], meter.frames) == (3, [])
    assert meter.ask("slots", 0, 4) == ["refused", 1]
    assert meter.ask("provision", b"\xff") == ["refused", "cbor"]
    assert meter.read()["flash_operations"] == 0
    assert meter.ask("provision", meter.provision) == ["provisioned"]
    assert (meter.read()["safe_mode"], meter.read()["balance_mills"]) == (0, 500_000)
    assert meter.ask("provision", meter.provision) == ["refused", 1]
    meter.draw(3)
    meter.restart()
    assert (meter.read()["volume_l"], meter.read()["boot_count"]) == (3, 2)


def test_a_power_cut_in_the_factory_leaves_a_meter_that_can_be_provisioned(rig: Make, device: Path) -> None:
    """Each flash operation of provisioning, cut in turn: afterwards it is a meter, or one that takes an identity."""
    from tests.firmware.rig import PowerCut

    seen = set()
    for operation in range(1, 60, 4):
        meter = rig(opening=opening(500_000))
        meter.start(provision=False, inputs=(link.cut_power(operation, link.CUT_TORN),))
        try:
            meter.ask("provision", meter.provision)
        except PowerCut:
            pass
        meter.restart()
        mode = meter.read()["safe_mode"]
        seen.add(mode)
        if mode == 3:
            assert meter.ask("provision", meter.provision) == ["provisioned"]
        assert (meter.read()["safe_mode"], meter.read()["balance_mills"]) == (0, 500_000)
        meter.kill()
    assert seen == {0, 3}
