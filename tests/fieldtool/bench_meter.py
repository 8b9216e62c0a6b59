"""A meter in this process behind the tool's Line, in virtual time: the real firmware, a modelled pipe, no terminal.

`BenchLine` is what Session speaks over; `BenchClock` is what steps wait by. Time passes when a step sleeps, half a
second with each question, so that motors run while the tool asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fieldtool.clock import Clock
from fieldtool.refusals import Refusal
from firmware import boot
from simulator import link
from simulator.clock import SECOND_US
from simulator.meter_in_memory import MemoryFiles, MeterInMemory, _Board, _Link
from simulator.meter_process import Spoken
from simulator.pipe import EndStop, Happening, Pipe, Pulses
from tests.firmware.rig import MIDNIGHT_S

TAP_ML_PER_S = 250


class _SealedBoard(_Board):
    """Asked over its service port, its flash blank until it is formatted."""

    console_trusted = False

    def flash_blank(self) -> bool:
        return True

    def erase_flash(self) -> bool:
        self.files = None
        return True


class _Machine(MeterInMemory):
    """A board that boots again when a life ends, as the loop around the real one does."""

    def __init__(self) -> None:
        super().__init__("bench", "")
        self.board: Any = None

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        self._link = _Link(self.files.fuse.arm)
        self._hand_over(now_us, records)
        files = self.board.files if self.board is not None else None
        self.board = _SealedBoard(self._link.field, self._link, None, files)
        self.board.eeprom = self.eeprom
        self.board.formatter = MemoryFiles
        self.board.power_on()
        self._boot()
        return self._run()

    def _run(self) -> Spoken:
        """Ticks until nothing is due; a life that has ended is followed by the next."""
        assert self.application is not None
        deadline_us = 0
        while deadline_us <= self._link.time_us:
            self.application.tick()
            if self.application.ended:
                self._boot()
                continue
            deadline_us = self.application.next_us()
        said = self._link.said()
        channels = [tuple(payload for channel, payload in said if channel == one) for one in range(link.CLOCK)]
        return Spoken(deadline_us, channels[link.RADIO], channels[link.FIELD], b"".join(channels[link.CONSOLE]), False)

    def _boot(self) -> None:
        self.application = boot.boot(self.board)
        self.application.wake_up()


class Bench:
    """One box with its pipe, tap and cable. `weight_l` is what a pulse truly is."""

    def __init__(self, weight_l: int = 1, rtc_valid: bool = True) -> None:
        self.now_us = SECOND_US
        self.pipe = Pipe(weight_l, 0, self.now_us)
        self.machine = _Machine()
        self.said = b""
        self.frames: list[bytes] = []
        self.plugged = True
        self._due_us = 0
        self._take(
            self.machine.start(self.now_us, [link.pulses(0), link.battery(3600), link.real_time(MIDNIGHT_S, rtc_valid)])
        )

    @property
    def unix_s(self) -> int:
        return MIDNIGHT_S + (self.now_us - SECOND_US) // SECOND_US

    def tell(self, data: bytes) -> None:
        """Bytes at the service port."""
        self._advance([link.record(link.CONSOLE, data[at : at + 1000]) for at in range(0, len(data), 1000)])

    def pass_us(self, during_us: int) -> None:
        """Let time pass, from one happening to the next."""
        until_us = self.now_us + during_us
        while self.now_us < until_us:
            due = [at for at in (self.pipe.due_us(self.now_us), self._due_us) if at is not None and at > self.now_us]
            self.now_us = min([until_us, *due])
            self._advance([])

    def pour(self, litres: int) -> None:
        """Into a bucket at the tap; it is full when the call returns."""
        self.pipe.open_tap("pour", 1000 * litres, TAP_ML_PER_S, self.now_us)
        while self.pipe.tap_is_open:
            self.pass_us(SECOND_US)

    def hear(self, frame: bytes) -> None:
        """A downlink at its antenna."""
        self._advance([link.record(link.RADIO, frame)])

    def _advance(self, records: list[bytes]) -> None:
        happened = [_record(each) for each in self.pipe.advance(self.now_us)]
        self._take(self.machine.advance(self.now_us, [*filter(None, happened), *records]))

    def _take(self, spoken: Spoken) -> None:
        self._due_us, frames, field, console = spoken[0], spoken[1], spoken[2], spoken[3]
        self.frames += frames
        self.said += console
        for record in field:
            if record[:1] == b"M":
                self.pipe.drive(record[1], self.now_us)


class BenchLine:
    """The cable: who is `at` its other end may be exchanged."""

    path = "bench"

    def __init__(self, at: Bench) -> None:
        self.at = at
        self.before_write: Callable[[], None] = lambda: None
        self.writes = 0
        self.lose_answer = 0  # of which write the answer is lost on the line

    def write(self, data: bytes) -> None:
        self.before_write()
        if not self.at.plugged:
            raise Refusal("port_gone", port=self.path)
        self.at.pass_us(SECOND_US // 2)
        self.at.tell(data)
        self.writes += 1
        if self.writes == self.lose_answer:
            self.at.said = b""

    def read(self, _timeout_s: float) -> bytes:
        if not self.at.plugged:
            raise Refusal("port_gone", port=self.path)
        said, self.at.said = self.at.said, b""
        return said

    def close(self) -> None:
        """Nothing to give back."""


class BenchClock(Clock):
    """The bench's time; `on_sleep` is what hands do meanwhile."""

    def __init__(self, line: BenchLine) -> None:
        self._line = line
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> int:
        return self._line.at.unix_s

    def sleep(self, seconds: int) -> None:
        self.on_sleep()
        self._line.at.pass_us(seconds * SECOND_US)


def _record(happened: Happening) -> bytes | None:
    if isinstance(happened, Pulses):
        return link.pulses(happened.count)
    return link.end_stop(happened.stop) if isinstance(happened, EndStop) else None
