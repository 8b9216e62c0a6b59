"""Power cuts by the wall clock: QEMU is killed wherever the image is just then, its flash as slow as a real part.

The checker is the one that judges the meter as a process (tests/firmware/test_kills.py): after each boot no litre is
lost or doubled, no acknowledged credit lost, S is what V costs, and nothing was formatted. A control with a store that
says "done" before it is, frozen into an image of its own, must fail the same checker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.identity import decode
from firmware.image.build import rebuilt
from firmware.image.elf import Image
from firmware.image.stage import stage
from hil_tests.rig.console import SealedConsole
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.rig_on_image import RigOnImage
from protocol.rules.calendar import slot_of, slot_start
from protocol.wire.messages import DOWN_POLICY
from simulator import link
from tests.firmware.rig import opening
from tests.firmware.test_kills import Checker, Lost, changed
from tests.firmware.test_packs_in_parts import long_policy, parts_of

KILLS = 52
WORKS = ("at litres and credit", "at a report", "in a pack", "in a change of keys", "in boot")
PROGRAM_US, ERASE_US = 40, 700  # a W25Q's: for 16 bytes programmed, for 256 erased
AFTER_S = 0.05

MakeRig = Callable[[Path, Path], RigOnImage]


class WallClock(Checker):
    """Kills at work. Between two kills the meter lives a little, so that there is something to lose."""

    meter: RigOnImage

    def __init__(self, meter: RigOnImage, seed: int) -> None:
        super().__init__(meter, seed)
        self.where["after provisioning"] = 1  # a boot that the checker did not see

    def live(self) -> None:
        """A few litres, and now and then a payment or some time."""
        for _ in range(self.random.randrange(1, 4)):
            self.meter.pulse(self.random.randrange(1, 8))
        if self.random.random() < 0.3:
            self.credited += 1_000
            self.meter.credit(self.credited, acked_slot=self.frontier())

    def kill(self, where: str) -> None:
        """Set the meter to work, and cut its power within a few dozen milliseconds."""
        meter, after_s = self.meter, self.random.uniform(0, AFTER_S)
        if where == "in boot":
            meter.kill()
            meter.start_and_kill(after_s=after_s)
        elif where == "in a pack":
            self.pack_version += 1
            parts = parts_of(long_policy(self.pack_version))
            frames = [meter.books.pack(DOWN_POLICY, part) for part in parts]
            meter.kill_at_work(*[link.record(link.RADIO, frame) for frame in frames], after_s=after_s)
        elif where == "in a change of keys":
            self.rekey()
            self.epoch += 1
            frame = meter.books.rekey(self.epoch)
            meter.kill_at_work(link.record(link.RADIO, frame), after_s=after_s)
        elif where == "at a report":
            meter.now_s = slot_start(slot_of(meter.now_s) + 1) + self.random.randrange(600)
            meter.count += 3
            meter.kill_at_work(link.pulses(meter.count), after_s=after_s)
        else:
            meter.count += 11
            self.credited += 1_000
            credit = meter.books.statement(self.credited, acked_slot=self.frontier())
            meter.kill_at_work(link.pulses(meter.count), link.record(link.RADIO, credit), after_s=after_s)
        self.where[where] += 1


def torture(meter: RigOnImage, seed: int, kills: int = KILLS) -> Counter[str]:
    """So many kills, each judged at the next boot, and all settled at the end."""
    checker = WallClock(meter, seed)
    for number in range(kills):
        checker.live()
        checker.kill(WORKS[number % len(WORKS)])
        checker.judge()
    checker.settle()
    return Counter({work: checker.where[work] for work in WORKS})


def rig_on(elf: Path, unix_build: Path, folder: Path) -> RigOnImage:
    """A meter of that image with a flash that takes its time."""

    def meter_of(flash: Path, provision_hex: str) -> ImageMeter:
        console = SealedConsole(decode(bytes.fromhex(provision_hex)))
        return ImageMeter(flash.name, elf, flash, provision_hex, console)

    rig = RigOnImage(unix_build, folder, meter_of, opening=opening(1_000_000))
    rig.paces_flash(Image(elf), PROGRAM_US, ERASE_US)
    return rig


@pytest.mark.image_only
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_image_is_killed_and_loses_nothing(
    image: Path, unix_build: Path, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """I7, I8, M1, M9: 0 credit lost, 0 litres lost or twice, never a format, no bit raised by programming."""
    with rig_on(image, unix_build, tmp_path) as meter:
        where = torture(meter.start(), seed)
        status = meter.image.machine.flash_status()
        busy = meter.in_flight["programming"] + meter.in_flight["erasing"]
        with capsys.disabled():
            print(
                f"\nthe image killed {sum(where.values())} times, seed {seed}: {busy} hit an operation in flight "
                f"({dict(meter.in_flight)}); {status.operations} operations, {status.violations} violations",
                end="",
            )
    assert sum(meter.in_flight.values()) == sum(where.values()) == KILLS
    assert all(where[name] >= KILLS // len(WORKS) for name in WORKS)
    assert busy >= KILLS // 10
    assert status.violations == 0


@pytest.fixture
def early(image: Path, tmp_path: Path) -> Path:
    """An image whose store says "done" too early: after its first boot only every eighth update reaches the flash.

    It is the built image with other frozen bytecode: what was compiled for that one is compiled.
    """
    broken = changed(
        "firmware/flash_record.py",
        "        self.sequence += 1\n",
        '        self.sequence += 1\n        if self.name == "state" and self.sequence > 8 and self.sequence % 8:\n'
        "            return\n",
    )
    return rebuilt(stage(tmp_path / "frozen", broken), tmp_path / "made", image.parent)


@pytest.mark.image_only
def test_a_store_that_says_done_too_early_fails_the_checker(early: Path, unix_build: Path, tmp_path: Path) -> None:
    """The control: acknowledge before persist."""
    folder = tmp_path / "meter"
    folder.mkdir()
    with rig_on(early, unix_build, folder) as meter, pytest.raises(Lost, match=r"credit|litres"):
        torture(meter.start(), seed=1)
