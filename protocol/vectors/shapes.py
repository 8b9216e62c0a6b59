"""The shape of each message as the tables of the code give it: faults.py makes faults of it, so none is left out."""

from collections.abc import Callable
from typing import Any, NamedTuple

from protocol.wire import cbor, downlinks, messages, parts, uplinks
from protocol.wire.envelope import DOWN, UP
from protocol.wire.limits import SLOT_MAX, U8_MAX

# Fields whose 0 would mean nothing.
POSITIVE = {"Result": {"id"}, "Command": {"id"}, "Gap": {"slots"}, "NackRange": {"slots"}}
LAST_RANGE = SLOT_MAX + 1 - U8_MAX


class Sequence(NamedTuple):
    """Integers in CBOR, flat or as an array inside `around`: `table` gives each name and greatest value."""

    message: str
    direction: int
    type: int
    table: tuple[Any, ...]
    around: Callable[[list[bytes]], bytes]

    @property
    def items(self) -> list[bytes]:
        """The fields at their greatest; a range then ends at the last slot."""
        return [cbor.encode(LAST_RANGE if name == "first_slot" else most) for name, _, most in self.fields]

    @property
    def fields(self) -> list[tuple[str, int, int]]:
        """(name, least, greatest) of each field."""
        positive = POSITIVE.get(self.message, set())
        return [
            (name, int(name in positive), most) for name, most in zip(self.table[::2], self.table[1::2], strict=True)
        ]


class Record(NamedTuple):
    """Fields of fixed width: `table` gives each name, greatest value and bits; between `before` and `after`."""

    message: str
    direction: int
    type: int
    table: tuple[Any, ...]
    before: bytes = b""
    after: bytes = b""

    @property
    def fields(self) -> list[tuple[str, int, int, int]]:
        """(name, least, greatest, bits) of each field."""
        positive = POSITIVE.get(self.message, set())
        rows = zip(self.table[::3], self.table[1::3], self.table[2::3], strict=True)
        return [(name, int(name in positive), most, bits) for name, most, bits in rows]


def _array(items: list[bytes]) -> bytes:
    """The items as one array."""
    return cbor.head(4, len(items)) + b"".join(items)


_SOME_EVENT = cbor.encode([1, 2, 3, 4])

SEQUENCES = (
    Sequence("EventEntry", UP, messages.UP_EVENT, uplinks.EVENT_ENTRY, lambda items: _SOME_EVENT + _array(items)),
    Sequence("Device", UP, messages.UP_DEVICE, uplinks.DEVICE, b"".join),
    Sequence("Statement", DOWN, messages.DOWN_STATEMENT, downlinks.STATEMENT, b"".join),
    Sequence("Time", DOWN, messages.DOWN_TIME, downlinks.TIME, b"".join),
    Sequence("NackRange", DOWN, messages.DOWN_NACK, downlinks.NACK_RANGE, lambda items: b"\x01" + _array(items)),
    Sequence("Command", DOWN, messages.DOWN_COMMAND, downlinks.COMMAND, b"".join),
)

RECORDS = (
    Record("Day", UP, messages.UP_DAY, uplinks.LOG_HEAD),
    Record("Range", UP, messages.UP_RANGE, uplinks.LOG_HEAD, after=b"\x01"),
    Record("Anchor", UP, messages.UP_ANCHOR, uplinks.ANCHOR),
    Record("Gap", UP, messages.UP_GAP, uplinks.GAP),
    Record("Result", UP, messages.UP_EXTENDED, uplinks.RESULT, bytes([messages.UP_KIND_RESULT])),
    Record("Progress", UP, messages.UP_EXTENDED, uplinks.PROGRESS, bytes([messages.UP_KIND_UPDATE])),
    Record("Tariff", DOWN, messages.DOWN_TARIFF, parts.PACK_HEAD, after=b"\x00\x01"),
    Record("Policy", DOWN, messages.DOWN_POLICY, parts.PACK_HEAD, after=b"\x00\x01"),
    Record("Plan", DOWN, messages.DOWN_PLAN, parts.PACK_HEAD, after=b"\x00\x01"),
    Record("Opening", DOWN, messages.DOWN_EXTENDED, downlinks.OPENING, bytes([messages.DOWN_KIND_OPENING])),
    Record("Rekey", DOWN, messages.DOWN_EXTENDED, downlinks.REKEY, bytes([messages.DOWN_KIND_REKEY])),
    Record(
        *("Fragment", DOWN, messages.DOWN_EXTENDED, downlinks.FRAGMENT_HEAD),
        *(bytes([messages.DOWN_KIND_UPDATE]), b"\x00"),
    ),
)
