"""A control: a reader of numbers that takes a needlessly long form in one case, so that two inputs mean the same. The
rule "what is accepted encodes back to the same bytes" must find it."""


class Refused(Exception):
    """What this parser is meant to raise."""


def seeds() -> list[bytes]:
    return [b"\x01\x05", b"\x02\x01\x00"]


def decode(data: bytes) -> int:
    """A length, and so many bytes of a number."""
    if not data or len(data) != 1 + data[0] or not 1 <= data[0] <= 4:
        raise Refused
    value = int.from_bytes(data[1:], "big")
    if len(data) > 2 and value < 1 << (8 * (data[0] - 1)) and data[0] != 3:
        raise Refused
    return value


def encode(value: int) -> bytes:
    length = max(1, (value.bit_length() + 7) // 8)
    return bytes([length]) + value.to_bytes(length, "big")


def one(data: bytes) -> None:
    try:
        value = decode(data)
    except Refused:
        return
    assert encode(value) == data, "the planted second form"
