"""Deterministic CBOR (RFC 8949 §4.2.1), strict on input: what is accepted re-encodes to the same bytes.

Integers within 64 bits, byte and text strings, arrays, maps, false, true and null. Refused: longer heads than
needed, indefinite lengths, floats, tags, other simple values, duplicate or unsorted keys, bytes left over, and anything
deeper, longer or with more items than the caller allows.
"""

from protocol import errors
from protocol.compat import TYPE_CHECKING, const
from protocol.wire.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, FRAME_UP_MAX

if TYPE_CHECKING:
    from typing import Any

_UINT = const(0)
_NINT = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_SIMPLE = const(7)


def head(major: int, argument: int) -> bytes:
    """The shortest head of `major` with `argument` (RFC 8949 §3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    if argument < 0x100:
        return bytes([major << 5 | 24, argument])
    if argument < 0x10000:
        return bytes([major << 5 | 25]) + argument.to_bytes(2, "big")
    if argument < 0x100000000:
        return bytes([major << 5 | 26]) + argument.to_bytes(4, "big")
    return bytes([major << 5 | 27]) + argument.to_bytes(8, "big")


def encode(value: "Any") -> bytes:
    """One deterministic item. Our own values only: another type or a wider integer is a programmer's error."""
    if value is None:
        return b"\xf6"
    if value is True:
        return b"\xf5"
    if value is False:
        return b"\xf4"
    if isinstance(value, int):
        return head(_UINT, value) if value >= 0 else head(_NINT, -1 - value)
    if isinstance(value, (bytes, bytearray)):
        return head(_BYTES, len(value)) + bytes(value)
    if isinstance(value, str):
        text = value.encode()
        return head(_TEXT, len(text)) + text
    if isinstance(value, (list, tuple)):
        return head(_ARRAY, len(value)) + encode_sequence(value)
    assert isinstance(value, dict)
    pairs = sorted([(encode(key), encode(value[key])) for key in value])
    return head(_MAP, len(pairs)) + b"".join([key + item for key, item in pairs])


def encode_sequence(values: "Any") -> bytes:
    """The items one after another (RFC 8742). Grown item by item: a list of them all takes a small heap's last room."""
    out = bytearray()
    for value in values:
        out.extend(encode(value))
    return bytes(out)


def _is_utf8(raw: bytes) -> bool:
    """Whether `raw` is UTF-8 (RFC 3629): shortest forms, no surrogates, nothing beyond U+10FFFF."""
    at = 0
    while at < len(raw):
        first = raw[at]
        length = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        if 0x80 <= first < 0xC2 or first > 0xF4 or at + length > len(raw):
            return False
        point = first & (0x7F if length == 1 else 0x7F >> length)
        for byte in raw[at + 1 : at + length]:
            if byte & 0xC0 != 0x80:
                return False
            point = point << 6 | byte & 0x3F
        if point < (0, 0, 0x80, 0x800, 0x10000)[length] or 0xD800 <= point < 0xE000 or point > 0x10FFFF:
            return False
        at += length
    return True


class _Reader:
    """Reads items from `data`; `items` counts down what may still be read."""

    def __init__(self, data: bytes, depth_max: int, items_max: int) -> None:
        self.data = data
        self.at = 0
        self.depth_max = depth_max
        self.items = items_max

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        end = self.at + length
        if end > len(self.data):
            raise errors.WireRefused(errors.CBOR_TRUNCATED, "byte {}".format(len(self.data)))
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def refuse(self, code: int, at: int) -> errors.WireRefused:
        """The refusal of the item that starts at byte `at`."""
        return errors.WireRefused(code, "byte {}".format(at))

    def item(self, depth: int) -> "Any":
        """One item at nesting `depth`."""
        start = self.at
        self.items -= 1
        if self.items < 0:
            raise self.refuse(errors.CBOR_ITEMS, start)
        initial = self.take(1)[0]
        major = initial >> 5
        if major == _SIMPLE:
            return self.simple(initial, start)
        argument = self.argument(initial & 0x1F, start)
        if major == _UINT:
            return argument
        if major == _NINT:
            return -1 - argument
        if major == _BYTES:
            return self.take(argument)
        if major == _TEXT:
            return self.text(argument, start)
        if major != _ARRAY and major != _MAP:
            raise self.refuse(errors.CBOR_UNSUPPORTED, start)
        if depth >= self.depth_max:
            raise self.refuse(errors.CBOR_DEPTH, start)
        if argument > self.items:
            raise self.refuse(errors.CBOR_ITEMS, start)
        if major == _ARRAY:
            return [self.item(depth + 1) for _ in range(argument)]
        return self.map(argument, depth + 1)

    def simple(self, initial: int, start: int) -> "bool | None":
        """False, true or null; floats and everything else are refused."""
        if initial == 0xF4:
            return False
        if initial == 0xF5:
            return True
        if initial == 0xF6:
            return None
        raise self.refuse(errors.CBOR_INDEFINITE if initial == 0xFF else errors.CBOR_UNSUPPORTED, start)

    def argument(self, info: int, start: int) -> int:
        """The head's argument, in its shortest form."""
        if info < 24:
            return info
        if info == 31:
            raise self.refuse(errors.CBOR_INDEFINITE, start)
        if info > 27:
            raise self.refuse(errors.CBOR_UNSUPPORTED, start)
        length = 1 << (info - 24)
        argument = int.from_bytes(self.take(length), "big")
        if argument < 24 or (length > 1 and argument >> (length * 4) == 0):
            raise self.refuse(errors.CBOR_NOT_SHORTEST, start)
        return argument

    def text(self, length: int, start: int) -> str:
        """A text string, which must be UTF-8; MicroPython's own decoder lets more pass."""
        raw = self.take(length)
        if not _is_utf8(raw):
            raise self.refuse(errors.CBOR_TEXT, start)
        return raw.decode()

    def map(self, length: int, depth: int) -> "dict[Any, Any]":
        """A map whose keys are integers or strings, strictly ascending by their encoded bytes."""
        found: "dict[Any, Any]" = {}
        previous = b""
        for _ in range(length):
            start = self.at
            key = self.item(depth)
            encoded = self.data[start : self.at]
            if key is None or isinstance(key, (bool, list, dict)):
                raise self.refuse(errors.CBOR_UNSUPPORTED, start)
            if encoded == previous:
                raise self.refuse(errors.CBOR_DUPLICATE_KEY, start)
            if encoded < previous:
                raise self.refuse(errors.CBOR_KEY_ORDER, start)
            previous = encoded
            found[key] = self.item(depth)
        return found


def decode_sequence(
    data: bytes,
    depth_max: int = CBOR_DEPTH_MAX,
    items_max: int = CBOR_ITEMS_MAX,
    bytes_max: int = FRAME_UP_MAX,
) -> "list[Any]":
    """All items of a CBOR sequence; `items_max` counts every item at every depth. Raises WireRefused."""
    if len(data) > bytes_max:
        raise errors.WireRefused(errors.CBOR_SIZE, "byte {}".format(bytes_max))
    reader = _Reader(bytes(data), depth_max, items_max)
    values = []
    while reader.at < len(reader.data):
        values.append(reader.item(0))
    return values


def decode(
    data: bytes,
    depth_max: int = CBOR_DEPTH_MAX,
    items_max: int = CBOR_ITEMS_MAX,
    bytes_max: int = FRAME_UP_MAX,
) -> "Any":
    """The one item that `data` is, with nothing after it. Raises WireRefused."""
    if len(data) > bytes_max:
        raise errors.WireRefused(errors.CBOR_SIZE, "byte {}".format(bytes_max))
    reader = _Reader(bytes(data), depth_max, items_max)
    value = reader.item(0)
    if reader.at != len(reader.data):
        raise errors.WireRefused(errors.CBOR_TRAILING, "byte {}".format(reader.at))
    return value
