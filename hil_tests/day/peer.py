"""The headend of one meter, in a few lines and in this process: it knows keys, slots and credit.

A day with it is the same day every time; a real headend draws keys of its own. What it has to say waits until the
meter speaks, as at a real one: a statement first, then what else waits, a frame for each window of class A.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from firmware.provisioning import opening_frame
from protocol.rules.calendar import Offsets, slot_of, slot_phase
from protocol.wire import window
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, UP, open_frame, read_header, seal
from protocol.wire.keys import derive
from protocol.wire.messages import (
    DOWN_POLICY,
    DOWN_TARIFF,
    UP_DAY,
    UP_DEVICE,
    UP_EXTENDED,
    UP_RANGE,
    Command,
    Opening,
    Pack,
    Statement,
    Time,
)
from protocol.wire.unwrap import unwrap_near
from protocol.wire.uplinks import decode_up
from simulator.clock import unix_s
from simulator.radio import WINDOWS

METER_ID = bytes.fromhex("6775656c74610007")
ROOT = bytes(range(16, 32))
GENERATION = 1
_PACKS = {DOWN_TARIFF: "pack", DOWN_POLICY: "policy"}  # what DEVICE calls their versions


class _Talk(NamedTuple):
    """What is said in parts, round and round, until it was heard."""

    parts: list[Any]
    kind: int | None
    heard: Callable[[], bool]

    def next(self, count: int) -> list[tuple[Any, int | None]]:
        said = [self.parts.pop(0) for _ in range(min(count, len(self.parts)))]
        self.parts.extend(said)
        return [(part, self.kind) for part in said]


class Peer:
    """Takes uplinks as a headend does (simulator/air.py). Its verbs are what the day's story does with it."""

    def __init__(self, now_us: Callable[[], int], offsets: Offsets, credited_mills: int) -> None:
        self.credited_mills = credited_mills
        self.slots: dict[int, int] = {}
        self.device: Any = None
        self.done: set[int] = set()
        self._now_us, self._offsets = now_us, offsets
        self._first_slot = slot_of(unix_s(now_us()))
        self._keys = derive(ROOT, METER_ID, GENERATION, 0)
        self._window = window.EMPTY
        self._counter, self._number = 0, 1
        self._talks: list[_Talk] = []
        self._tells_time = False

    def opening(self) -> bytes:
        """The frame that begins the meter's wallet; it goes in by cable."""
        message = Opening(GENERATION, 0, 0, 0, 0, self._first_slot, self.credited_mills, 0, self._number)
        return opening_frame(ROOT, METER_ID, message, self._counter)

    def pays(self, mills: int) -> None:
        """Somebody pays; the meter hears of it when it next speaks."""
        self.credited_mills += mills

    def offers(self, pack: Sequence[Pack], kind: int) -> None:
        """A pack of this kind waits too, in parts, which are said again until the meter tells that it has it."""
        told = f"{_PACKS[kind]}_version"
        self._talks.append(_Talk(list(pack), kind, lambda: getattr(self.device, told, 0) == pack[0].version))

    def orders(self, command: Command) -> None:
        """A command waits too, and is said again until the meter tells what became of it."""
        self._talks.append(_Talk([command], None, lambda: command.id in self.done))

    def tells_the_time(self) -> None:
        """The next answer sets the meter's clock."""
        self._tells_time = True

    def uplinks(self, frames: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Hand over [(meter_id, frame)]; the answers, one for each window."""
        answers: list[bytes] = []
        for _, frame in frames:
            counter = self._take(frame)
            if counter is not None:
                answers += self._answer(counter)
        return [(METER_ID, answer) for answer in answers]

    def frontier(self) -> int:
        """The first slot that has not come."""
        slot = self._first_slot
        while slot in self.slots:
            slot += 1
        return slot

    def _take(self, frame: bytes) -> int | None:
        """The counter of a fresh frame, after what it says was noted; None for a copy, and for one that is too late.

        A frame under wrong keys would be the second kind: the rig's ear (rig/ear.py) takes none of those.
        """
        header = read_header(frame)
        for counter in window.candidates(self._window, header.seq, window.EXTRA_WINDOWS_HEADEND):
            plaintext = open_frame(self._keys, UP, frame, counter)
            if plaintext is None:
                continue
            if not window.is_fresh(self._window, counter):
                return None
            self._window = window.accept(self._window, counter)
            self._note(header.type, plaintext)
            return counter
        return None

    def _note(self, kind: int, plaintext: bytes) -> None:
        if kind == UP_DEVICE:
            self.device = decode_up(kind, plaintext, 0)
        elif kind == UP_EXTENDED:
            self.done.add(decode_up(kind, plaintext, 0).id)
        if kind not in (UP_DAY, UP_RANGE):
            return
        slot14 = (plaintext[0] << 8 | plaintext[1]) & 0x3FFF
        first = unwrap_near(slot14, 14, slot_of(unix_s(self._now_us())))
        message = decode_up(kind, plaintext, slot_phase(first, self._offsets))
        for slot, litres in enumerate(message.litres, first):
            said = self.slots.setdefault(slot, litres)
            assert said == litres, f"slot {slot} had {said} litres, and now {litres}"

    def _answer(self, counter: int) -> list[bytes]:
        self._number += 1
        answers: list[tuple[Any, int | None]] = [
            (Statement(self._number, self.credited_mills, 0, 0, self.frontier()), None)
        ]
        if self._tells_time:
            self._tells_time = False
            answers.append((Time(counter, unix_s(self._now_us())), None))
        while self._talks and self._talks[0].heard():
            self._talks.pop(0)
        if self._talks:
            answers += self._talks[0].next(WINDOWS - len(answers))
        return [self._seal(message, kind) for message, kind in answers]

    def _seal(self, message: Any, kind: int | None) -> bytes:
        message_type, plaintext = encode_down(message, kind)
        self._counter += 1
        return seal(self._keys, DOWN, message_type, self._counter, plaintext)
