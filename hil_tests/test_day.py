"""A whole day of the image in lock-step: the same in three runs, within its heap, and the same as the unix meter's.

The days are lived once for the tests of this file: one worker runs them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.image.build import HEAP_BYTES, MICROPYTHON
from firmware.image.elf import Image
from hil_tests.conftest import MakeBoard
from hil_tests.day.boards import Lived, live, new_flash
from hil_tests.day.trace import digest, first_difference
from hil_tests.rig.unix_meter import UnixMeter

RUNS = 3
PULSES = 4_000
CPU_S_MAX = 45  # a guard that holds on a busy machine too; the wall's seconds are `guelta bench day`'s to tell
HEAP_FREE_MIN = 6 * 1024
# What a console tells of the machine, not of the meter. A sealed session writes a few times before it answers.
MACHINES_OWN = {"heap_free_min", "interpreter", "interpreter_version", "reset_cause", "flash_operations"}

pytestmark = [pytest.mark.image_only, pytest.mark.xdist_group("day"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory, unix_build: Path) -> Path:
    """A provisioned flash on which nobody has drawn a litre."""
    return new_flash(tmp_path_factory.mktemp("new"), unix_build)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, make_board: MakeBoard, new: Path) -> list[Lived]:
    """The day, again and again."""
    folder = tmp_path_factory.mktemp("runs")
    return [live(make_board, new, folder / f"{number}.flash") for number in range(RUNS)]


def test_a_day_is_the_same_day_in_three_runs(runs: list[Lived], capsys: pytest.CaptureFixture[str]) -> None:
    """24 hours, more than 4,000 pulses: every frame, motor command, face and alarm clock at its microsecond."""
    with capsys.disabled():
        for lived in runs:
            told = lived.told
            print(
                f"\na day of the image: {told.pulses} pulses, {told.frames} frames, {told.closures} closures, "
                f"{len(told.steps)} wakings, {told.wall_s:.1f} s, {lived.cpu_s:.1f} s of a processor, "
                f"trace {digest(told.steps)[:16]}",
                end="",
            )
        print()
    first = runs[0].told
    assert first.pulses >= PULSES
    for lived in runs[1:]:
        assert first_difference(first.steps, lived.told.steps) == ""
        assert digest(lived.told.steps) == digest(first.steps)
        assert lived.files == runs[0].files
    assert min(lived.cpu_s for lived in runs) <= CPU_S_MAX


def test_the_day_held_what_a_day_can_hold(runs: list[Lived]) -> None:
    """Dry taps and paid ones, packs in fragments, commands, and every litre and franc accounted for."""
    told, peer = runs[0].told, runs[0].day.peer
    reading = runs[0].reading
    assert told.closures >= 5
    assert (reading["boot_count"], reading["safe_mode"], reading["bad_copies"]) == (2, 0, 0)
    assert (reading["tariff_version"], reading["policy_version"], reading["command"]) == (2, 2, 2)
    assert reading["volume_l"] == told.pulses
    assert reading["credited_mills"] == peer.credited_mills
    assert reading["acked_slot"] == peer.frontier() >= reading["open_slot"] - 1
    assert reading["flash_operations"] > 5_000


def test_the_day_fits_a_heap_of_forty_kilobytes(runs: list[Lived], image: Path) -> None:
    """The whole application, its day, and a margin."""
    assert Image(image).number("heap_bytes") == HEAP_BYTES == 40_960
    assert all(lived.reading["heap_free_min"] >= HEAP_FREE_MIN for lived in runs)


@pytest.mark.parametrize("interpreter", ["wheel", "built"])
def test_the_image_and_the_unix_meter_live_the_same_day(
    interpreter: str,
    image: Path,
    runs: list[Lived],
    new: Path,
    unix_build: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every frame, motor command and face at the same microsecond; at the end their flash chips are equal too."""
    monkeypatch.delenv("GUELTA_MICROPYTHON", raising=False)
    if interpreter == "built":
        monkeypatch.setenv("GUELTA_MICROPYTHON", str(image.parent / MICROPYTHON))
    lived = live(lambda flash, hex_: UnixMeter("unix", unix_build, flash, hex_), new, tmp_path / "flash")
    assert first_difference(runs[0].told.steps, lived.told.steps) == ""
    assert lived.told.steps == runs[0].told.steps
    assert lived.files == runs[0].files
    apart = {name for name, value in lived.reading.items() if value != runs[0].reading[name]}
    assert apart <= MACHINES_OWN
