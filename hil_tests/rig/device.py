"""A board on a serial port: the four channels of the unix meter's stdin and stdout, multiplexed on one line.

The board runs a test build of the image that speaks the lock-step clock on channel 3, so a world with it passes in
virtual time as well; flash, processor and serial line are its own. What the rig cannot do over the line, it asks of a
command that knows the table: `COMMAND off` takes the power away, `COMMAND on` gives it, `COMMAND new` erases flash and
EEPROM of a board without power. The pulse counter, the valve and the radio are the rig's, over channels 1 and 2.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import serial

from simulator import link
from simulator.meter_process import MeterFailed, MeterProcess, Spoken

from .console import check_provisioned, provision_question

BAUD = 115_200
_SILENCE_S = 20
_COMMAND_WITHIN_S = 60
_CHUNK = 4096


class Table:
    """The hand that reaches the board's power: a command of the user's with one word after it."""

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def say(self, word: str) -> None:
        """`on`, `off` or `new`; MeterFailed when the command fails."""
        done = subprocess.run(
            [*self._command, word], capture_output=True, text=True, timeout=_COMMAND_WITHIN_S, check=False
        )
        if done.returncode:
            raise MeterFailed(f"`{shlex.join([*self._command, word])}` failed: {done.stderr.strip()}")


class SerialMeter(MeterProcess):
    """A board on a serial port, started, advanced, cut and restarted as the process is."""

    def __init__(self, name: str, port: str, table: Table, provision_hex: str) -> None:
        super().__init__(name, Path(), Path(), provision_hex)
        self._port, self._table = port, table
        self._line: serial.Serial | None = None
        self._is_new = True

    @property
    def running(self) -> bool:
        """Whether the board has power."""
        return self._line is not None

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on. Before the first time the board is made blank, and then provisioned over its console."""
        assert self._line is None
        if self._is_new:
            self._table.say("off")
            self._table.say("new")
        try:
            self._line = serial.Serial(self._port, BAUD, timeout=_SILENCE_S)
        except serial.SerialException as broken:
            raise MeterFailed(f"cannot open {self._port}: {broken}; name the board's port with --device") from None
        self._line.reset_input_buffer()
        self._table.say("on")
        self._records = link.Records()
        self._sent = {link.RADIO: 0, link.FIELD: 0}
        self._sequence = -1
        if not self._is_new:
            return self.advance(now_us, records)
        self._is_new = False
        question = link.record(link.CONSOLE, provision_question(bytes.fromhex(self._provision_hex)))
        spoken = self.advance(now_us, [*records, question])
        check_provisioned(spoken.console)
        return spoken._replace(console=b"")

    def reset(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """There is no reset pin on the line: power off and on."""
        self.kill()
        return self.start(now_us, records)

    def freeze(self) -> None:
        """Nobody can stop a processor over its serial line."""
        raise MeterFailed("a board on a serial line cannot be frozen: leave those tests to --on image")

    def thaw(self) -> None:
        """See freeze."""

    def kill(self) -> None:
        """Cut the power."""
        line, self._line = self._line, None
        if line is not None:
            self._table.say("off")
            line.close()

    def _write(self, data: bytes) -> None:
        assert self._line is not None
        self._line.write(data)

    def _read(self) -> list[tuple[int, bytes]]:
        assert self._line is not None
        data = self._line.read(1)
        if not data:
            raise MeterFailed(self._last_words(f"silent for {_SILENCE_S} s"))
        return self._records.feed(data + self._line.read(min(self._line.in_waiting, _CHUNK)))

    def _last_words(self, what: str) -> str:
        self.kill()
        return f"meter {self.name} on {self._port}: {what}"
