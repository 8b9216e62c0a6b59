"""The keepsake: who the meter is, and which uplink counters and keys it may have used, in a small EEPROM of its own.

A dead flash takes the wallet and the log with it; the keepsake leaves the meter a name, a key and fresh counters,
enough to say so (safe_mode.py), and gives an identity back that only the flash has lost. Each place holds a record of
flash_record.py twice, one copy written and read back after the other, so that a power cut leaves one of them whole. An
identity of no bytes is the mark that provisioning has begun: until the identity stands here, no meter lives on the
flash.
"""

from firmware.flash_record import CRC_BYTES, FIRST_CHAIN, HEAD_BYTES, MAGIC, pack, unpack
from protocol.compat import const

SIZE = const(4096)
PAGE = const(32)  # what such an EEPROM writes at once; no record shares a page with another
BLANK = b"\xff" * HEAD_BYTES

# Where the two copies of a place begin. An identity has room for 1024 bytes, the others for 64. The highest version
# that proved itself (trial.py) outlives the identity: whoever the meter is, it takes no older firmware.
IDENTITY = (0, 1024)
COUNTERS = (2048, 2112)
VERSION = (2176, 2240)

# What a place holds.
NONE = const(0)  # nothing was ever written, or there is no EEPROM
BEGUN = const(1)  # provisioning began and did not end
KEPT = const(2)
BAD = const(3)  # something, of which no copy is whole


def _read(eeprom, at):
    """The (sequence, chain, payload) of one copy, or None."""
    try:
        head = eeprom.read(at, HEAD_BYTES)
        length = HEAD_BYTES + int.from_bytes(head[14:16], "big") + CRC_BYTES
        if head[:2] != MAGIC or at + length > SIZE:
            return None
        return unpack(eeprom.read(at, length))
    except OSError:
        return None


def _newest(eeprom, place):
    """(the newest copy or None, whether both copies say so)."""
    first, second = _read(eeprom, place[0]), _read(eeprom, place[1])
    newest = second if first is None or (second is not None and second[0] > first[0]) else first
    return newest, first == second and first is not None


def look(eeprom, place):
    """(NONE, BEGUN, KEPT or BAD; the payload, b"" where none is whole; whether both copies say so)."""
    if eeprom is None:
        return NONE, b"", True
    newest, alike = _newest(eeprom, place)
    if newest is not None:
        return KEPT if newest[2] else BEGUN, newest[2], alike
    try:  # the second copy is written after the first: where it is blank, nothing was ever written whole
        return NONE if eeprom.read(place[1], HEAD_BYTES) == BLANK else BAD, b"", False
    except OSError:
        return BAD, b"", False


def keep(eeprom, place, payload):
    """Write the payload twice. True when both copies were read back as written; a copy that holds it is left alone."""
    newest, _ = _newest(eeprom, place)
    if newest is not None and newest == _read(eeprom, place[0]):
        place = (place[1], place[0])  # the copy that is whole is written last
    if newest is None or newest[2] != payload:
        newest = ((0 if newest is None else newest[0]) + 1, FIRST_CHAIN, payload)
    record = pack(*newest)
    for at in place:
        if _read(eeprom, at) != newest:
            try:
                eeprom.write(at, record)
            except OSError:
                return False
            if _read(eeprom, at) != newest:
                return False
    return True
