"""The thermometer and the clock chip on the I2C bus, against parts made of registers."""

from datetime import UTC, datetime

import pytest

from firmware.boards.qemu_mps2 import clock_chip, thermometer
from firmware.boards.qemu_mps2.clock_chip import ClockChip
from firmware.boards.qemu_mps2.thermometer import Thermometer


class FakeI2C:
    """One part of 256 registers at an address; nobody at any other."""

    def __init__(self, address: int, registers: bytes = bytes(64)) -> None:
        self.address, self.registers = address, bytearray(registers)

    def readfrom_mem(self, address: int, register: int, size: int) -> bytes:
        if address != self.address:
            raise OSError(19)
        return bytes(self.registers[register : register + size])

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        if address != self.address:
            raise OSError(19)
        self.registers[register : register + len(data)] = data


def seconds(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("raw", "c10"),
    [("4600", 700), ("1910", 250), ("1980", 255), ("0000", 0), ("fff0", -1), ("e700", -250), ("7ff0", 1279)],
)
def test_the_thermometer_reads_tenths_of_a_degree(raw: str, c10: int) -> None:
    """CT-31."""
    assert Thermometer(FakeI2C(thermometer.ADDRESS, bytes.fromhex(raw))).temperature_c10() == c10


def test_a_thermometer_that_is_not_there_says_so() -> None:
    assert Thermometer(FakeI2C(0x10)).temperature_c10() is None


@pytest.mark.parametrize(
    "unix_s",
    [
        seconds(2000, 1, 1),
        seconds(2000, 2, 29, 23, 59, 59),
        seconds(2026, 3, 1, 12),
        seconds(2028, 2, 29, 1, 2, 3),
        seconds(2028, 12, 31, 23, 59, 59),
        seconds(2099, 12, 31, 23, 59, 59),
    ],
)
def test_the_clock_chip_gives_back_what_it_was_set_to(unix_s: int) -> None:
    i2c = FakeI2C(clock_chip.ADDRESS)
    chip = ClockChip(i2c)
    chip.set(unix_s)
    assert chip.read() == (unix_s, True)
    assert i2c.registers[3] == datetime.fromtimestamp(unix_s, UTC).isoweekday()


def test_every_day_of_a_century_is_a_day_after_the_one_before() -> None:
    first = seconds(2000, 1, 1) // 86_400
    dates = [datetime.fromtimestamp((first + day) * 86_400, UTC) for day in range(36_525)]
    assert [clock_chip.days_of(date.year, date.month, date.day) for date in dates] == list(range(first, first + 36_525))


@pytest.mark.parametrize("changes", [{0: 0x80}, {7: 0x20}, {2: 0x52}, {5: 0x00}, {5: 0x13}, {4: 0x00}], ids=str)
def test_a_chip_that_stood_still_or_says_no_date_is_not_believed(changes: dict[int, int]) -> None:
    i2c = FakeI2C(clock_chip.ADDRESS)
    chip = ClockChip(i2c)
    chip.set(seconds(2026, 3, 1, 12))
    for register, value in changes.items():
        i2c.registers[register] = value
    assert chip.read() == (0, False)


def test_a_clock_chip_that_is_not_there_is_not_believed_either() -> None:
    chip = ClockChip(FakeI2C(0x10))
    chip.set(seconds(2026, 3, 1, 12))
    assert chip.read() == (0, False)
