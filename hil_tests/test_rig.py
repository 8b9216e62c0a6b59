"""The rig itself: what it needs is named when it is missing, nothing outlives it, and no flash has two masters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil_tests.rig.image_meter import Wait, grant, parse_wait
from hil_tests.rig.images import PRODUCTION, built_image
from hil_tests.rig.qemu import FILES_BYTES, FLASH_BYTES, Machine
from simulator.link import LinkBroken
from simulator.meter_process import NEVER_US, MeterFailed


def test_a_missing_image_names_the_command_that_builds_it(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match=r"no image .*meter\.elf: build it with `make firmware`"):
        built_image(PRODUCTION, tmp_path)


@pytest.mark.image_only
def test_a_missing_qemu_names_the_package(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    machine = Machine(image, tmp_path / "flash", tmp_path / "eeprom")
    with pytest.raises(MeterFailed, match="no qemu-system-arm: sudo apt-get install"):
        machine.power_on()
    machine.dispose()


@pytest.mark.image_only
def test_a_flash_has_one_machine_at_a_time(image: Path, tmp_path: Path) -> None:
    first, second = (Machine(image, tmp_path / "flash", tmp_path / f"eeprom{number}") for number in (1, 2))
    try:
        first.power_on()
        with pytest.raises(MeterFailed, match="is the flash of another machine that still has power"):
            second.power_on()
        first.cut()
        second.power_on()
    finally:
        first.dispose()
        second.dispose()


@pytest.mark.image_only
def test_a_new_flash_is_erased_and_a_process_s_flash_grows_to_the_chip(image: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.write_bytes(b"\x5a" * 5000)
    machine = Machine(image, flash, tmp_path / "eeprom")
    try:
        machine.power_on()
        machine.cut()
    finally:
        machine.dispose()
    content = flash.read_bytes()
    assert len(content) == FLASH_BYTES
    assert content[:FILES_BYTES] == b"\x5a" * 5000 + b"\xff" * (FILES_BYTES - 5000)


_KILLED_RIG = """
import sys, time
from pathlib import Path
from hil_tests.rig.qemu import Machine
folder = Path(sys.argv[2])
machine = Machine(Path(sys.argv[1]), folder / "flash", folder / "eeprom")
machine.power_on()
print(machine.process_id, flush=True)
time.sleep(60)
"""


@pytest.mark.image_only
def test_no_machine_outlives_a_rig_that_is_killed(image: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED_RIG, str(image), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as rig:
        assert rig.stdout is not None
        machine = int(rig.stdout.readline())
        os.kill(machine, 0)
        rig.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while _lives(machine):
        assert time.monotonic() < until, "QEMU outlived its rig"
        time.sleep(0.02)


def _lives(process: int) -> bool:
    """Whether it runs: a dead one that nobody has buried yet does not."""
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_waits_and_grants_are_as_firmware_speaks_them() -> None:
    assert parse_wait(bytes.fromhex("57 2a 0000000186a0")) == Wait(0x2A, 100_000)
    assert parse_wait(b"W\x01" + b"\xff" * 6) == Wait(1, NEVER_US)
    assert grant(7, 1_000_000, (1, 65_536 + 2, 3)) == bytes.fromhex("47 07 0000000f4240 0006")
    with pytest.raises(LinkBroken, match="not a wait record: 4701"):
        parse_wait(b"G\x01")
