"""A meter on a table in wall time: its power, the pipe at its pins, the cable in its service port.

`Table` is one turn of a loop that somebody else runs: `guelta rig` with words from standard input, `LiveTable` as a
thread beside a test. What is said of it are `News`. The machine is the meter itself: `UnixMachine` here, an image in
QEMU in hil_tests.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, Protocol

from protocol.wire.messages import VALVE_CLOSED

from . import link
from .face import Face, parse_face
from .meter_process import MeterFailed, interpreter
from .pipe import EndStop, Pipe, Pulses, TapShut
from .port import Port

# Half as much again as a meter of the simulator has: a blank board's own code and all that a technician asks of it lie
# in this heap, where the image has them in flash. That they fit the meter's 40 KB is shown on the image.
_HEAP = "heapsize=96wK"
_RESTART = 4  # how the process ends where a processor would be reset (firmware/boards/unix/start.py)
_CHUNK = 4096
_CONSOLE_BYTES_MAX = 1024
_COUNTER_BYTES = 4
_CLOSED_PERMILLE = 1000
_PATIENCE_S = 60


class News(NamedTuple):
    """Something that a person at the table would notice: `face`, `motor`, `stop`, `tap`, `console`."""

    what: str
    value: Any


class Machine(Protocol):
    """The meter, with power from `start` to `kill`."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def sources(self) -> Sequence[int]: ...
    def hear(self, source: int) -> list[tuple[int, bytes]]: ...
    def tell(self, record: bytes) -> None: ...
    def type(self, data: bytes) -> None: ...


class UnixMachine:
    """The MicroPython process, talking UDP to a headend by itself."""

    def __init__(self, built: Path, flash: Path, udp: str, *options: str) -> None:
        self._built = built
        self._command = [interpreter(), "-X", _HEAP, "-m", "main", "--flash", str(flash), "--udp", udp, *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._records = link.Records()

    def start(self) -> None:
        """Give it power."""
        pipe = subprocess.PIPE
        self._records = link.Records()
        self._process = subprocess.Popen(
            self._command, cwd=self._built, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, umask=0o077,
            process_group=0,
        )  # fmt: skip

    def kill(self) -> None:
        """Take its power; the flash is made for that."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for end in (process.stdin, process.stdout, process.stderr):
            if end is not None:
                end.close()

    def sources(self) -> Sequence[int]:
        """What to select on."""
        return [] if self._process is None else [self._output(self._process)]

    def hear(self, source: int) -> list[tuple[int, bytes]]:
        """What it said, as records; a processor that resets itself starts again. MeterFailed when it has ended."""
        assert self._process is not None and self._process.stderr is not None
        data = os.read(source, _CHUNK)
        if data:
            return self._records.feed(data)
        if self._process.wait(_PATIENCE_S) == _RESTART:
            self.kill()
            self.start()
            return []
        raise MeterFailed(f"the meter ended: {self._process.stderr.read().decode(errors='replace').strip()}")

    def tell(self, record: bytes) -> None:
        """Hand over one record."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(record)

    def type(self, data: bytes) -> None:
        """Bytes for its service port."""
        for at in range(0, len(data), _CONSOLE_BYTES_MAX):
            self.tell(link.record(link.CONSOLE, data[at : at + _CONSOLE_BYTES_MAX]))

    @staticmethod
    def _output(process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None
        return process.stdout.fileno()


class Table:
    """`port` is None for a meter whose console is open on the table. `news` is called with what happens."""

    def __init__(self, machine: Machine, pipe: Pipe, port: Port | None) -> None:
        self.machine, self.pipe, self.port = machine, pipe, port
        self.face: Face | None = None
        self.news: Callable[[News], object] = lambda _news: None

    def power_on(self) -> None:
        """Give the meter power."""
        self.machine.start()

    def power_off(self) -> None:
        """Take it away, and the cable with it."""
        self.machine.kill()
        if self.port is not None:
            self.port.unplug()

    def turn(self, also: Sequence[int] = ()) -> list[int]:
        """Wait for whatever is next and deal with it; which of `also` can be read."""
        now_us = clock_us()
        due_us = self.pipe.due_us(now_us)
        wait_s = None if due_us is None else max(0, due_us - now_us) / 1_000_000
        heard, ports = list(self.machine.sources()), [] if self.port is None else self.port.sources
        ready = select.select([*heard, *ports, *also], [], [], wait_s)[0]
        self._flow()
        for source in ready:
            if source in heard:
                for channel, payload in self.machine.hear(source):
                    self._hear(channel, payload)
            elif source in ports and self.port is not None:
                self.machine.type(self.port.hear())
        return [source for source in ready if source in also]

    def open_tap(self, into: str, litres: int, ml_per_s: int) -> None:
        """Somebody draws water."""
        self._flow()
        self.pipe.open_tap(into, litres * 1000, ml_per_s, clock_us())

    def press(self) -> None:
        """Somebody presses the button."""
        self.machine.tell(link.button())

    def _flow(self) -> None:
        for happened in self.pipe.advance(clock_us()):
            if isinstance(happened, Pulses):
                self.machine.tell(link.pulses(happened.count))
            elif isinstance(happened, EndStop):
                self.machine.tell(link.end_stop(happened.stop))
                self.news(News("stop", happened.stop))
            elif isinstance(happened, TapShut):
                self.news(News("tap", happened))

    def _hear(self, channel: int, payload: bytes) -> None:
        if channel == link.CONSOLE:
            if self.port is not None:
                self.port.send(payload)
            else:
                self.news(News("console", payload))
        elif payload[:1] == b"F":
            first, self.face = self.face is None, parse_face(payload[1:])
            if first and self.face.valve == VALVE_CLOSED:
                self.pipe.valve.at_permille = _CLOSED_PERMILLE  # it was left so
            self.news(News("face", self.face))
        elif payload[:1] == b"M":
            self.pipe.drive(payload[1], clock_us())
            self.news(News("motor", payload[1]))


class LiveTable(Thread):
    """A table that lives by itself; `do` reaches it from another thread."""

    def __init__(self, table: Table) -> None:
        super().__init__(daemon=True)
        self.table = table
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._bell, self._ring = os.pipe()

    def do(self, act: Callable[[], Any]) -> Any:
        """Run `act` between two turns of the table, and give what it gives."""
        done: Future[Any] = Future()
        self._asked.put((act, done))
        os.write(self._ring, b"!")
        return done.result(_PATIENCE_S)

    def run(self) -> None:
        """Until `end`. When the meter ends, whoever asks next is told why."""
        failure: BaseException | None = None
        lives = True
        while lives:
            if failure is None:
                try:
                    self.table.turn([self._bell])
                except (MeterFailed, OSError) as ended:
                    failure = ended
            else:
                select.select([self._bell], [], [])
            lives = self._obey(failure)

    def end(self) -> None:
        """Power off, and no more."""
        self._asked.put(None)
        os.write(self._ring, b"!")
        self.join(_PATIENCE_S)
        self.table.power_off()
        os.close(self._bell)
        os.close(self._ring)

    def _obey(self, failure: BaseException | None) -> bool:
        while True:
            try:
                asked = self._asked.get_nowait()
            except Empty:
                return True
            os.read(self._bell, 1)
            if asked is None:
                return False
            act, done = asked
            try:
                if failure is not None:
                    raise failure
                done.set_result(act())
            except BaseException as problem:  # noqa: BLE001 - it is the asker's
                done.set_exception(problem)


def clock_us() -> int:
    """The wall's time, that no clock change moves."""
    return time.monotonic_ns() // 1000


def pulses_on(flash: Path) -> int:
    """Where the counter beside the flash stands: a meter that was off goes on from there."""
    counter = Path(f"{flash}.pulses")
    return int.from_bytes(counter.read_bytes()[:_COUNTER_BYTES], "big") if counter.is_file() else 0
