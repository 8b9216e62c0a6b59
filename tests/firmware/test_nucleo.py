"""The NUCLEO-WL55JC board against made-up pins, modem and chip: what can be shown without the board (README there).

The fakes have the published methods of `machine` (MicroPython, stm32) and of micropython-lib's `lora`, nothing else.
"""

from __future__ import annotations

import calendar
import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from firmware.boards import base
from simulator.radio import airtime_us

ROOM = "firmware.boards.nucleo_wl55"
METER_ID = bytes.fromhex("6775656c74610001")


class FakePin:
    """A pin; each name is one object, as on the chip."""

    IN, OUT, PULL_UP, IRQ_FALLING = 0, 1, 2, 4
    all: dict[str, FakePin] = {}

    def __new__(cls, name: str, *_: Any, **__: Any) -> FakePin:
        return cls.all.setdefault(name, super().__new__(cls))

    def __init__(self, name: str, mode: int = IN, pull: int | None = None, value: int = 1) -> None:
        self.name, self.mode, self.pull, self.level = name, mode, pull, value
        self.handler: Callable[[FakePin], None] = getattr(self, "handler", lambda _: None)

    def init(self, mode: int, pull: int | None = None) -> None:
        self.mode, self.pull = mode, pull

    def irq(self, handler: Callable[[FakePin], None], trigger: int, hard: bool) -> None:
        assert trigger == self.IRQ_FALLING and hard
        self.handler = handler

    def value(self) -> int:
        return self.level

    def __call__(self, level: int) -> None:
        assert self.mode == self.OUT
        self.level = level

    def fall(self) -> None:
        self.level = 0
        self.handler(self)


class FakeUart:
    def __init__(self, *_: Any) -> None:
        self.written, self.waiting = b"", b""

    def any(self) -> int:
        return len(self.waiting)

    def read(self, size: int) -> bytes:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def write(self, data: bytes) -> None:
        self.written += data


class FakeModem:
    """The low-level calls of a `lora` modem; `answers` are what the windows hear, in order."""

    def __init__(self, chip: Chip) -> None:
        self.chip, self.config = chip, {}
        self.sent: list[bytes] = []
        self.sent_at: list[int] = []
        self.answers: list[bytes | None] = []
        self.windows: list[tuple[int, int, int]] = []
        self.ends_us, self.asleep = -1, False

    def configure(self, config: dict[str, Any]) -> None:
        self.config = {**self.config, **config}

    def get_time_on_air_us(self, size: int) -> int:
        return airtime_us(size - 13, self.config["sf"])

    def prepare_send(self, packet: bytes) -> None:
        self.packet = packet

    def start_send(self) -> bool:
        self.sent.append(self.packet)
        self.sent_at.append(self.chip.us)
        self.ends_us, self.asleep = self.chip.us + self.get_time_on_air_us(len(self.packet)), False
        return True

    def poll_send(self) -> bool | int:
        return True if self.chip.us < self.ends_us else self.ends_us // 1000

    def start_recv(self, timeout_ms: int) -> bool:
        self.windows.append((self.chip.us, self.config["sf"], self.config["freq_khz"]))
        self.answer = self.answers.pop(0) if self.answers else None
        self.ends_us = self.chip.us + 1000 * timeout_ms
        return True

    def poll_recv(self) -> bool | bytearray:
        if self.chip.us < self.ends_us:
            return True
        return False if self.answer is None else bytearray(self.answer)

    def sleep(self) -> None:
        self.asleep = True


class Chip:
    """Time, memory and the modules that a MicroPython on this chip has."""

    def __init__(self) -> None:
        self.us = 5 * 1_000_000
        self.memory: dict[int, int] = {0x1FFF75AA: 1656, 0x1FFF75A8: 1035, 0x1FFF75C8: 1376}
        self.adc = {"vref": 1656 << 4, "temp": 1035 << 4}
        self.slept: list[int] = []
        self.cause = 1
        self.at_sleep: Callable[[], None] = lambda: None

    def datetime(self) -> tuple[int, ...]:
        seconds, us = divmod(self.us, 1_000_000)
        days, rest = divmod(seconds, 86_400)
        return 2015, 1, 1 + days, 3, rest // 3600, rest // 60 % 60, rest % 60, us

    def sleep_ms(self, ms: int) -> None:
        self.us += 1000 * ms
        self.at_sleep()

    def lightsleep(self, ms: int) -> None:
        self.slept.append(ms)
        self.sleep_ms(ms)

    def modules(self) -> dict[str, ModuleType]:
        chip = self

        class Memory:
            def __getitem__(self, at: int) -> int:
                return chip.memory.get(at, 0)

            def __setitem__(self, at: int, value: int) -> None:
                assert 0 <= value < 1 << 30, "an interrupt may not allocate"
                chip.memory[at] = value

        class Adc:
            CORE_VREF, CORE_TEMP = "vref", "temp"

            def __init__(self, channel: str) -> None:
                self.channel = channel

            def read_u16(self) -> int:
                return chip.adc[self.channel]

        def module(name: str, **members: Any) -> ModuleType:
            made = ModuleType(name)
            vars(made).update(members)
            return made

        return {
            "machine": module(
                "machine",
                Pin=FakePin,
                ADC=Adc,
                RTC=lambda: SimpleNamespace(datetime=chip.datetime),
                WDT=lambda timeout: SimpleNamespace(feed=lambda: None),
                UART=FakeUart,
                SPI=lambda *_, **__: None,
                SoftI2C=lambda *_: None,
                mem32=Memory(),
                mem16=Memory(),
                lightsleep=self.lightsleep,
                reset_cause=lambda: self.cause,
                SOFT_RESET=0,
                PWRON_RESET=1,
                HARD_RESET=2,
                WDT_RESET=3,
            ),
            "time": module(
                "time",
                sleep_ms=self.sleep_ms,
                sleep_us=lambda us: None,
                mktime=lambda moment: calendar.timegm(moment),
            ),
            "lora": module("lora", WL55SubGhzModem=FakeModem),
            "vfs": module("vfs"),
        }


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    """The chip's modules in place of CPython's while the room is imported, and the room forgotten afterwards."""
    made = Chip()
    FakePin.all = {}
    before = set(sys.modules)
    with monkeypatch.context() as patched:
        for name, module in made.modules().items():
            patched.setitem(sys.modules, name, module)
        for name in ("board", "air", "spi_nor", "supply", "backup", "start"):
            importlib.import_module(f"{ROOM}.{name}")
    yield made
    for name in set(sys.modules) - before:
        if name.startswith((ROOM, "firmware.boards.littlefs")):
            del sys.modules[name]


@pytest.fixture
def modem(chip: Chip) -> FakeModem:
    made = FakeModem(chip)
    made.configure(room("air").settings(10))
    return made


@pytest.fixture
def board(chip: Chip, modem: FakeModem) -> Any:
    air = room("air").Air(modem, 10)
    air.address(METER_ID)
    device = SimpleNamespace(operations=7)
    return room("board").NucleoBoard(air, FakeUart(), FakeUart(), device, None, None)


def room(name: str) -> Any:
    return sys.modules[f"{ROOM}.{name}"]


def test_the_board_has_all_that_the_interface_names(board: Any) -> None:
    assert [name for name in vars(base.Board) if not name.startswith("_") and not hasattr(board, name)] == []


# Inputs -------------------------------------------------------------------------------------------------------------
def test_pulses_are_counted_by_the_interrupt_and_outlive_a_reset(chip: Chip, board: Any) -> None:
    """CT-04: the count stands in a backup register, not in the heap."""
    for _ in range(3):
        FakePin.all["B3"].fall()
    FakePin.all["B10"].fall()
    assert (board.pulses(), board.reverse_pulses()) == (3, 1)
    again = room("board").NucleoBoard(board.air, FakeUart(), FakeUart(), board.device, None, None)
    assert (again.pulses(), again.reverse_pulses()) == (3, 1)


def test_a_pulse_wakes_the_application_at_once_and_silence_at_the_deadline(chip: Chip, board: Any) -> None:
    start_us = board.now_us()
    board.wait_until(start_us + 60_000_000)
    assert board.now_us() == start_us + 60_000_000
    assert chip.slept == [20_000, 20_000, 20_000]  # the watchdog is fed in between
    chip.at_sleep = lambda: FakePin.all["B3"].fall() if board.pulses() == 0 else None
    board.wait_until(start_us + 10_000_000_000)
    assert board.now_us() == start_us + 80_000_000 and board.pulses() == 1


def test_each_press_is_taken_once(board: Any) -> None:
    FakePin.all["A0"].fall()
    FakePin.all["A0"].fall()
    assert [board.take_button() for _ in range(3)] == [True, True, False]


def test_voltage_and_temperature_are_read_against_the_makers_calibration(chip: Chip, board: Any) -> None:
    """CT-31."""
    assert (board.battery_mv(), board.temperature_c10()) == (3300, 300)
    chip.adc["vref"] = (1656 * 3300 // 3600) << 4  # the same reference against a higher supply
    chip.adc["temp"] = ((1035 + (1376 - 1035) * 40 // 100) * 3300 // 3600) << 4
    assert abs(board.battery_mv() - 3600) <= 2 and abs(board.temperature_c10() - 700) <= 10
    chip.memory[0x1FFF75A8] = 0xFFFF
    assert board.temperature_c10() is None


def test_the_clock_is_unsure_after_the_cell_was_away_and_outlives_a_reset_once_set(chip: Chip, board: Any) -> None:
    assert board.rtc() == (0, False)
    board.set_rtc(1_800_000_000)
    chip.us += 90_000_000
    again = room("board").NucleoBoard(board.air, FakeUart(), FakeUart(), board.device, None, None)
    assert again.rtc() == (1_800_000_090, True)
    assert again.now_us() > board.now_us() - 1_000_000  # the monotone clock was not set


@pytest.mark.parametrize(("told", "cause"), [(1, 1), (2, 2), (0, 2), (3, 3), (9, base.RESET_FAULT)])
def test_reset_causes_are_those_of_the_wire(chip: Chip, board: Any, told: int, cause: int) -> None:
    chip.cause = told
    assert board.reset_cause() == cause


# Motor --------------------------------------------------------------------------------------------------------------
def motor() -> tuple[int, int, int]:
    return FakePin.all["B12"].level, FakePin.all["C1"].level, FakePin.all["A9"].level


def test_an_end_stop_stops_the_motor_in_its_interrupt(board: Any) -> None:
    """CT-01: whatever the processor is busy with."""
    board.motor(base.MOTOR_CLOSE)
    assert motor() == (1, 0, 1)
    FakePin.all["B5"].fall()  # the other end-stop, as the valve leaves it, bounces
    assert motor() == (1, 0, 1) and board.take_end_stop() is None
    FakePin.all["B8"].fall()
    assert motor() == (0, 0, 0)
    assert (board.take_end_stop(), board.take_end_stop()) == (base.END_STOP_CLOSED, None)
    assert FakePin.all["B8"].pull is None  # no current through a closed stop


def test_a_motor_that_meets_no_stop_is_stopped_by_time(board: Any) -> None:
    start_us = board.now_us()
    board.motor(base.MOTOR_OPEN)
    assert motor() == (1, 1, 0)
    board.wait_until(start_us + 60_000_000)
    assert board.now_us() - start_us <= 15_020_000
    assert motor() == (0, 0, 0) and board.take_end_stop() == base.END_STOP_NONE


def test_a_valve_that_stands_at_the_end_does_not_move(board: Any) -> None:
    FakePin.all["B5"].level = 0
    board.motor(base.MOTOR_OPEN)
    assert motor() == (0, 0, 0) and board.take_end_stop() == base.END_STOP_OPEN


def test_stop_stops(board: Any) -> None:
    board.motor(base.MOTOR_OPEN)
    board.motor(base.MOTOR_STOP)
    assert motor() == (0, 0, 0) and board.take_end_stop() is None


# Air ----------------------------------------------------------------------------------------------------------------
def test_an_answer_in_the_first_window_is_heard_and_the_second_stays_shut(
    chip: Chip, board: Any, modem: FakeModem
) -> None:
    modem.answers = [b"\x01" + METER_ID + b"answer"]
    board.transmit(b"frame")
    board.wait_until(board.now_us() + 60_000_000)
    assert modem.sent == [b"\x01" + METER_ID + b"frame"]
    assert board.receive() == b"answer" and board.receive() is None
    (opened_us, factor, khz), *others = modem.windows
    ended_us = modem.sent_at[0] + airtime_us(14 - 13, 10)
    assert not others and (factor, khz) == (10, 868_100)
    assert 0 <= ended_us + 1_000_000 - opened_us <= 20_000 + 10_000
    assert modem.asleep and modem.config["invert_iq_rx"] and not modem.config["invert_iq_tx"]


def test_an_empty_first_window_is_followed_by_the_second_at_sf12(chip: Chip, board: Any, modem: FakeModem) -> None:
    other = b"\x01" + bytes(8) + b"for somebody else"
    modem.answers = [other, b"\x01" + METER_ID + b"late"]
    board.transmit(b"frame")
    board.wait_until(board.now_us() + 60_000_000)
    assert board.receive() == b"late"
    assert [(factor, khz) for _, factor, khz in modem.windows] == [(10, 868_100), (12, 869_525)]
    ended_us = modem.sent_at[0] + airtime_us(14 - 13, 10)
    assert abs(modem.windows[1][0] - ended_us - 2_000_000) <= 30_000
    assert (modem.config["sf"], modem.config["freq_khz"]) == (10, 868_100)


def test_airtime_stays_within_one_per_cent_of_any_hour(chip: Chip, board: Any, modem: FakeModem) -> None:
    air = board.air
    air.spreading_factor = 12
    modem.configure({"sf": 12})
    for _ in range(60):
        if len(air.waiting) < 8:
            board.transmit(bytes(51))
        board.wait_until(board.now_us() + 60_000_000)
    took_us = airtime_us(60 - 13, 12)
    assert len(modem.sent) >= 36_000_000 // took_us
    for at_us in modem.sent_at:
        assert sum(took_us for other_us in modem.sent_at if at_us <= other_us < at_us + 3_600_000_000) <= 36_000_000


def test_of_too_many_waiting_frames_the_oldest_is_lost(board: Any) -> None:
    for number in range(10):
        board.transmit(bytes((number,)))
    assert [packet[-1] for packet in board.air.waiting] == list(range(2, 10))


# Flash --------------------------------------------------------------------------------------------------------------
class NorChip:
    """A serial NOR flash: programs only clear bits, within a page; erases 4 KB; busy for three questions after each."""

    def __init__(self) -> None:
        self.bytes = bytearray(b"\xff") * (1 << 20)
        self.enabled, self.awake, self.busy, self.selected = False, True, 0, False
        self.command = b""

    def select(self, level: int) -> None:
        self.selected = not level
        self.command = b""

    def write(self, data: bytes) -> None:
        assert self.selected
        self.command, code = data, data[0]
        assert self.awake or code == 0xAB
        assert not self.busy or code == 0x05
        at = int.from_bytes(data[1:4], "big")
        if code == 0x06:
            self.enabled = True
        elif code == 0x02:
            assert self.enabled and len(data) <= 4 + 256 and at % 256 + len(data) - 4 <= 256
            for place, byte in enumerate(data[4:], at):
                self.bytes[place] &= byte
            self.enabled, self.busy = False, 3
        elif code == 0x20:
            assert self.enabled and at % 4096 == 0
            self.bytes[at : at + 4096] = b"\xff" * 4096
            self.enabled, self.busy = False, 3
        elif code in (0xB9, 0xAB):
            self.awake = code == 0xAB

    def readinto(self, buffer: bytearray) -> None:
        if self.command[0] == 0x05:
            buffer[0], self.busy = int(self.busy > 0), max(self.busy - 1, 0)
        else:
            at = int.from_bytes(self.command[1:4], "big")
            buffer[:] = self.bytes[at : at + len(buffer)]


def test_the_flash_is_a_block_device_that_sleeps_between_operations(chip: Chip) -> None:
    part = NorChip()
    device = room("spi_nor").SpiNor(part, part.select)
    data = bytes(range(256)) * 2
    device.writeblocks(3, data, 192)  # over the edges of pages
    read = bytearray(512)
    device.readblocks(3, read, 192)
    assert read == data and not part.awake and device.operations == 3
    device.ioctl(6, 3)
    device.readblocks(3, read, 192)
    assert read == b"\xff" * 512 and device.operations == 4
    assert (device.ioctl(4, 0), device.ioctl(5, 0)) == (256, 4096)


def test_a_flash_that_stays_busy_is_an_error(chip: Chip) -> None:
    part = NorChip()
    device = room("spi_nor").SpiNor(part, part.select)
    part.readinto = lambda buffer: buffer.__setitem__(0, 1)  # type: ignore[method-assign]
    with pytest.raises(OSError):
        device.ioctl(6, 0)
