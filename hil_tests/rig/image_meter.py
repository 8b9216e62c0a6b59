"""The image as a meter: started, advanced, cut and restarted exactly as simulator.meter_process.MeterProcess is.

Time is granted over UART3 (lock-step): nothing passes on the machine between two grants, so a world with this meter in
it is as repeatable as one with the unix meter.

    meter -> rig   'W' seq u8 | deadline_us u48                       idle; wake me then (all ones: never)
    rig -> meter   'G' seq u8 | now_us u48 | rx u16

rx counts all bytes written so far to UART0, 1 and 2 together: the meter wakes only when they have arrived. What it says
on the other UARTs before a 'W' is in our sockets when the 'W' is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from simulator import link
from simulator.clock import SECOND_US
from simulator.meter_process import NEVER_US, Spoken

from .qemu import CLOCK, CONSOLE, Machine
from .wires import Said, Wires

_SILENCE_S = 60
_WAIT_BYTES = 8
_NEVER = (1 << 48) - 1
_RECORD_HEAD = 3
_RING_BYTES = 1000  # what a UART of the image holds for a meter that has not woken yet
# What the board of a real meter senses again after a reset: the rig says it again.
_SENSED = (b"P", b"Q", b"R", b"T", b"V", b"C")


class Wait(NamedTuple):
    """The meter is idle and wants to be woken at `deadline_us`."""

    sequence: int
    deadline_us: int


def grant(sequence: int, now_us: int, written: Sequence[int]) -> bytes:
    """Answer to the Wait of that sequence: it is now `now_us`, and so much was written to UART0, 1 and 2."""
    return b"G" + bytes((sequence,)) + now_us.to_bytes(6, "big") + (sum(written) & 0xFFFF).to_bytes(2, "big")


def parse_wait(record: bytes) -> Wait:
    """One 'W' of eight bytes."""
    if len(record) != _WAIT_BYTES or record[:1] != b"W":
        raise link.LinkBroken(f"not a wait record: {record.hex()}")
    deadline_us = int.from_bytes(record[2:], "big")
    return Wait(record[1], NEVER_US if deadline_us == _NEVER else deadline_us)


class _PowerIsCut(Exception):
    """The armed cut came while the console was talking."""


class Console(Protocol):
    """How a question reaches the meter over UART0. `exchange(bytes)` sends them and gives what came back."""

    def ask(self, question: bytes, exchange: Callable[[bytes], bytes]) -> bytes:
        """The answer to one question, both as CBOR sequences."""

    def provision(self, identity: bytes, exchange: Callable[[bytes], bytes]) -> None:
        """Give a meter without one its identity."""


class ImageMeter:
    """Starts, advances, cuts and restarts one image. The flash file is the meter: the same file is the same meter."""

    def __init__(
        self, name: str, image: Path, flash: Path, provision_hex: str, console: Console, *, counted: bool = False
    ) -> None:
        self.name = name
        self.machine = Machine(image, flash, Path(f"{flash}.eeprom"), counted=counted)
        self.boots = 0  # since power-on, the first included
        self._identity = bytes.fromhex(provision_hex)
        self._console = console
        self._wires = Wires(self.machine)
        self._sequence = -1
        self._now_us = 0
        self._pending: list[bytes] = []
        self._questions: list[bytes] = []
        self._sensed: dict[bytes, tuple[int, bytes]] = {}
        self._deadline_us = 0

    @property
    def running(self) -> bool:
        """Whether the meter has power."""
        return self.machine.running

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on with what the board can sense at once: pulse count, clock chip, end stop."""
        new = not self.machine.flash.exists()
        self.switch_on()
        if new and self._identity:
            self.advance(now_us, [one for one in records if one[_RECORD_HEAD : _RECORD_HEAD + 1] in _SENSED])
            self._console.provision(self._identity, self._exchange)
        return self.advance(now_us, records)

    def switch_on(self) -> None:
        """Power on, no more: it has mounted its flash and waits for its inputs, which the first grant brings."""
        self.machine.power_on()
        self._wires = Wires(self.machine)
        self._sequence, self._now_us = -1, 0
        self._pending, self._questions, self._sensed = [], [], {}
        self.boots = 0
        self._listen_for_wait()

    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken:
        """Hand over the records, let the meter run at `now_us` until it is idle, and return what it said."""
        self.grant(now_us, records)
        return self.listen()

    def grant(self, now_us: int, records: Sequence[bytes] = ()) -> None:
        """Hand over the records and the time; the meter begins to run. Questions are put when it is idle again."""
        if self._sequence < 0:
            self._listen_for_wait()
        self._now_us = now_us
        for one in records:
            payload = one[_RECORD_HEAD:]
            if one[0] == link.CONSOLE:
                self._questions.append(payload)
                continue
            if one[0] == link.FIELD and payload[:1] in _SENSED:
                self._sensed[payload[:1]] = now_us, payload
            self._pending.append(one)
        self._grant()

    def listen(self) -> Spoken:
        """Wait until the meter is idle, has answered what it was asked and wants to be woken later than now."""
        deadline_us = self._run_until_idle()
        answers = b""
        try:
            while self._questions:
                answers += self._console.ask(self._questions.pop(0), self._exchange)
                deadline_us = self._deadline_us
        except _PowerIsCut:
            deadline_us = NEVER_US
        said, self._wires.said = self._wires.said, Said()
        return Spoken(deadline_us, tuple(said.frames), tuple(said.field_io), answers, said.cut)

    def reset(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Pull the reset pin: the meter boots from its flash, and its board senses what there is."""
        self.machine.freeze()
        self._wires.cut_frames_off()
        self.machine.reset()
        self.machine.thaw()
        self._sequence, self._sensed = -1, {}
        return self.advance(now_us, records)

    def type_on_console(self, keys: bytes) -> bytes:
        """Send bytes that are no question; what the console says to them, now or since."""
        said = self._exchange(keys)
        return bytes(self._wires.trace) + bytes(self._wires.said.console) + said

    def freeze(self) -> None:
        """Stop the processor between two instructions."""
        self.machine.freeze()

    def thaw(self) -> None:
        """Let it go on from there."""
        self.machine.thaw()

    def kill(self) -> None:
        """Cut the power: SIGKILL, nothing is flushed."""
        self.machine.cut()

    def dispose(self) -> None:
        """Cut the power for good."""
        self.machine.dispose()

    # ----------------------------------------------------------------------------------------------------------------

    def _exchange(self, data: bytes) -> bytes:
        """Bytes to the console, and what it says at this same instant."""
        if self._wires.said.cut:
            raise _PowerIsCut
        said = self._wires.said.console
        before = len(said)
        self._wires.write(CONSOLE, data)
        self._grant()
        self._run_until_idle()
        if self._wires.said.cut:
            raise _PowerIsCut
        return bytes(said[before:])

    def _run_until_idle(self) -> int:
        """Grant the present time until the meter sleeps. The instant it wants to be woken at; NEVER_US at a cut."""
        while True:
            wait = self._listen_for_wait()
            if wait is None:
                self._deadline_us = NEVER_US
                return NEVER_US
            if not self._pending and wait.deadline_us > self._now_us:
                self._deadline_us = wait.deadline_us
                return wait.deadline_us
            self._grant()

    def _listen_for_wait(self) -> Wait | None:
        """Its next wait, and all it said before; None when it stands at a cut point."""
        while True:
            said = self._wires.said
            if said.cut:
                return None
            if len(said.clock) >= _WAIT_BYTES:
                wait = parse_wait(bytes(said.clock[:_WAIT_BYTES]))
                del said.clock[:_WAIT_BYTES]
                self._wires.drain()
                if self._is_first(wait):
                    self._booted()
                self._sequence = wait.sequence
                return wait
            if not self._wires.poll(_SILENCE_S):
                raise self._wires.failed(f"meter {self.name}: silent for {_SILENCE_S} s")

    def _is_first(self, wait: Wait) -> bool:
        """Whether it is the first wait of a life. The sequence wraps: then only QEMU knows."""
        if (wait.sequence, wait.deadline_us) != (1, 0):
            return False
        return self._sequence != 0 or len(self.machine.resets()) > self.boots - 1

    def _booted(self) -> None:
        """A life begins: the meter counts its input from zero, and its board senses what there is."""
        self.boots += 1
        self._wires.written = [0, 0, 0]
        if self.boots > 1:
            self._pending = self._sensed_again()

    def _grant(self) -> None:
        """Hand over what the meter has room for, then the time."""
        room = dict.fromkeys((link.RADIO, link.FIELD), _RING_BYTES)
        while self._pending and room[self._pending[0][0]] >= len(self._pending[0]):
            room[self._pending[0][0]] -= len(self._pending[0])
            self._wires.hand_over(self._pending.pop(0))
        self._wires.write(CLOCK, grant(self._sequence, self._now_us, self._wires.written))

    def _sensed_again(self) -> list[bytes]:
        """The records of what the board senses; the clock chip has run on."""
        records = []
        for kind, (told_us, payload) in self._sensed.items():
            if kind == b"R":
                unix_s = int.from_bytes(payload[1:5], "big") + (self._now_us - told_us) // SECOND_US
                payload = payload[:1] + unix_s.to_bytes(4, "big") + payload[5:]
            records.append(link.record(link.FIELD, payload))
        return records
