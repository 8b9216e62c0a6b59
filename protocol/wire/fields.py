"""Checks and fixed-width reads that all messages share; each refusal names the field."""

from protocol import errors
from protocol.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def require_integer(value: "Any", most: int, field: str) -> int:
    """`value` if it is an integer of 0..most. Raises WireRefused."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.WireRefused(errors.FIELD_TYPE, field)
    if not 0 <= value <= most:
        raise errors.WireRefused(errors.FIELD_RANGE, field)
    return value


def require_bytes(value: "Any", least: int, most: int, field: str) -> bytes:
    """`value` if it is a byte string of least..most bytes. Raises WireRefused."""
    if not isinstance(value, (bytes, bytearray)):
        raise errors.WireRefused(errors.FIELD_TYPE, field)
    if not least <= len(value) <= most:
        raise errors.WireRefused(errors.FIELD_LENGTH, field)
    return bytes(value)


def require_integers(values: "Any", table: "tuple[tuple[str, int], ...]", message: str) -> "list[int]":
    """`values` if they are exactly the integers of `table`, a row (field, greatest value) each. Raises WireRefused."""
    if len(values) != len(table):
        raise errors.WireRefused(errors.FIELD_COUNT, message)
    return [require_integer(values[index], table[index][1], table[index][0]) for index in range(len(table))]


def pack_fixed(values: "Any", table: "tuple[tuple[str, int], ...]", widths: "tuple[int, ...]", message: str) -> bytes:
    """The checked integers of a record, each big endian in its width in bytes. Raises WireRefused."""
    numbers = require_integers(values, table, message)
    return b"".join([numbers[index].to_bytes(widths[index], "big") for index in range(len(widths))])


def unpack_fixed(
    data: bytes, table: "tuple[tuple[str, int], ...]", widths: "tuple[int, ...]", message: str
) -> "list[int]":
    """The inverse of `pack_fixed`; refuses another length and values beyond their limits. Raises WireRefused."""
    values = []
    at = 0
    for width in widths:
        values.append(int.from_bytes(data[at : at + width], "big"))
        at += width
    if at != len(data):
        raise errors.WireRefused(errors.FIELD_LENGTH, message)
    return require_integers(values, table, message)
