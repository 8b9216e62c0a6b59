"""The envelope: `hdr 1 | seq 2 | ciphertext n | tag 8`, a COSE_Encrypt0 (RFC 9052) less all that both sides know.

It names no meter and proves origin and single use, never order (SEMANTICS D1). The tag is checked before anything is
parsed; only the clear header's length, version and type field are read first, to find the key.
"""

from collections import namedtuple

from protocol import errors
from protocol.compat import ccm_open, ccm_seal, const
from protocol.wire import cbor, keys
from protocol.wire.keys import KeySet
from protocol.wire.limits import COUNTER_MAX, FRAME_DOWN_MAX, FRAME_UP_MAX, OVERHEAD

VERSION = const(1)
UP = const(0)
DOWN = const(1)

# The serialised protected header {1: 10}: alg = AES-CCM-16-64-128.
PROTECTED = b"\xa1\x01\x0a"

# ["Encrypt0", protected, meter_id | hdr] in CBOR, without the 9 bytes of its last item.
_ENC_STRUCTURE = cbor.encode(["Encrypt0", PROTECTED, bytes(9)])[:-9]

# version 0..3, type 0..7, epoch3: the key epoch's low 3 bits, seq: the counter's low 16 bits.
Header = namedtuple("Header", ("version", "type", "epoch3", "seq"))


def header_byte(message_type: int, epoch: int) -> int:
    """version (2 bits) | type (3) | epoch & 7 (3)."""
    return VERSION << 6 | message_type << 3 | (epoch & 7)


def read_header(frame: bytes) -> Header:
    """The clear part of a frame. Raises WireRefused when it is too short, too long, or of another version."""
    if not OVERHEAD <= len(frame) <= FRAME_UP_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "frame")
    version = frame[0] >> 6
    if version != VERSION:
        raise errors.WireRefused(errors.FRAME_VERSION, "version")
    return Header(version, (frame[0] >> 3) & 7, frame[0] & 7, frame[1] << 8 | frame[2])


def additional_data(meter_id: bytes, first: int) -> bytes:
    """The Enc_structure of RFC 9052 §5.3 with external_aad = meter_id | hdr: what the tag covers besides the text."""
    return _ENC_STRUCTURE + meter_id + bytes([first])


def seal(key_set: KeySet, direction: int, message_type: int, counter: int, plaintext: bytes) -> bytes:
    """The frame of `plaintext`. Raises WireRefused on a spent counter or a text too long for the direction."""
    if not 0 <= counter <= COUNTER_MAX:
        raise errors.WireRefused(errors.COUNTER_RANGE, "counter")
    if len(plaintext) + OVERHEAD > (FRAME_UP_MAX if direction == UP else FRAME_DOWN_MAX):
        raise errors.WireRefused(errors.FRAME_LENGTH, "plaintext")
    assert 0 <= message_type <= 7
    first = header_byte(message_type, key_set.epoch)
    key, sender = _key_of(key_set, direction)
    nonce = keys.nonce(key_set.common_iv, sender, counter)
    sealed = ccm_seal(key, nonce, bytes(plaintext), additional_data(key_set.meter_id, first))
    return bytes([first, (counter >> 8) & 0xFF, counter & 0xFF]) + sealed


def open_frame(key_set: KeySet, direction: int, frame: bytes, counter: int) -> "bytes | None":
    """The plaintext of `frame` if it was sealed by that side with this whole counter, else None; it never raises."""
    if not OVERHEAD <= len(frame) <= (FRAME_UP_MAX if direction == UP else FRAME_DOWN_MAX):
        return None
    if frame[0] >> 6 != VERSION or frame[0] & 7 != key_set.epoch & 7 or not 0 <= counter <= COUNTER_MAX:
        return None
    if frame[1] << 8 | frame[2] != counter & 0xFFFF:
        return None
    key, sender = _key_of(key_set, direction)
    nonce = keys.nonce(key_set.common_iv, sender, counter)
    return ccm_open(key, nonce, bytes(frame[3:]), additional_data(key_set.meter_id, frame[0]))


def _key_of(key_set: KeySet, direction: int) -> "tuple[bytes, bytes]":
    """(key, sender id) of the side that seals."""
    if direction == UP:
        return key_set.up_key, keys.SENDER_UP
    return key_set.down_key, keys.SENDER_DOWN
