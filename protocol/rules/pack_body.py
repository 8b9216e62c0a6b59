"""What the bodies of TARIFF, POLICY and PLAN packs share: limits, varints and a common money unit.

A body of up to 34 bytes travels in one frame, a longer one in parts, up to 240; what the limits of the three packs
allow never needs more. Integers are LEB128 varints (seven bits a byte, lowest first, never a needless byte); money is
written in units of the greatest common divisor of all amounts of the pack, which shortens printed tariffs by about a
third. Every decoder re-encodes what it read and refuses a body that would not come out the same (`require_canonical`),
so one meaning has one body and one hash.
"""

from protocol.errors import (
    RULE_NOT_CANONICAL,
    RULE_NOT_INTEGER,
    RULE_OUT_OF_RANGE,
    RULE_TRUNCATED,
    RuleRefused,
)
from protocol.wire.limits import SLOT_MAX, U16_MAX

_VARINT_BYTES_MAX = 8  # 56 bits hold every counter and every amount


def require_head(version: int, from_slot: int) -> None:
    """The two numbers beside a body: version 1..65535 (0 means no pack) and the first slot of its force."""
    require_int(version, 1, U16_MAX, "version")
    require_int(from_slot, 0, SLOT_MAX, "from_slot")


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
