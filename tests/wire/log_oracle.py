"""The log encoder written a second time from docs/SPEC.md §9 alone, with one unbounded integer instead of carries."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from re import MULTILINE, findall

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text()
PRIORS = bytes.fromhex("".join(findall(r"^    ([0-9a-f]{32})$", SPEC, MULTILINE)))
CLASSES = [(volume, 0) for volume in range(1, 21)] + [
    *((21, 2), (25, 3), (33, 4), (49, 4), (65, 6), (129, 7), (257, 8), (513, 9)),
    *((1025, 10), (2049, 11), (4097, 12), (8193, 16)),
]


def encode(litres: Sequence[int], phase: int) -> bytes:
    """The bytes of a log: the shortest fraction within the final interval, as digits to the base 256."""
    entries = [16 * prior for prior in PRIORS]
    low, span, digits = 0, 2**24, 3  # the interval [low, low + span) in units of 256^-digits
    for kind, index, value in steps(litres, phase):
        if kind == "bit":
            bound = (span >> 12) * entries[index]
            if value:
                low, span = low + bound, span - bound
                entries[index] -= entries[index] >> 4
            else:
                span = bound
                entries[index] += (4096 - entries[index]) >> 4
        else:
            span >>= index
            low += span * value
        while span < 2**16:
            low, span, digits = low << 8, span << 8, digits + 1
    for length in range(digits + 1):
        unit = 256 ** (digits - length)
        value = -(-low // unit)
        if value * unit < low + span:
            return value.to_bytes(length, "big") if length else b""
    raise AssertionError("an interval is never empty")


def steps(litres: Sequence[int], phase: int) -> Iterator[tuple[str, int, int]]:
    """("bit", entry, bit) and ("plain", width, value) for each slot."""
    before = last = 0
    for offset, volume in enumerate(litres):
        half_hour = (phase + offset) % 48
        yield "bit", 4 * (half_hour // 6) + 2 * before + last, int(volume > 0)
        before, last = last, int(volume > 0)
        if not volume:
            continue
        number = max(place for place, (base, _) in enumerate(CLASSES) if base <= volume)
        node = 1
        for bit in f"{number:05b}":
            yield "bit", 32 + node, int(bit)
            node = 2 * node + int(bit)
        base, width = CLASSES[number]
        if width > 8:
            yield "plain", 8, (volume - base) >> (width - 8)
            yield "plain", width - 8, (volume - base) % 2 ** (width - 8)
        elif width:
            yield "plain", width, volume - base
