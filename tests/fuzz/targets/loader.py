"""What runs after a reset, whatever stands in the two update slots: what the model chooses is whole, for this hardware,
newer than the factory's, not refused, and signed or confirmed; a start that is not confirmed costs a trial (M14, I24).
tests/image/test_loader.py holds the loader in C to this model.

Input: for each slot `what to put right 1 | marks 7 | manifest 132`, then the image that both have."""

import hashlib

from firmware import boot_slot
from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, REJECTED, TRIAL, TRIALS
from protocol.compat import p256_verify
from protocol.errors import WireRefused
from protocol.wire import manifest
from protocol.wire.manifest import Manifest
from tests.firmware.release import PUBLIC_KEY, SIGN

HARDWARE = "qemu-mps2"
FACTORY_VERSION = 100
WORDS = (b"\xff" * 4, bytes(4), b"\x00\xff\xff\xff", b"\xff\xff\xff\x7f")
_PER_SLOT = 8 + manifest.LENGTH
_SIZE, _HASH, _SIGNATURE, _HARDWARE = 1, 2, 4, 8  # bits of what to put right


class Slots:
    """board.slots, as a fuzzer's input has it; what is not there is erased."""

    def __init__(self, data: bytes) -> None:
        image = data[2 * _PER_SLOT :]
        self.content = [self._slot(data[at * _PER_SLOT : (at + 1) * _PER_SLOT], image) for at in range(2)]
        self.programmed = 0

    @staticmethod
    def _slot(told: bytes, image: bytes) -> bytearray:
        right, marks, head = sum(told[:1]), told[1:8], bytearray(told[8:].ljust(manifest.LENGTH, b"\xff"))
        if right & _HARDWARE:
            head[:24] = manifest.HEAD + HARDWARE.encode().ljust(manifest.HARDWARE_LENGTH, b"\0")
        if right & _SIZE:
            head[32:36] = len(image).to_bytes(4, "big")
        if right & _HASH:
            head[36:68] = hashlib.sha256(image).digest()
        if right & _SIGNATURE:
            head[68:] = SIGN(manifest.digest(bytes(head)))
        content = bytearray(b"\xff" * boot_slot.IMAGE_AT) + image
        content[: manifest.LENGTH] = head
        for number, byte in enumerate(marks):
            at = boot_slot.MARKS_AT + boot_slot.MARK_APART * number
            content[at : at + boot_slot.MARK_BYTES] = WORDS[byte & 3]
        return content

    def read(self, slot: int, offset: int, size: int) -> bytes:
        assert slot in (0, 1) and 0 <= offset <= offset + size <= boot_slot.SLOT_BYTES
        return bytes(self.content[slot][offset : offset + size]).ljust(size, b"\xff")

    def program(self, slot: int, offset: int, data: bytes) -> None:
        self.programmed += 1
        for number, byte in enumerate(data):
            self.content[slot][offset + number] &= byte


def seeds() -> list[bytes]:
    def slot(version: int, right: int, marks: bytes) -> bytes:
        return bytes([right]) + marks + manifest.encode(Manifest(HARDWARE, version, 1, 1, bytes(32), bytes(64)))

    whole, erased = 15, bytes(_PER_SLOT)
    fresh, proven, tried = b"\x01" + bytes(6), b"\x01\x01\x00\x00\x01\x00\x00", b"\x01\x01\x01\x01\x00\x00\x00"
    return [
        slot(200, whole, fresh) + erased + b"image",
        slot(200, whole, proven) + slot(300, whole, fresh) + b"image",
        slot(200, whole, proven) + slot(300, whole, tried) + b"image",
        slot(200, whole - _SIGNATURE, proven) + slot(300, whole - _SIGNATURE, fresh) + b"image",
        slot(200, whole - _HASH, proven) + slot(99, whole, proven) + b"image",
    ]


def one(data: bytes) -> None:
    flash, before = Slots(data), Slots(data)
    chosen = boot_slot.choose(flash, HARDWARE, PUBLIC_KEY, FACTORY_VERSION)
    may = [_may_run(before, slot) for slot in range(2)]
    assert chosen in (0, 1, FACTORY)
    if chosen == FACTORY:
        assert not any(may), "an update that may run does not"
        return
    assert may[chosen] and may[chosen] >= max(may), "what runs may not, or is not the newest"
    assert flash.programmed == (0 if _word(before, chosen, CONFIRMED) == bytes(4) else 1)


def _word(flash: Slots, slot: int, mark: int) -> bytes:
    return flash.read(slot, boot_slot.MARKS_AT + boot_slot.MARK_APART * mark, boot_slot.MARK_BYTES)


def _may_run(flash: Slots, slot: int) -> int:
    """The version of an update that may run, 0 for one that may not: the table of boot_slot.py, said once more."""
    raw = flash.read(slot, 0, manifest.LENGTH)
    try:
        told = manifest.decode(raw)
    except WireRefused:
        return 0
    confirmed = _word(flash, slot, CONFIRMED) == bytes(4)
    unused = [_word(flash, slot, TRIAL + number) for number in range(TRIALS)].count(b"\xff" * 4)
    if _word(flash, slot, COMPLETE) != bytes(4) or _word(flash, slot, REJECTED) != b"\xff" * 4:
        return 0
    if told.hardware != HARDWARE or told.version <= FACTORY_VERSION or told.size > manifest.IMAGE_MAX:
        return 0
    if not confirmed and (not unused or p256_verify(PUBLIC_KEY, manifest.digest(raw), told.signature) is not True):
        return 0
    image = flash.read(slot, boot_slot.IMAGE_AT, told.size)
    return told.version if hashlib.sha256(image).digest() == told.sha256 else 0
