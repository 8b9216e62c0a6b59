"""The two slots for updates, in the flash file and in a running machine: put, damage, look which image runs."""

from __future__ import annotations

import select
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from firmware.boot_slot import IMAGE_AT, MARK_APART, MARK_BYTES, MARKS_AT, SET, SLOT_BYTES
from firmware.image.elf import Image
from firmware.image.release import UPDATE_AT
from protocol.wire import manifest

from .qemu import CLOCK, SLOTS_AT, Machine

_VERSION_WORD, _SLOT_WORD, _US_WORD = 28, 12, 20  # in the vector table; in `kept` of port/startup.c
_FIRST_WAIT = b"W\x01"
_BOOTS_WITHIN_S = 60


class Loaded(NamedTuple):
    """What the loader did at the last reset: slot 2 is the factory's; `version` is of the code at UPDATE_AT."""

    slot: int
    us: int
    version: int


def filled(update: bytes, marks: Sequence[int]) -> bytes:
    """A slot that holds an update, manifest and image, with those marks set."""
    sector = bytearray(update[: manifest.LENGTH].ljust(IMAGE_AT, b"\xff"))
    for mark in marks:
        at = MARKS_AT + MARK_APART * mark
        sector[at : at + MARK_BYTES] = SET
    return bytes(sector) + update[manifest.LENGTH :]


def put(flash: Path, number: int, content: bytes) -> None:
    """Fill a slot of a machine without power; what is not given is erased."""
    with flash.open("r+b") as file:
        file.seek(SLOTS_AT + number * SLOT_BYTES)
        file.write(content.ljust(SLOT_BYTES, b"\xff"))


def flip(flash: Path, number: int, offset: int, bit: int = 0) -> None:
    """Turn one bit of a slot over."""
    with flash.open("r+b") as file:
        file.seek(SLOTS_AT + number * SLOT_BYTES + offset)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes((byte ^ 1 << bit,)))


def marks(flash: Path, number: int) -> list[bytes]:
    """The six words of a slot that the loader looks at."""
    with flash.open("rb") as file:
        file.seek(SLOTS_AT + number * SLOT_BYTES)
        sector = file.read(IMAGE_AT)
    return [sector[at : at + MARK_BYTES] for at in range(MARKS_AT, MARKS_AT + 6 * MARK_APART, MARK_APART)]


def as_version(payload: bytes, version: int) -> bytes:
    """The same code, which says that it is another release."""
    return payload[:_VERSION_WORD] + version.to_bytes(4, "little") + payload[_VERSION_WORD + 4 :]


def until_booted(machine: Machine, image: Path) -> Loaded:
    """Wait until the meter of a machine in lock-step asks for its inputs, and say what was loaded."""
    heard = b""
    while not heard.endswith(_FIRST_WAIT + bytes(6)):
        if not select.select([machine.uarts[CLOCK]], [], [], _BOOTS_WITHIN_S)[0]:
            raise machine.failed("the meter does not boot")
        heard += machine.uarts[CLOCK].recv(4096)
    return loaded(machine, image)


def loaded(machine: Machine, image: Path) -> Loaded:
    """What the loader noted."""
    kept = Image(image).address("kept")
    words = (machine.read_word(at) for at in (kept + _SLOT_WORD, kept + _US_WORD, UPDATE_AT + _VERSION_WORD))
    return Loaded(*words)
