"""What is on the board beside the processor, seen from both sides: flash, EEPROM, clock chip, thermometer, REPL."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from littlefs import LittleFS

from firmware.flash_record import unpack
from hil_tests.rig.bench import Meter
from hil_tests.rig.console import SealedConsole
from hil_tests.rig.desk import Desk
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.images import DEVELOPMENT, built_image
from hil_tests.rig.live_meter import LiveMeter
from hil_tests.rig.office import Office
from hil_tests.rig.qemu import CONSOLE, EEPROM_BYTES, FILES_BYTES, Machine
from hil_tests.rig.unix_meter import UnixMeter
from simulator import link
from simulator.clock import HOUR_US, unix_s
from simulator.face import parse_reading, read_request
from tests.wire.test_p256 import KEY, SAMPLE

pytestmark = pytest.mark.image_only

BLOCK_BYTES, PROGRAM_BYTES, LOOKAHEAD_BYTES = 4096, 64, 32
NINE_S = unix_s(9 * HOUR_US)
# Ctrl-C twice, raw REPL, paste mode, soft reset, and a line that would tell.
KEYS = b"\r\x03\x03\x01\x05\x04\r\nprint(1234)\r\n\x04"


def files_on(flash: Path) -> LittleFS:
    """The image's file system, mounted by the host."""
    files = LittleFS(
        block_size=BLOCK_BYTES,
        block_count=FILES_BYTES // BLOCK_BYTES,
        read_size=PROGRAM_BYTES,
        prog_size=PROGRAM_BYTES,
        lookahead_size=LOOKAHEAD_BYTES,
        mount=False,
    )
    with flash.open("rb") as file:
        files.context.buffer[:] = file.read(FILES_BYTES)
    files.mount()
    return files


def read_over_console(meter: ImageMeter | UnixMeter, now_us: int) -> dict[str, Any]:
    return parse_reading(meter.advance(now_us, [link.record(link.CONSOLE, read_request())]).console)


def sensed(now_us: int, pulses: int) -> list[bytes]:
    return [link.pulses(pulses), link.real_time(unix_s(now_us), True), link.battery(3600), link.tamper(False)]


def test_the_host_reads_the_flash_of_a_meter_whose_power_was_cut(meter: Meter, headend: Office) -> None:
    meter.pulses(40)
    meter.lives(3600)
    meter.cut_power()
    assert isinstance(meter.board, ImageMeter)
    files = files_on(meter.board.machine.flash)
    for copy in ("a", "b"):
        assert set(files.listdir(f"/{copy}")) >= {"identity", "state", "packs", "counters", "log"}
        with files.open(f"/{copy}/identity", "rb") as record:
            assert unpack(record.read())[2].hex() == headend.provision_hex
    status = meter.board.machine.flash_status()
    assert status.operations > status.erases > 0
    assert status.violations == 0, "nobody programmed a bit from 0 to 1"


@pytest.mark.xdist_group("unix-build")
def test_the_image_and_the_process_take_each_others_flash(image: Path, unix_build: Path, tmp_path: Path) -> None:
    """One meter lives on the image, then as a process, then on the image again: the same meter, to the litre."""
    desk, flash = Desk(500_000), tmp_path / "flash"
    on_image = ImageMeter("image", image, flash, desk.record.hex(), SealedConsole(desk.identity))
    as_process = UnixMeter("process", unix_build, flash, desk.record.hex())
    try:
        for number, meter in enumerate((on_image, as_process, on_image), 1):
            now_us, before_l = number * HOUR_US, 10 * (number - 1)
            meter.start(now_us, sensed(now_us, before_l))
            meter.advance(now_us + HOUR_US // 2, [link.pulses(before_l + 10)])
            told = read_over_console(meter, now_us + HOUR_US // 2)
            assert (told["volume_l"], told["boot_count"], told["bad_copies"]) == (before_l + 10, number, 0)
            meter.kill()
    finally:
        on_image.dispose()
        as_process.dispose()


def test_the_clock_chip_is_read_from_the_bus(image: Path, tmp_path: Path) -> None:
    """No record tells a meter in real time what time it is: the chip does, and it counts on while nobody looks."""
    desk = Desk(500_000)
    live = LiveMeter(image, tmp_path / "flash", desk.identity, SealedConsole(desk.identity), tells_time=False)
    try:
        live.power_on(NINE_S)
        live.provision(desk.record)
        live.lives_until(lambda: live.face is not None and live.face.balance_mills > 0, within_s=10)
        told = live.reads()
        assert told["clock_sure"] == 1
        assert 0 <= told["unix_s"] - NINE_S < 20
    finally:
        live.dispose()


def test_keys_on_the_console_of_a_production_meter_change_nothing(meter: Meter) -> None:
    """No banner, no prompt, no interruption: whoever holds the cable holds nothing."""
    assert isinstance(meter.board, ImageMeter)
    meter.pulses(40)
    before = meter.reads()
    said = meter.board.type_on_console(KEYS)
    assert not any(word in said.lower() for word in (b">>>", b"raw repl", b"micropython", b"1234"))
    assert meter.board.boots == 1
    meter.pulses(3)
    after = meter.reads()
    assert (after["volume_l"], after["boot_count"]) == (43, before["boot_count"])


# The development image ------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """The development image on a blank board, its console on a pseudo-terminal."""
    elf = built_image(DEVELOPMENT, request.config.getoption("--images"))
    machine = Machine(elf, tmp_path / "flash", tmp_path / "eeprom", lock_step=False, terminal=True)
    try:
        machine.power_on(NINE_S)
        yield machine
    finally:
        machine.dispose()


def on_repl(machine: Machine, program: str) -> Any:
    """What a program prints, as JSON, when mpremote runs it on the image."""
    command = [sys.executable, "-m", "mpremote", "connect", machine.terminal_port(), "resume", "exec", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_mpremote_reaches_the_development_image_and_the_chips_on_its_bus(bare: Machine) -> None:
    bare.set_temperature(415)
    told = on_repl(
        bare,
        """
from machine import Pin, SoftI2C
bus = SoftI2C(scl=Pin("SCL"), sda=Pin("SDA"))
bus.writeto(0x50, b"\\x01\\x20" + b"guelta")
clock = bus.readfrom_mem(0x68, 0, 7)
warm = bus.readfrom_mem(0x48, 0, 2)
print([sorted(bus.scan()), clock[2], clock[4], clock[5], clock[6], (warm[0] << 4 | warm[1] >> 4) * 10 // 16])
""",
    )
    assert told == [[0x48, 0x50, 0x68], 0x08, 0x30, 0x03, 0x26, 415]
    assert CONSOLE == 0
    bare.cut()
    eeprom = (bare.flash.parent / "eeprom").read_bytes()
    assert len(eeprom) == EEPROM_BYTES
    assert eeprom[0x120:0x126] == b"guelta"


def test_the_image_verifies_signatures_and_refuses_where_its_stack_has_no_room(bare: Machine) -> None:
    """FEATURES B9: `p256` as an update's end calls it. Deep down it raises instead of overwriting the heap."""
    told = on_repl(
        bare,
        f"""
import p256, hashlib
key, right = bytes.fromhex("{KEY.hex()}"), bytes.fromhex("{SAMPLE.hex()}")
def verify(text):
    return int(p256.verify(key, hashlib.sha256(text).digest(), right))
refused = 0
def at_the_bottom(depth):
    global refused
    try:
        return at_the_bottom(depth + 1)
    except RuntimeError:
        pass
    try:
        return verify(b"sample")
    except RuntimeError:
        refused += 1
        raise
print([verify(b"sample"), verify(b"simple"), at_the_bottom(0), int(refused > 2), verify(b"sample")])
""",
    )
    assert told == [1, 0, 1, 1, 1]
