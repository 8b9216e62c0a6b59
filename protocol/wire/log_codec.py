"""The log codec: half-hourly litres as few bytes, in exactly one way (docs/SPEC.md, "Log codec").

A binary range coder with 63 adaptive probabilities, which start from the trained bytes of priors.py. A slot is one bit
"any water?", in the context of the time of day and of the two slots before it; then, if any, five bits that name a
class of volumes, and the plain bits that tell the volume within its class. Encoder and decoder walk the slots with the
same code and differ only in the coder they hand in.

Integers only and all below 2^25, so a 32-bit port with 31-bit small integers computes the same bytes. The decoder
encodes what it read and refuses other bytes than those, so one log has one encoding.
"""

from protocol import errors
from protocol.compat import TYPE_CHECKING, const
from protocol.wire.fields import require_integer
from protocol.wire.limits import RANGE_SLOTS_MAX, SLOT_LITRES_MAX, SLOTS_PER_DAY
from protocol.wire.priors import PRIORS

if TYPE_CHECKING:
    from typing import Iterator, Sequence

_BUCKET_SLOTS = const(6)
_TREE = const(32)
_CLASSES = const(32)
_RATE = const(4)

# Class 0..19 is the volume 1..20 itself; class 20 + i holds the 2^width volumes from its base on.
_PLAIN_CLASSES = const(20)
_BASES = (21, 25, 33, 49, 65, 129, 257, 513, 1025, 2049, 4097, 8193)
_WIDTHS = (2, 3, 4, 4, 6, 7, 8, 9, 10, 11, 12, 16)


class Encoder:
    """A range encoder: `low` and `span` are the interval that is left, `out` the bytes before it."""

    def __init__(self) -> None:
        self.low = 0
        self.span = 0x1000000
        self.out = bytearray()

    def bit(self, table: "list[int]", index: int, bit: int) -> int:
        """Encode `bit`, whose probability of being 0 is table[index] / 4096, and adapt that probability."""
        probability = table[index]
        bound = (self.span >> 12) * probability
        if bit:
            self.low += bound
            self.span -= bound
            table[index] = probability - (probability >> _RATE)
        else:
            self.span = bound
            table[index] = probability + ((4096 - probability) >> _RATE)
        if self.span < 0x10000:
            self._shift()
        return bit

    def plain(self, width: int, value: int) -> int:
        """Encode `value` < 2^width, width ≤ 8, all values being equally likely."""
        self.span >>= width
        self.low += self.span * value
        if self.span < 0x10000:
            self._shift()
        return value

    def _shift(self) -> None:
        """Move settled bytes out until `span` has 17 bits again."""
        while self.span < 0x10000:
            self._carry()
            self.out.append(self.low >> 16)
            self.low = (self.low & 0xFFFF) << 8
            self.span <<= 8

    def _carry(self) -> None:
        """Add the bit above `low` to the bytes that are already out."""
        if self.low >> 24:
            self.low &= 0xFFFFFF
            at = len(self.out) - 1
            while self.out[at] == 0xFF:
                self.out[at] = 0
                at -= 1
            self.out[at] += 1

    def finish(self) -> bytes:
        """The shortest bytes within the interval; the decoder reads zeros after them."""
        for settled in range(4):
            unit = 1 << (24 - 8 * settled)
            value = (self.low + unit - 1) // unit * unit
            if value < self.low + self.span:
                break
        self.low = value
        self._carry()
        self.out.extend(self.low.to_bytes(3, "big"))
        end = len(self.out)
        while end and self.out[end - 1] == 0:
            end -= 1
        return bytes(self.out[:end])


class Decoder:
    """The range decoder of `data`: `code` is the offset of the data's value in the interval of size `span`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.code = 0
        self.span = 1
        self._shift(0x1000000)

    def bit(self, table: "list[int]", index: int, _bit: int) -> int:
        """The next bit; adapts table[index] as the encoder did."""
        probability = table[index]
        bound = (self.span >> 12) * probability
        bit = 1 if self.code >= bound else 0
        if bit:
            self.code -= bound
            self.span -= bound
            table[index] = probability - (probability >> _RATE)
        else:
            self.span = bound
            table[index] = probability + ((4096 - probability) >> _RATE)
        if self.span < 0x10000:
            self._shift(0x10000)
        return bit

    def plain(self, width: int, _value: int) -> int:
        """The next `width` ≤ 8 bits. Bytes that no encoder gives are held within range here and refused at the end."""
        self.span >>= width
        value = min(self.code // self.span, (1 << width) - 1)
        self.code = min(self.code - self.span * value, self.span - 1)
        if self.span < 0x10000:
            self._shift(0x10000)
        return value

    def _shift(self, least: int) -> None:
        """Take bytes in, zeros after the last, until `span` is at least `least`."""
        while self.span < least:
            self.code = self.code << 8 | (self.data[self.at] if self.at < len(self.data) else 0)
            self.at += 1
            self.span <<= 8


def encode(litres: "Sequence[int]", phase: int, priors: "bytes | None" = None) -> bytes:
    """The log of 1..255 slots of 0..65535 litres from half-hour `phase` of a day on. Raises WireRefused."""
    if not 1 <= len(litres) <= RANGE_SLOTS_MAX:
        raise errors.WireRefused(errors.LOG_RANGE, "litres")
    for volume in litres:
        require_integer(volume, SLOT_LITRES_MAX, "litres")
    encoder = Encoder()
    for _ in walk(encoder, litres, phase, priors):
        pass
    return encoder.finish()


def decode(data: bytes, count: int, phase: int, priors: "bytes | None" = None) -> "list[int]":
    """The `count` litres of a log; bytes that `encode` would not give are refused. Raises WireRefused."""
    if not 1 <= count <= RANGE_SLOTS_MAX:
        raise errors.WireRefused(errors.LOG_RANGE, "count")
    litres = list(walk(Decoder(data), bytes(count), phase, priors))
    if max(litres) > SLOT_LITRES_MAX or encode(litres, phase, priors) != bytes(data):
        raise errors.WireRefused(errors.LOG_NOT_CANONICAL, "log")
    return litres


def walk(coder: "Encoder | Decoder", litres: "Sequence[int]", phase: int, priors: "bytes | None") -> "Iterator[int]":
    """Every slot through `coder`; a decoder ignores the litres it is given and yields the true ones."""
    assert 0 <= phase < SLOTS_PER_DAY
    table = [prior << 4 for prior in (PRIORS if priors is None else priors)]
    context = 0
    for volume in litres:
        bucket = phase // _BUCKET_SLOTS
        used = coder.bit(table, bucket << 2 | context, 1 if volume else 0)
        yield _volume(coder, table, volume) if used else 0
        context = (context << 1 | used) & 3
        phase = (phase + 1) % SLOTS_PER_DAY


def _volume(coder: "Encoder | Decoder", table: "list[int]", volume: int) -> int:
    """A volume of 1 or more: its class down a binary tree, then its place in the class."""
    number = volume - 1
    if number >= _PLAIN_CLASSES:
        number = _CLASSES - 1
        while volume < _BASES[number - _PLAIN_CLASSES]:
            number -= 1
    node = 1
    for place in (4, 3, 2, 1, 0):
        node = node << 1 | coder.bit(table, _TREE + node, number >> place & 1)
    number = node - _CLASSES
    if number < _PLAIN_CLASSES:
        return number + 1
    base = _BASES[number - _PLAIN_CLASSES]
    width = _WIDTHS[number - _PLAIN_CLASSES]
    rest = max(0, volume - base)
    found = 0
    if width > 8:
        width -= 8
        found = coder.plain(8, rest >> width) << width
        rest &= (1 << width) - 1
    return base + (found | coder.plain(width, rest))
