"""The compact bodies of TARIFF, POLICY and PLAN packs: varints, a common money unit, and how much room a frame leaves.

A pack travels in one frame of 51 bytes, so a body gets 23 to 25 of them. Integers are LEB128 varints (seven bits a
byte, lowest first, never a needless byte); money is written in units of the greatest common divisor of all amounts of
the pack, which shortens printed tariffs by about a third. Every decoder re-encodes what it read and refuses a body
that would not come out the same (`require_canonical`), so one meaning has one body and one hash.
"""

from protocol.errors import (
    RULE_NOT_CANONICAL,
    RULE_NOT_INTEGER,
    RULE_OUT_OF_RANGE,
    RULE_TOO_LONG,
    RULE_TRUNCATED,
    RuleRefused,
)

FRAME_BYTES_MAX = 51
_ENVELOPE_BYTES = 11
_INDEX_AND_COUNT_BYTES = 2
_HASH4_BYTES = 5  # one byte of CBOR head and four of hash
_VARINT_BYTES_MAX = 8  # 56 bits hold every counter and every amount

VERSION_MAX = 65535
SLOT_MAX = 4294967295


def require_int(value: int, low: int, high: int, field: str) -> int:
    """The value itself if it is an integer in [low, high]; RuleRefused names the field otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RuleRefused(RULE_NOT_INTEGER, field)
    if not low <= value <= high:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)
    return value


def require_canonical(body: bytes, encoded_again: bytes) -> None:
    """Refuse a body whose meaning has another, shorter or tidier, encoding."""
    if body != encoded_again:
        raise RuleRefused(RULE_NOT_CANONICAL, "body")


def room_for_body(version: int, from_slot: int) -> int:
    """Bytes of body that fit one 51-byte frame: 25 for versions up to 23, 24 up to 255, else 23 (slots of this age)."""
    used = _ENVELOPE_BYTES + _cbor_bytes(version) + _cbor_bytes(from_slot) + _INDEX_AND_COUNT_BYTES + _HASH4_BYTES
    free = FRAME_BYTES_MAX - used
    return free - 1 if free - 1 <= 23 else free - 2


def require_room(body: bytes, version: int, from_slot: int) -> bytes:
    """The body itself if its pack fits one frame."""
    if len(body) > room_for_body(version, from_slot):
        raise RuleRefused(RULE_TOO_LONG, "body")
    return body


def varint(value: int) -> bytes:
    """LEB128: 127 is one byte, 128 is two (80 01)."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def zigzag(value: int) -> int:
    """Signed to unsigned: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    return value // 2 if value % 2 == 0 else -(value // 2) - 1


def common_unit(amounts: list[int]) -> int:
    """The greatest common divisor of all amounts, 1 when all are zero: 6500, 8000 and 57750 share 250."""
    unit = 0
    for amount in amounts:
        while amount:
            unit, amount = amount, unit % amount
    return unit or 1


class BodyReader:
    """Reads a body front to back; a body that ends early is RULE_TRUNCATED at the field being read."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def byte(self, field: str) -> int:
        if self._at >= len(self._body):
            raise RuleRefused(RULE_TRUNCATED, field)
        value = self._body[self._at]
        self._at += 1
        return value

    def varint(self, field: str) -> int:
        value = 0
        for index in range(_VARINT_BYTES_MAX):
            group = self.byte(field)
            value |= (group & 127) << (7 * index)
            if group < 128:
                return value
        raise RuleRefused(RULE_OUT_OF_RANGE, field)


def _cbor_bytes(value: int) -> int:
    """Bytes of a shortest-form CBOR unsigned integer."""
    if value <= 23:
        return 1
    if value <= 255:
        return 2
    if value <= 65535:
        return 3
    return 5
