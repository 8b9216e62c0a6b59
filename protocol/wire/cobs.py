"""COBS: bytes without a zero in them, so that a zero ends a frame on a serial line (S. Cheshire and M. Baker, 1999).

A block is its length plus one and then its bytes; between two blocks stands a zero that is not sent, unless the first
is full (254 bytes). What does not decode is dropped without a word: noise on a line is nobody's question.
"""

from protocol.compat import const

DELIMITER = b"\x00"
_BLOCK_MAX = const(254)


def encode(data: bytes) -> bytes:
    """`data` without zeros; the delimiter is not part of it."""
    out = b""
    rest = bytes(data)
    while True:
        end = rest.find(DELIMITER)
        length = len(rest) if end < 0 else end
        if length >= _BLOCK_MAX:
            out += b"\xff" + rest[:_BLOCK_MAX]
            rest = rest[_BLOCK_MAX:]
            if not rest:
                return out
            continue
        out += bytes([length + 1]) + rest[:length]
        if end < 0:
            return out
        rest = rest[length + 1 :]


def decode(encoded: bytes) -> "bytes | None":
    """What was encoded, or None for bytes that are no encoding."""
    out = b""
    at = 0
    while at < len(encoded):
        length = encoded[at] - 1
        block = encoded[at + 1 : at + 1 + length]
        if length < 0 or len(block) < length or DELIMITER in block:
            return None
        out += block
        at += 1 + length
        if length < _BLOCK_MAX and at < len(encoded):
            out += DELIMITER
    return out


class Decoder:
    """Takes a serial line's bytes as they come and gives frames; never holds more than the longest one."""

    def __init__(self, bytes_max: int) -> None:
        """`bytes_max`: of a decoded frame."""
        self.bytes_max = bytes_max
        self.encoded_max = bytes_max + bytes_max // _BLOCK_MAX + 1
        self.held = bytearray()
        self.too_long = False

    def feed(self, data: bytes) -> "list[bytes]":
        """The whole frames that `data` ends. Empty ones, broken ones and those beyond the limit are dropped."""
        frames: "list[bytes]" = []
        parts = bytes(data).split(DELIMITER)
        self._hold(parts[0])
        for part in parts[1:]:
            self._end(frames)
            self._hold(part)
        return frames

    def _hold(self, part: bytes) -> None:
        if self.too_long or len(self.held) + len(part) > self.encoded_max:
            self.too_long = True
            self.held = bytearray()
        else:
            self.held.extend(part)

    def _end(self, frames: "list[bytes]") -> None:
        decoded = None if self.too_long or not self.held else decode(bytes(self.held))
        self.too_long = False
        self.held = bytearray()
        if decoded is not None and len(decoded) <= self.bytes_max:
            frames.append(decoded)
