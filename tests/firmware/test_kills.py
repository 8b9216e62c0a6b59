"""Power cuts: the meter is killed while it writes, between two writes, at work by the wall clock, asleep, in its boot,
in a change of keys and while it takes a pack in parts.

One checker judges every boot: no litre lost or doubled, no acknowledged credit lost, S equal to what V costs, never a
format. A control with a store that says "done" before it is must fail the same checker, or the checker proves nothing.
"""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.build import ROOT, build
from protocol.rules.calendar import slot_of, slot_start
from protocol.wire.messages import DOWN_POLICY, UP_DAY, UP_DEVICE, UP_RANGE
from protocol.wire.unwrap import unwrap_near
from simulator import link
from tests.firmware.rig import MIDNIGHT_S, PowerCut, Rig, opening
from tests.firmware.test_faults import spoil
from tests.firmware.test_packs_in_parts import long_policy, parts_of

PRICE = 500
KILLS = 50
CLASSES = ("mid-write", "between writes", "at work", "idle", "in boot", "in a change of keys", "in a pack")


class Lost(Exception):
    """What a meter lost, doubled or forgot."""


class Checker:
    """Drives a meter and judges it after each boot."""

    def __init__(self, meter: Rig, seed: int) -> None:
        self.meter = meter
        self.random = random.Random(seed)
        self.credited = 1_000_000
        self.epoch = 0
        self.pack_version = 1
        self.slots: dict[int, int] = {}
        self.seen_frames = 0
        self.where: Counter[str] = Counter()

    def shown_credit(self) -> int:
        """The credit that the face has acknowledged to the customer."""
        return self.meter.face["balance_mills"] + PRICE * self.meter.face["volume_l"]

    def live(self) -> None:
        """A stretch of ordinary life."""
        for _ in range(self.random.randrange(1, 6)):
            act = self.random.randrange(4)
            if act == 0:
                self.credited += 1_000
                self.meter.credit(self.credited, acked_slot=self.frontier())
            elif act == 1:
                self.meter.run(self.random.randrange(10, 2_000))
            else:
                for _ in range(self.random.randrange(1, 15)):
                    self.meter.pulse()

    def rekey(self) -> None:
        """Ask for the newest epoch, as often as the meter does not have it."""
        if self.meter.read()["key_epoch"] < self.epoch:
            self.meter.hear(self.meter.books.rekey(self.epoch))

    def send_pack(self) -> None:
        """The newest policy, long enough for several parts, one frame after the other."""
        parts = parts_of(long_policy(self.pack_version))
        for part in parts:
            self.meter.hear(self.meter.books.pack(DOWN_POLICY, part))

    def cut(self, operations: int, torn: bool) -> None:
        """Arm a power cut at one of the next so many flash operations."""
        at = self.random.randrange(1, operations)
        self.meter.advance(link.cut_power(at, link.CUT_TORN if torn else link.CUT_CLEAN))

    def until_cut(self, *acts: Callable[[], None]) -> None:
        """Go through the acts, then live on until the armed cut is reached."""
        try:
            for act in acts:
                act()
            while True:
                self.live()
        except PowerCut:
            self.meter.kill()

    def kill(self, where: str) -> None:
        meter, torn = self.meter, self.random.random() < 0.5
        if where == "idle":
            meter.kill()
        elif where == "in boot":
            meter.kill()
            at = link.cut_power(self.random.randrange(1, 9), link.CUT_TORN if torn else link.CUT_CLEAN)
            with pytest.raises(PowerCut):
                meter.start(provision=False, inputs=(at,))
            meter.kill()
            meter.pending = []
        elif where == "in a change of keys":
            self.rekey()
            self.epoch += 1
            self.cut(14, torn)
            self.until_cut(lambda: meter.hear(meter.books.rekey(self.epoch)))
        elif where == "in a pack":
            self.pack_version += 1
            self.cut(40, torn)
            self.until_cut(self.send_pack)
        elif where == "at work":
            meter.count += 11
            credit = meter.books.statement(self.credited, acked_slot=self.frontier())
            records = (link.pulses(meter.count), link.record(link.RADIO, credit))
            meter.kill_at_work(*records, after_s=self.random.uniform(0, 0.004))
        else:
            self.cut(30, where == "mid-write")
            self.until_cut()
        self.where[where] += 1

    def judge(self) -> None:
        """Boot, and compare with the world."""
        meter, shown = self.meter, self.shown_credit()
        boots = sum(self.where.values()) + self.where["in boot"] + 1
        meter.restart()
        reading = meter.read()
        if reading["safe_mode"] or not reading["opened"] or reading["boot_count"] > boots:
            raise Lost("the flash")
        if reading["volume_l"] != meter.count:
            raise Lost(f"litres: {meter.count} flowed, {reading['volume_l']} counted")
        if reading["credited_mills"] < shown:
            raise Lost(f"credit: {shown} shown to the customer, {reading['credited_mills']} kept")
        if reading["spent_mills"] != PRICE * reading["volume_l"]:
            raise Lost("S is not what V costs")
        if not self.epoch - 1 <= reading["key_epoch"] <= self.epoch:
            raise Lost("the keys")
        if reading["policy_version"] > self.pack_version:
            raise Lost("the policy")
        self.collect()

    def collect(self) -> None:
        """Take the reported slots; a slot reported twice must say the same."""
        for at, _, kind, message in self.meter.frames[self.seen_frames :]:
            if kind not in (UP_DAY, UP_RANGE):
                continue
            first = unwrap_near(message.slot14, 14, slot_of(at))
            for slot, litres in enumerate(message.litres, first):
                if self.slots.setdefault(slot, litres) != litres:
                    raise Lost(f"slot {slot} said {self.slots[slot]} litres, then {litres}")
        self.seen_frames = len(self.meter.frames)

    def frontier(self) -> int:
        self.collect()
        slot = slot_of(MIDNIGHT_S)
        while slot in self.slots:
            slot += 1
        return slot

    def settle(self) -> None:
        """Faults over: keys and packs arrive, and every slot; together they are the register."""
        self.rekey()
        self.send_pack()
        self.meter.run_to(slot_start(slot_of(self.meter.now_s) + 1) + 900)  # past the report of the last closed slot
        for _ in range(20):
            self.meter.credit(self.credited, acked_slot=self.frontier())
            self.meter.run(1800)
            reading = self.meter.read()
            if self.frontier() >= reading["open_slot"]:
                break
        else:
            raise Lost("slots that never arrive")
        reported = sum(self.slots[slot] for slot in range(slot_of(MIDNIGHT_S), reading["open_slot"]))
        if reading["volume_l"] - reading["open_litres"] != reported:
            raise Lost(f"the log: {reported} litres in the slots, not what the register says")
        if reading["credited_mills"] != self.credited:
            raise Lost("the last credit")
        if (reading["key_epoch"], reading["policy_version"]) != (self.epoch, self.pack_version):
            raise Lost("the newest keys or policy")


def torture(meter: Rig, seed: int, kills: int = 20) -> Counter[str]:
    checker = Checker(meter, seed)
    for number in range(kills):
        checker.live()
        checker.kill(CLASSES[number % len(CLASSES)])
        checker.judge()
    checker.settle()
    return checker.where


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_two_hundred_kills_lose_nothing(rig: Callable[..., Rig], seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """I7, I8, M1, M9: 0 litres lost or doubled, 0 acknowledged credit lost, never a format."""
    where = torture(rig(opening=opening(1_000_000)).start(), seed, KILLS)
    with capsys.disabled():
        print(f"\nmeter kills, seed {seed}: " + ", ".join(f"{where[name]} {name}" for name in CLASSES))
    assert all(where[name] >= KILLS // len(CLASSES) for name in CLASSES)


def changed(path: str, old: str, new: str) -> dict[str, str]:
    text = (ROOT / path).read_text()
    assert text.count(old) == 1, f"{path} no longer contains what this control changes"
    return {path: text.replace(old, new)}


@pytest.mark.slow
def test_a_store_that_says_done_too_early_fails_the_checker(tmp_path: Path) -> None:
    """The control: acknowledge before persist. After its first boot only every eighth update reaches the flash."""
    early = changed(
        "firmware/flash_record.py",
        "        self.sequence += 1\n",
        '        self.sequence += 1\n        if self.name == "state" and self.sequence > 8 and self.sequence % 8:\n'
        "            return\n",
    )
    with (
        Rig(build(tmp_path / "early", early), tmp_path, opening=opening(1_000_000)) as meter,
        pytest.raises(Lost, match="credit"),
    ):
        torture(meter.start(), seed=1)


@pytest.mark.slow
def test_keys_used_before_they_are_on_flash_fail_the_checker(tmp_path: Path) -> None:
    """The control for D4: after a cut the meter would speak under keys that the headend has already forgotten."""
    forgetful = changed(
        "firmware/frame_counter.py",
        "        self.epoch_before = epoch_before\n        self.save(downlink_highest)\n",
        "        self.epoch_before = epoch_before\n",
    )
    with (
        Rig(build(tmp_path / "forgetful", forgetful), tmp_path, opening=opening(1_000_000)) as meter,
        pytest.raises((Lost, AssertionError), match=r"keys|does not open"),
    ):
        torture(meter.start(), seed=1, kills=50)


def test_an_exhausted_heap_is_a_reset_and_loses_nothing(tmp_path: Path) -> None:
    """M7: the application boots again from flash; pulses, credit and the log go on, and DEVICE tells the cause."""
    failing = changed(
        "firmware/alarms.py",
        "        if state.open_litres >= BURST_L:\n",
        "        if state.open_litres == 13 and state.boot_count == 1:\n            raise MemoryError\n"
        "        if state.open_litres >= BURST_L:\n",
    )
    with Rig(build(tmp_path / "failing", failing), tmp_path, opening=opening(1_000_000)) as meter:
        meter.start()
        meter.run(900)
        for _ in range(40):
            meter.pulse()
        reading = meter.read()
        assert (reading["volume_l"], reading["spent_mills"], reading["boot_count"]) == (40, 20_000, 2)
        assert meter.sent(UP_DEVICE)[-1].reset_cause == 4


def rotten_state(meter: Rig) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a meter reads before and after one bit of one copy of its state has rotted."""
    meter.start()
    meter.draw(12)
    meter.run(3600)
    before = meter.read()
    meter.kill()
    spoil(meter.flash, "/a/state")
    meter.restart()
    return before, meter.read()


def test_one_rotten_bit_changes_nothing_that_counts_money(rig: Callable[..., Rig]) -> None:
    before, after = rotten_state(rig(opening=opening(1_000_000)))
    assert [after[name] for name in ("volume_l", "spent_mills", "credited_mills", "opened")] == [
        before[name] for name in ("volume_l", "spent_mills", "credited_mills", "opened")
    ]
    assert after["bad_copies"] == 1


def test_without_the_crc_a_rotten_bit_goes_unnoticed(tmp_path: Path) -> None:
    """The control: littlefs does not check what files hold, so without our CRC nobody does."""
    blind = changed(
        "firmware/flash_record.py",
        '    if crc32(body) != int.from_bytes(record[-CRC_BYTES:], "big"):\n        return None\n',
        "",
    )
    with Rig(build(tmp_path / "blind", blind), tmp_path, opening=opening(1_000_000)) as meter:
        assert rotten_state(meter)[1]["bad_copies"] == 0


@pytest.mark.slow
def test_a_torn_cut_at_every_flash_operation_of_a_half_hour(
    rig: Callable[..., Rig], capsys: pytest.CaptureFixture[str]
) -> None:
    """M1: enumerated, not sampled: a top-up that opens the valve, litres, and the end of the slot."""
    prepared = rig(opening=opening(500)).start()
    prepared.draw(1)
    prepared.kill()
    image = prepared.flash.read_bytes()
    operation = 0
    while True:
        operation += 1
        meter = rig(opening=opening(500))
        meter.flash.write_bytes(image)
        meter.count, meter.valve, meter.books.counter = 1, link.END_CLOSED, 100
        meter.start(provision=False)
        try:
            meter.advance(link.cut_power(operation, link.CUT_TORN))
            meter.credit(500_000)
            meter.draw(12)
            meter.run_to(MIDNIGHT_S + 1800)
            break
        except PowerCut:
            shown = meter.face["balance_mills"] + PRICE * meter.face["volume_l"]
            meter.restart()
            reading = meter.read()
            assert (reading["opened"], reading["volume_l"]) == (1, meter.count), operation
            assert reading["credited_mills"] >= shown, operation
            assert reading["spent_mills"] == PRICE * meter.count, operation
            meter.kill()
    with capsys.disabled():
        print(f"\n{operation - 1} torn cuts, one at each flash operation: nothing lost")
    assert operation > 50
