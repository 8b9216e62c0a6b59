"""The log codec: half-hourly litres as few bytes, in exactly one way (docs/SPEC.md, "Log codec")."""

from protocol import errors
from protocol.compat import TYPE_CHECKING, const
from protocol.wire.limits import RANGE_SLOTS_MAX, SLOT_LITRES_MAX, SLOTS_PER_DAY

if TYPE_CHECKING:
    from typing import Any, Sequence

PRIORS = None

_BITS = const(16)


def phase_of(slot: int, standard_minutes: int) -> int:
    """The half-hour of the local day (0..47) in which `slot` starts, by the pack's standard offset in minutes."""
    return (slot * 30 + standard_minutes) // 30 % SLOTS_PER_DAY


def encode(litres: "Sequence[int]", phase: int, priors: "Any" = PRIORS) -> bytes:
    """The log of 1..255 slots of 0..65535 litres from half-hour `phase` of a day on. Raises WireRefused."""
    if not 1 <= len(litres) <= RANGE_SLOTS_MAX:
        raise errors.WireRefused(errors.LOG_RANGE, "litres")
    bits = []
    for volume in litres:
        if not 0 <= volume <= SLOT_LITRES_MAX:
            raise errors.WireRefused(errors.LOG_RANGE, "litres")
        width = 0
        while volume + 1 >> width + 1:
            width += 1
        bits.extend([1] * width + [0] * (width < _BITS))
        for place in range(width - 1, -1, -1):
            bits.append((volume + 1) >> place & 1)
    bits.extend([0] * (-len(bits) % 8))
    out = bytearray(len(bits) // 8)
    for index, bit in enumerate(bits):
        out[index >> 3] |= bit << (7 - (index & 7))
    return bytes(out)


def decode(data: bytes, count: int, phase: int, priors: "Any" = PRIORS) -> "list[int]":
    """The `count` litres of a log; bytes that `encode` would not give are refused. Raises WireRefused."""
    bits = [byte >> 7 - place & 1 for byte in data for place in range(8)]
    litres = []
    at = 0
    for _ in range(count):
        width = 0
        while width < _BITS and at < len(bits) and bits[at]:
            width += 1
            at += 1
        at += width < _BITS
        if at + width > len(bits):
            raise errors.WireRefused(errors.LOG_TRUNCATED, "log")
        volume = 1
        for place in range(width):
            volume = volume << 1 | bits[at + place]
        at += width
        if volume > SLOT_LITRES_MAX + 1:
            raise errors.WireRefused(errors.LOG_NOT_CANONICAL, "log")
        litres.append(volume - 1)
    if encode(litres, phase, priors) != bytes(data):
        raise errors.WireRefused(errors.LOG_NOT_CANONICAL, "log")
    return litres
