"""Writes an update into the slot that does not run: begin, data in order, end. What is refused changes nothing.

`begin` erases the slot's first sector, then every sector that the image needs and that is not blank, and programs the
manifest last: where a manifest stands, everything behind the data is blank. A transfer that was cut therefore goes on
at the page of the last byte that is not erased; what was torn there is programmed once more, with the same bytes. The
signature is checked before anything is erased and once more, with the hash, at the end; only then the slot is COMPLETE.
"""

from firmware import keepsake
from firmware.boot_slot import (
    COMPLETE,
    CONFIRMED,
    FACTORY,
    IMAGE_AT,
    SECTOR_BYTES,
    SLOTS,
    hash_of,
    is_refused,
    is_set,
    is_signed,
    manifest_of,
    set_mark,
)
from firmware.version import FIRMWARE_VERSION
from protocol.compat import const, p256_verify
from protocol.errors import WireRefused
from protocol.wire import manifest, update_codes

PAGE_BYTES = const(256)
ERASED = b"\xff" * PAGE_BYTES


class UpdateRefused(Exception):
    """Why: a code of update_codes."""


def running_version(board):
    """The version that runs: of the slot's manifest, or the factory's."""
    found = None if board.running_slot == FACTORY else manifest_of(board.slots, board.running_slot)
    return FIRMWARE_VERSION if found is None else found.version


def highest_confirmed(board):
    """The highest version that ever proved itself here, by the keepsake and by the slots; 0 for none."""
    versions = [0, int.from_bytes(keepsake.look(board.eeprom, keepsake.VERSION)[1], "big")]
    for slot in range(SLOTS):
        found = manifest_of(board.slots, slot)
        if found is not None and is_set(board.slots, slot, CONFIRMED):
            versions.append(found.version)
    return max(versions)


def is_on_trial(board):
    return board.slots is not None and board.running_slot != FACTORY and not is_confirmed(board)


def is_confirmed(board):
    return is_set(board.slots, board.running_slot, CONFIRMED)


def was_tried(flash, version):
    """Whether a slot holds this version, which had its trial and did not prove itself."""
    for slot in range(SLOTS):
        found = manifest_of(flash, slot)
        if found is not None and found.version == version and is_refused(flash, slot):
            return True
    return False


def check(board, data):
    """The Manifest in `data`, if this meter may take its image. Raises UpdateRefused."""
    if board.slots is None or board.release_key == bytes(len(board.release_key)):
        raise UpdateRefused(update_codes.NO_SLOTS)
    if is_on_trial(board):
        raise UpdateRefused(update_codes.ON_TRIAL)
    try:
        offered = manifest.decode(data)
    except WireRefused:
        raise UpdateRefused(update_codes.MANIFEST)
    if offered.hardware != board.hardware:
        raise UpdateRefused(update_codes.HARDWARE)
    if offered.size > manifest.IMAGE_MAX:
        raise UpdateRefused(update_codes.TOO_LARGE)
    running = running_version(board)
    if offered.version <= max(running, FIRMWARE_VERSION, highest_confirmed(board)):
        raise UpdateRefused(update_codes.DOWNGRADE)
    if offered.min_version > running:
        raise UpdateRefused(update_codes.TOO_OLD)
    if was_tried(board.slots, offered.version):
        raise UpdateRefused(update_codes.TRIED)
    signed = p256_verify(board.release_key, manifest.digest(data), offered.signature)
    if not signed:
        raise UpdateRefused(update_codes.NO_VERIFIER if signed is None else update_codes.SIGNATURE)
    return offered


def free_slot(board, data):
    """The slot to write: never the one that runs. Beside the factory's image, the one that holds this manifest already,
    or one that never proved itself."""
    if board.running_slot != FACTORY:
        return 1 - board.running_slot
    for slot in range(SLOTS):
        if board.slots.read(slot, 0, manifest.LENGTH) == data:
            return slot
    return 1 if is_set(board.slots, 0, CONFIRMED) else 0


def begin(board, data):
    """The SlotWriter for the image of this manifest, at the byte that comes next. Raises UpdateRefused."""
    offered = check(board, data)
    writer = SlotWriter(board, free_slot(board, data), data, offered)
    try:
        writer.begin()
    except OSError:
        raise UpdateRefused(update_codes.FLASH)
    return writer


class SlotWriter:
    def __init__(self, board, slot, data, offered):
        self.board = board
        self.flash = board.slots
        self.slot = slot
        self.data = data
        self.version = offered.version
        self.size = offered.size
        self.sha256 = offered.sha256
        self.next_offset = 0

    @property
    def verified(self):
        return is_set(self.flash, self.slot, COMPLETE)

    def begin(self):
        """Go on where the slot holds this manifest; otherwise make room."""
        flash, slot = self.flash, self.slot
        if flash.read(slot, 0, manifest.LENGTH) == self.data:
            self.next_offset = self.size if self.verified else self._written()
            return
        for at in range(0, IMAGE_AT + self.size, SECTOR_BYTES):
            if not self._is_blank(at):
                flash.erase(slot, at)
        self._program(0, self.data)

    def _is_blank(self, sector_at):
        for at in range(sector_at, sector_at + SECTOR_BYTES, PAGE_BYTES):
            if self.flash.read(self.slot, at, PAGE_BYTES) != ERASED:
                return False
        return True

    def _written(self):
        """Where the page begins that holds the last byte that is not erased."""
        at = (self.size - 1) // PAGE_BYTES * PAGE_BYTES
        while at > 0 and self.flash.read(self.slot, IMAGE_AT + at, PAGE_BYTES) == ERASED:
            at -= PAGE_BYTES
        return at

    def _program(self, at, data):
        """Program and read back. What the flash does not take is given up: the next begin erases it."""
        self.flash.program(self.slot, at, data)
        if self.flash.read(self.slot, at, len(data)) != data:
            self._give_up(update_codes.FLASH)

    def _give_up(self, code):
        self.flash.erase(self.slot, 0)
        raise UpdateRefused(code)

    def take(self, offset, data):
        """Bytes of the image from `offset` on. Bytes that were just taken may be said again. Raises UpdateRefused."""
        end = offset + len(data)
        if end == self.next_offset and data:
            return
        if offset != self.next_offset or end > self.size:
            raise UpdateRefused(update_codes.OFFSET)
        try:
            while data:
                part = data[: PAGE_BYTES - offset % PAGE_BYTES]
                self._program(IMAGE_AT + offset, part)
                data = data[len(part) :]
                offset += len(part)
                self.next_offset = offset
        except OSError:
            raise UpdateRefused(update_codes.FLASH)

    def end(self):
        """Check what the flash holds and mark it COMPLETE. Raises UpdateRefused."""
        flash, slot = self.flash, self.slot
        if self.next_offset < self.size:
            raise UpdateRefused(update_codes.OFFSET)
        try:
            if flash.read(slot, 0, manifest.LENGTH) != self.data or hash_of(flash, slot, self.size) != self.sha256:
                self._give_up(update_codes.HASH)
            if not is_signed(flash, slot, self.board.release_key):
                self._give_up(update_codes.SIGNATURE)
            if not self.verified and not set_mark(flash, slot, COMPLETE):
                self._give_up(update_codes.FLASH)
        except OSError:
            raise UpdateRefused(update_codes.FLASH)
