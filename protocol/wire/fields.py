"""Checks and fixed-width records that all messages share; each refusal names the field.

A table is flat, a row of items for each field: its name, its greatest value, and in records of fixed width its bits.
A tuple for each row would take three times the room in a meter's heap.
"""

from protocol import errors
from protocol.compat import TYPE_CHECKING
from protocol.wire.limits import SLOT_MAX

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


def require_integers(values: "Any", table: "tuple[Any, ...]", message: str, row: int = 2) -> "list[int]":
    """`values` if they are exactly the integers of `table`, whose rows have `row` items. Raises WireRefused."""
    if len(values) * row != len(table):
        raise errors.WireRefused(errors.FIELD_COUNT, message)
    return [require_integer(value, table[at * row + 1], table[at * row]) for at, value in enumerate(values)]


def require_positive(value: int, field: str) -> None:
    """Refuse 0, for a field whose 0 would mean nothing. Raises WireRefused."""
    if value < 1:
        raise errors.WireRefused(errors.FIELD_RANGE, field)


def require_range(first_slot: int, slots: int) -> None:
    """Refuse a range of no slot, or one that ends beyond the last slot number. Raises WireRefused."""
    if not 1 <= slots <= SLOT_MAX + 1 - first_slot:
        raise errors.WireRefused(errors.FIELD_RANGE, "slots")


def pack_fixed(values: "Any", table: "tuple[Any, ...]", message: str) -> bytes:
    """The checked integers of a record one after another, each big endian in its bits. Raises WireRefused."""
    packed = 0
    for at, value in enumerate(require_integers(values, table, message, 3)):
        packed = packed << table[at * 3 + 2] | value
    return packed.to_bytes(_bits(table) // 8, "big")


def unpack_fixed(data: bytes, table: "tuple[Any, ...]", message: str) -> "list[int]":
    """The inverse of `pack_fixed`; refuses another length and values beyond their limits. Raises WireRefused."""
    left = _bits(table)
    if len(data) * 8 != left:
        raise errors.WireRefused(errors.FIELD_LENGTH, message)
    packed = int.from_bytes(data, "big")
    values = []
    for at in range(2, len(table), 3):
        left -= table[at]
        values.append(packed >> left & (1 << table[at]) - 1)
    return require_integers(values, table, message, 3)


def _bits(table: "tuple[Any, ...]") -> int:
    """The bits of a whole record."""
    return sum([table[at] for at in range(2, len(table), 3)])
