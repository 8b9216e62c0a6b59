"""The service port, version 1 (docs/SPEC.md, "Appendix B"): who asks a meter by cable proves a key; both sides' pieces.

    frame     COBS( message | CRC-32 ) 00
    HELLO     11 | nonce 8                                        asks for a session
    CHALLENGE 12 | meter_id 8 | generation 4 | challenge 8        fresh for each session
    QUESTION  13 | number 2 | ciphertext | tag 8                  numbers rise within a session
    ANSWER    14 | number 2 | ciphertext | tag 8                  of the question with that number
    HELLO_GRANT 15 | nonce 8 | terms 14                           asks for a session under a grant (grants.py)
    PLAIN     10 | text                                           unsealed, either way: only before a meter's life
    REFUSED   1f | code 1 | wait_s 2

The text of a question or an answer is a CBOR sequence. The console key comes from the root under a label of its own, so
it is never a key of frames, and who holds it learns no key of frames; a session's key comes from it, or from a grant's
key, and both nonces.
"""

from binascii import crc32

from protocol.compat import ccm_open, ccm_seal, const
from protocol.wire import cobs
from protocol.wire.keys import KEY_LENGTH, SALT, SENDER_NONE, expand
from protocol.wire.limits import METER_ID_LENGTH

PLAIN = const(0x10)
HELLO = const(0x11)
CHALLENGE = const(0x12)
QUESTION = const(0x13)
ANSWER = const(0x14)
HELLO_GRANT = const(0x15)
REFUSED = const(0x1F)

# Codes of REFUSED; a number is never given a second meaning.
SEALED_ONLY = const(1)  # this meter takes sealed questions only: begin with HELLO
LOCKED = const(2)  # too many wrong tags: wait `wait_s` seconds
NO_SESSION = const(3)  # begin with HELLO; a session ends after five minutes without a question, and at a wrong tag
WRONG_TAG = const(4)  # sealed under another key
STALE = const(5)  # the number is not above the last one of this session
NOT_PROVISIONED = const(6)  # there is no key yet: ask unsealed
MALFORMED = const(7)  # a kind or a length that version 1 does not have
GRANT_EXPIRED = const(8)  # its last second has passed: ask the headend for another
GRANT_NOT_YET = const(9)  # its first second has not come
GRANT_SPENT = const(10)  # all its sessions are used, or the meter has seen a later grant
GRANT_TERMS = const(11)  # more than 72 hours, an unknown role, a count of none

NONCE_LENGTH = const(8)
TAG_LENGTH = const(8)
CRC_LENGTH = const(4)
NUMBER_MAX = const(0xFFFF)
MESSAGE_MAX = const(1088)  # with its CRC

_CHALLENGE_LENGTH = const(21)
_HELLO_LENGTH = const(9)
_HELLO_GRANT_LENGTH = const(23)
_REFUSED_LENGTH = const(4)
_SEALED_HEAD = const(3)


def to_line(message: bytes) -> bytes:
    """The bytes of a message on the line. Delimiters on both sides: what stood there before is noise."""
    return cobs.DELIMITER + cobs.encode(message + crc32(message).to_bytes(CRC_LENGTH, "big")) + cobs.DELIMITER


def from_frame(frame: bytes) -> "bytes | None":
    """The message of a frame (cobs.Decoder), or None where the CRC says that it was damaged."""
    message = frame[:-CRC_LENGTH]
    if not message or crc32(message) != int.from_bytes(frame[-CRC_LENGTH:], "big"):
        return None
    return message


def console_key(root: bytes, meter_id: bytes, generation: int) -> bytes:
    """What opens a meter's service port. It can be handed to a tool; no other key follows from it."""
    return expand(root, SALT, SENDER_NONE, meter_id + generation.to_bytes(4, "big"), "Console", KEY_LENGTH)


def hello(nonce: bytes) -> bytes:
    return bytes([HELLO]) + nonce


def read_hello(message: bytes) -> "bytes | None":
    """The nonce, or None."""
    return message[1:] if len(message) == _HELLO_LENGTH and message[0] == HELLO else None


def hello_grant(nonce: bytes, terms: bytes) -> bytes:
    return bytes([HELLO_GRANT]) + nonce + terms


def read_hello_grant(message: bytes) -> "tuple[bytes, bytes] | None":
    """(nonce, terms), or None. The terms are not looked at."""
    if len(message) != _HELLO_GRANT_LENGTH or message[0] != HELLO_GRANT:
        return None
    return message[1 : 1 + NONCE_LENGTH], message[1 + NONCE_LENGTH :]


def challenge(meter_id: bytes, generation: int, fresh: bytes) -> bytes:
    return bytes([CHALLENGE]) + meter_id + generation.to_bytes(4, "big") + fresh


def read_challenge(message: bytes) -> "tuple[bytes, int, bytes] | None":
    """(meter_id, generation, challenge), or None."""
    if len(message) != _CHALLENGE_LENGTH or message[0] != CHALLENGE:
        return None
    rest = message[1 + METER_ID_LENGTH :]
    return message[1 : 1 + METER_ID_LENGTH], int.from_bytes(rest[:4], "big"), rest[4:]


def refused(code: int, wait_s: int) -> bytes:
    return bytes([REFUSED, code]) + wait_s.to_bytes(2, "big")


def read_refused(message: bytes) -> "tuple[int, int] | None":
    """(code, seconds to wait), or None."""
    if len(message) != _REFUSED_LENGTH or message[0] != REFUSED:
        return None
    return message[1], message[2] << 8 | message[3]


class Session:
    """One session's key, on either side. The nonce is challenge | kind | number: none comes twice under a key."""

    def __init__(self, key: bytes, meter_id: bytes, nonce: bytes, fresh: bytes) -> None:
        """`key`: the console key or a grant's; `nonce` is HELLO's, `fresh` CHALLENGE's."""
        self.meter_id = meter_id
        self.fresh = fresh
        self.key = expand(key, nonce + fresh, SENDER_NONE, meter_id, "Session", KEY_LENGTH)

    def seal(self, kind: int, number: int, text: bytes) -> bytes:
        """A QUESTION or an ANSWER."""
        sealed = ccm_seal(self.key, self._nonce(kind, number), text, bytes([kind]) + self.meter_id)
        return bytes([kind]) + number.to_bytes(2, "big") + sealed

    def open(self, kind: int, message: bytes) -> "tuple[int, bytes] | None":
        """(number, text) of a QUESTION or an ANSWER, or None when it was not sealed under this key."""
        if len(message) < _SEALED_HEAD + TAG_LENGTH or message[0] != kind:
            return None
        number = message[1] << 8 | message[2]
        text = ccm_open(self.key, self._nonce(kind, number), message[_SEALED_HEAD:], bytes([kind]) + self.meter_id)
        return None if text is None else (number, text)

    def _nonce(self, kind: int, number: int) -> bytes:
        return self.fresh + bytes([kind]) + number.to_bytes(4, "big")
