"""What runs after a reset: the image in one of two slots, or the factory's, which no update can touch. A pure choice.

The image's loader is C (boards/qemu_mps2/port/loader.c) and makes the same choice; this is the Unix meter's, and the
model that the other is held to. A slot is 512 KB: its first sector holds the manifest and the marks, then comes the
image. A mark is four bytes, all ones until it is set, and set once: a power cut leaves it torn.

| mark | set when | counts |
| --- | --- | --- |
| COMPLETE | hash and signature were found right | when exactly zero |
| TRIAL, three of them | the image is started and has not proved itself | when not all ones |
| CONFIRMED | it has proved itself (trial.py) | when exactly zero |
| REJECTED | it has not, in a day | when not all ones |
| TOLD | the headend was told which of the two | when not all ones |

Torn, a mark is therefore read as what asks for more care. An image runs when all of it is right; the highest version
goes first, and each start of one that is not confirmed costs a TRIAL mark, set before it runs. Where none is left, or
the flash does not take it, the image does not run.
"""

import hashlib

from protocol.compat import const, p256_verify
from protocol.errors import WireRefused
from protocol.wire import manifest

SLOTS = const(2)
FACTORY = const(2)
SECTOR_BYTES = const(4096)
SLOT_BYTES = const(524288)
IMAGE_AT = const(4096)
MARKS_AT = const(256)
MARK_APART = const(16)
MARK_BYTES = const(4)
READ_BYTES = const(1024)

COMPLETE = const(0)
TRIAL = const(1)  # the first of TRIALS
TRIALS = const(3)
CONFIRMED = const(4)
REJECTED = const(5)
TOLD = const(6)

UNSET = b"\xff" * MARK_BYTES
SET = bytes(MARK_BYTES)


def manifest_of(flash, slot):
    """The Manifest in a slot's first sector, or None."""
    try:
        return manifest.decode(flash.read(slot, 0, manifest.LENGTH))
    except WireRefused:
        return None


def is_set(flash, slot, mark):
    found = flash.read(slot, MARKS_AT + MARK_APART * mark, MARK_BYTES)
    return found == SET if mark in (COMPLETE, CONFIRMED) else found != UNSET


def set_mark(flash, slot, mark):
    """True when it counts from here on."""
    flash.program(slot, MARKS_AT + MARK_APART * mark, SET)
    return is_set(flash, slot, mark)


def trials_left(flash, slot):
    return TRIALS - sum([is_set(flash, slot, TRIAL + number) for number in range(TRIALS)])


def is_refused(flash, slot):
    """It had its trial and is not confirmed: rejected, or no start is left."""
    if is_set(flash, slot, REJECTED):
        return True
    return not is_set(flash, slot, CONFIRMED) and not trials_left(flash, slot)


def hash_of(flash, slot, size):
    """The SHA-256 of the image in a slot."""
    hashed = hashlib.sha256()
    for at in range(0, size, READ_BYTES):
        hashed.update(flash.read(slot, IMAGE_AT + at, min(READ_BYTES, size - at)))
    return hashed.digest()


def is_signed(flash, slot, key):
    """Whether the manifest in a slot is signed with `key`: True or False, None where nobody can verify."""
    data = flash.read(slot, 0, manifest.LENGTH)
    return p256_verify(key, manifest.digest(data), data[manifest.SIGNED_LENGTH :])


def version_offered(flash, slot, hardware):
    """The version of what a slot offers to run, 0 for nothing; its bytes are not looked at."""
    found = manifest_of(flash, slot)
    if found is None or found.hardware != hardware or found.size > manifest.IMAGE_MAX:
        return 0
    return found.version if is_set(flash, slot, COMPLETE) and not is_refused(flash, slot) else 0


def is_right(flash, slot, key):
    """Whether the image is what its manifest says and, unless it has proved itself, signed."""
    found = manifest_of(flash, slot)
    if hash_of(flash, slot, found.size) != found.sha256:
        return False
    return is_set(flash, slot, CONFIRMED) or bool(is_signed(flash, slot, key))


def choose(flash, hardware, key, factory_version):
    """The slot that runs, or FACTORY. Sets the TRIAL mark that this start costs."""
    versions = [version_offered(flash, slot, hardware) for slot in range(SLOTS)]
    while max(versions) > factory_version:
        slot = versions.index(max(versions))
        if is_right(flash, slot, key) and (is_set(flash, slot, CONFIRMED) or _begins_trial(flash, slot)):
            return slot
        versions[slot] = 0
    return FACTORY


def _begins_trial(flash, slot):
    """Set the next TRIAL mark. False where the flash does not take it: such a trial would have no end."""
    for number in range(TRIALS):
        if not is_set(flash, slot, TRIAL + number):
            return set_mark(flash, slot, TRIAL + number)
    return False
