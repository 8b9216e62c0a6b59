"""A flash that cannot be read, on the image and with a real headend: told, never formatted, and no nonce twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.alarms import FLASH_LOST
from hil_tests.rig.bench import Meter
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.office import Office
from hil_tests.rig.qemu import FILES_BYTES

pytestmark = pytest.mark.image_only

HOUR_S, DAY_S = 3_600, 86_400


def flash_of(meter: Meter) -> Path:
    assert isinstance(meter.board, ImageMeter)
    return meter.board.machine.flash


def files_part(flash: Path) -> bytes:
    with flash.open("rb") as file:
        return file.read(FILES_BYTES)


def put(flash: Path, content: bytes) -> None:
    with flash.open("r+b") as file:
        file.write(content)


def break_superblocks(content: bytes) -> bytes:
    return bytes(8_192) + content[8_192:]


def erase(content: bytes) -> bytes:
    return b"\xff" * len(content)


@pytest.mark.parametrize("lose", [break_superblocks, erase])
def test_a_dead_flash_is_told_and_the_meter_goes_on_when_it_is_back(
    meter: Meter, headend: Office, lose: Callable[[bytes], bytes]
) -> None:
    """The keepsake in the EEPROM gives the image a name and counters beyond all used: the headend takes every frame."""
    meter.draws(5)
    meter.lives(2 * HOUR_S)
    meter.cut_power()
    flash = flash_of(meter)
    whole = files_part(flash)
    put(flash, lose(whole))
    meter.power_on()
    meter.lives(DAY_S + HOUR_S)
    assert meter.reads()["safe_mode"] == 2
    assert meter.shows().alarms == FLASH_LOST
    assert headend.cases() == ("flash-lost",)
    meter.cut_power()
    assert files_part(flash) == lose(whole), "nothing formatted it"
    put(flash, whole)
    meter.power_on()
    meter.draws(2)
    meter.lives(2 * HOUR_S)
    reading = meter.reads()
    assert (reading["safe_mode"], headend.cases()) == (0, ())
    assert headend.differs_from(reading) == {}
