"""The same meter without a process: the firmware under CPython on the unix board, its flash a dictionary.

It takes and gives what meter_process.py does, so a world runs either. A hundred times faster, for months of many
meters; what needs a real MicroPython (its heap, its file system, a power cut) needs the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from errno import ENOSPC

from firmware import boot, commission
from firmware.boards.base import Eeprom, Files
from firmware.boards.streams.field import Field
from firmware.boards.streams.records import write_record
from firmware.boards.unix.board import UnixBoard
from firmware.keepsake import SIZE

from . import link
from .meter_process import Spoken

_RECORD_HEAD = 3


class PowerCut(BaseException):
    """The power is gone in the middle of what the firmware does; nothing of it may catch this."""


class Fuse:
    """Cuts the power at the n-th operation on what outlives it: before it, or after it when it was torn there."""

    def __init__(self) -> None:
        self._left = 0
        self._torn = False

    def arm(self, operation: int, mode: int) -> None:
        """As link.cut_power says."""
        self._left, self._torn = operation, mode == link.CUT_TORN

    def blows(self) -> bool:
        """Called for each operation before it is done; True when it is to be done by half and the power is gone."""
        if not self._left:
            return False
        self._left -= 1
        if self._left:
            return False
        if not self._torn:
            raise PowerCut
        return True


class MemoryFiles(Files):
    """The board's file store in a dictionary, each change whole or not at all as littlefs makes it."""

    def __init__(self) -> None:
        self.content: dict[str, bytearray] = {}
        self.fuse = Fuse()
        self.full = False  # nothing more is taken

    def read(self, path: str) -> bytes | None:
        """The whole file."""
        return bytes(self.content[path]) if path in self.content else None

    def parts(self, path: str, size: int) -> Iterator[bytes]:
        """The file in pieces."""
        content = self.content.get(path, b"")
        for at in range(0, len(content), size):
            yield bytes(content[at : at + size])

    def replace(self, path: str, content: bytes) -> None:
        """The whole file at once."""
        self._room()
        gone = self.fuse.blows()
        self.content[path] = bytearray(content)
        if gone:
            raise PowerCut

    def append(self, path: str, content: bytes) -> None:
        """More at its end."""
        self._room()
        gone = self.fuse.blows()
        self.content.setdefault(path, bytearray()).extend(content)
        if gone:
            raise PowerCut

    def _room(self) -> None:
        if self.full:
            raise OSError(ENOSPC)


class MemoryEeprom(Eeprom):
    """The EEPROM of the keepsake; it outlives a cut like the flash does."""

    def __init__(self) -> None:
        self.content = bytearray(b"\xff" * SIZE)

    def read(self, offset: int, size: int) -> bytes:
        """A part of it."""
        return bytes(self.content[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        """A part of it anew."""
        self.content[offset : offset + len(data)] = data


class _Link:
    """The lock-step link's place: time as granted, records in lists instead of a stream."""

    def __init__(self, arm: Callable[[int, int], None]) -> None:
        self.time_us = 0
        self.frames: list[bytes] = []
        self.requests: list[bytes] = []
        self.field = Field(self, arm)
        self._said = bytearray()
        self._records = link.Records()

    def now_us(self) -> int:
        return self.time_us

    def wait_until(self, deadline_us: int) -> None:
        """Time is granted from outside."""

    def motor(self, command: int) -> None:
        self.field.motor(command)

    def transmit(self, frame: bytes) -> None:
        write_record(self, link.RADIO, frame)

    def console_send(self, message: bytes) -> None:
        write_record(self, link.CONSOLE, message)

    def write(self, data: bytes) -> None:
        """The stream that records are written to."""
        self._said += data

    def take(self, record: bytes) -> None:
        """One record of the rig."""
        channel, payload = record[0], record[_RECORD_HEAD:]
        if channel == link.RADIO:
            self.frames.append(payload)
        elif channel == link.FIELD:
            self.field.handle(payload)
        elif channel == link.CONSOLE:
            self.requests.append(payload)

    def said(self) -> list[tuple[int, bytes]]:
        """The records since the last call."""
        if not self._said:
            return []
        found, self._said = self._records.feed(bytes(self._said)), bytearray()
        return found


class _Board(UnixBoard):
    """The unix board, less the question that only MicroPython can answer."""

    def heap_free(self) -> int:
        return 0

    def flash_operations(self) -> int:
        return 0

    def flash_blank(self) -> bool:
        return False


class MeterInMemory:
    """Starts, advances, cuts and restarts one meter; see MeterProcess."""

    def __init__(self, name: str, provision_hex: str) -> None:
        self.name = name
        self.files = MemoryFiles()
        self.eeprom = MemoryEeprom()
        self.flash_dead = False  # at its next start it cannot read its flash
        self._provision_hex = provision_hex
        self._link = _Link(self.files.fuse.arm)
        self.application: boot.Meter | None = None

    @property
    def running(self) -> bool:
        """Whether the meter has power."""
        return self.application is not None

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on with what the board can sense at once."""
        assert self.application is None
        self._link = _Link(self.files.fuse.arm)
        self._hand_over(now_us, records)
        board = _Board(self._link.field, self._link, None, None if self.flash_dead else self.files)
        board.eeprom, board.formatter = self.eeprom, lambda: self.files
        board.power_on()
        try:
            if self._provision_hex:
                commission.provision(board, bytes.fromhex(self._provision_hex), board.format_flash)
                self._provision_hex = ""
            self.application = boot.boot(board)
            self.application.wake_up()
        except PowerCut:
            return self._cut()
        return self._run()

    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken:
        """Hand over the records, let the meter run at `now_us` until it is idle, and return what it said."""
        self._hand_over(now_us, records)
        return self._run()

    def kill(self) -> None:
        """Cut the power; the flash stays as it is."""
        self.application = None

    def dispose(self) -> None:
        """Cut the power for good."""
        self.kill()

    def _hand_over(self, now_us: int, records: Sequence[bytes]) -> None:
        for record in records:
            self._link.take(record)
        self._link.time_us = max(self._link.time_us, now_us)

    def _run(self) -> Spoken:
        assert self.application is not None
        deadline_us = 0
        try:
            while deadline_us <= self._link.time_us:
                self.application.tick()
                deadline_us = self.application.next_us()
        except PowerCut:
            return self._cut()
        return self._spoken(deadline_us, False)

    def _cut(self) -> Spoken:
        """What was said until the power went."""
        return self._spoken(0, True)

    def _spoken(self, deadline_us: int, cut: bool) -> Spoken:
        said = self._link.said()
        if not said:
            return Spoken(deadline_us, (), (), b"", cut)
        channels = [tuple(payload for channel, payload in said if channel == one) for one in range(link.CLOCK)]
        return Spoken(deadline_us, channels[link.RADIO], channels[link.FIELD], b"".join(channels[link.CONSOLE]), cut)
