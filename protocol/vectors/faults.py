"""Every way to get a message wrong: for each field its limits, its type and its width; for each message its length."""

from collections.abc import Iterator
from typing import NamedTuple

from protocol.vectors.shapes import RECORDS, SEQUENCES, Record, Sequence
from protocol.wire import cbor, downlinks, messages, parts, uplinks
from protocol.wire.envelope import DOWN, UP
from protocol.wire.limits import (
    BODY_MAX,
    MILLS_MAX,
    PACK_CHUNK,
    PACK_PARTS_MAX,
    U32_MAX,
    UPDATE_CHUNK_MAX,
    WHOLE_BODY_MAX,
)

# CBOR that is no integer in its one form.
NO_INTEGER = (
    ("a negative number", b"\x20"),
    ("true", b"\xf5"),
    ("null", b"\xf6"),
    ("bytes", b"\x40"),
    ("text", b"\x60"),
    ("an array", b"\x80"),
    ("a map", b"\xa0"),
    ("a tag", b"\xc0\x00"),
    ("a float", b"\xf9\x00\x00"),
    ("an indefinite length", b"\x1f"),
    ("a reserved head", b"\x1c"),
    ("a long head", b"\x18\x01"),
)


class Fault(NamedTuple):
    """A plaintext that must be refused: of which message, in which field ("" for the whole), and how."""

    message: str
    field: str
    fault: str
    direction: int
    type: int
    plaintext: bytes


def all_faults() -> Iterator[Fault]:
    """All of them."""
    for sequence in SEQUENCES:
        yield from sequence_faults(sequence)
    for record in RECORDS:
        yield from record_faults(record)
    yield from uplink_faults()
    yield from nack_faults()
    for name, pack_type in (
        ("Tariff", messages.DOWN_TARIFF),
        ("Policy", messages.DOWN_POLICY),
        ("Plan", messages.DOWN_PLAN),
    ):
        yield from part_faults(name, pack_type)
    yield from kind_faults()


def sequence_faults(shape: Sequence) -> Iterator[Fault]:
    """Each field beyond its limits, in each other type and cut; and one field fewer or more."""
    items = shape.items

    def fault(field: str, how: str, changed: list[bytes], cut: int = 0) -> Fault:
        whole = shape.around(changed)
        return Fault(shape.message, field, how, shape.direction, shape.type, whole[: len(whole) - cut])

    for at, (field, least, most) in enumerate(shape.fields):
        before, after = items[:at], items[at + 1 :]
        yield fault(field, "beyond its greatest", [*before, cbor.encode(most + 1), *after])
        yield fault(field, "of 2^64 - 1", [*before, cbor.encode(2**64 - 1), *after])
        if least:
            yield fault(field, "below its least", [*before, cbor.encode(least - 1), *after])
        for how, item in NO_INTEGER:
            yield fault(field, how, [*before, item, *after])
        yield fault(field, "missing", [*before, *after])
        yield fault(field, "cut", items, cut=len(b"".join(after)) + 1)
        if after:
            yield fault(field, "the last that is there", items, cut=len(b"".join(after)))
    yield fault("", "with a field too many", [*items, b"\x00"])
    yield fault("", "with a cut field too many", [*items, b"\x18"])
    yield fault("", "without a field", [])


def record_faults(shape: Record) -> Iterator[Fault]:
    """Each field beyond its limits where its bits allow it; and each shorter length, and a longer one."""
    width = sum(bits for *_, bits in shape.fields)

    def packed(replaced: str = "", value: int = 0) -> bytes:
        number = 0
        for name, least, _, bits in shape.fields:
            number = number << bits | (value if name == replaced else least)
        return shape.before + number.to_bytes(width // 8, "big") + shape.after

    def fault(field: str, how: str, plaintext: bytes) -> Fault:
        return Fault(shape.message, field, how, shape.direction, shape.type, plaintext)

    for field, least, most, bits in shape.fields:
        if most < 2**bits - 1:
            yield fault(field, "beyond its greatest", packed(field, most + 1))
            yield fault(field, "with every bit", packed(field, 2**bits - 1))
        if least:
            yield fault(field, "below its least", packed(field, least - 1))
    whole = packed()
    least_length = len(whole) - len(shape.after)
    for length in range(len(shape.before), least_length):
        yield fault("", f"of {length} bytes", whole[:length])
    if not shape.after and shape.message != "Day":
        yield fault("", f"of {len(whole) + 1} bytes", whole + b"\x00")


def uplink_faults() -> Iterator[Fault]:
    """Logs that are none, GAPs beyond the last slot, events without number, and a POLL with content."""
    head = bytes(10)
    dry = head + b"\x01"
    for name, kind, before in (("Day", messages.UP_DAY, head), ("Range", messages.UP_RANGE, dry)):
        yield Fault(name, "litres", "a zero byte at the end", UP, kind, before + b"\x00")
        yield Fault(name, "litres", "bytes that no log begins with", UP, kind, before + b"\xff" * 20)
        yield Fault(name, "", "longer than a frame", UP, kind, before + bytes(212 - len(before)))
    yield Fault("Range", "count", "missing", UP, messages.UP_RANGE, head)
    yield Fault("Range", "count", "below its least", UP, messages.UP_RANGE, head + b"\x00")
    gap = uplinks.encode_up(messages.Gap(0xFFFFFF, 1, *(0,) * 10))[1]
    yield Fault("Gap", "slots", "beyond the last slot", UP, messages.UP_GAP, gap[:3] + b"\x00\x02" + gap[5:])
    yield Fault("Gap", "instalments6", "with its seventh bit", UP, messages.UP_GAP, gap[:-1] + b"\x40")
    event = cbor.encode([1, 2, 3, 4])
    yield Fault("Event", "events", "of none", UP, messages.UP_EVENT, b"")
    yield Fault("Event", "events", "of five", UP, messages.UP_EVENT, event * 5)
    yield Fault("Event", "events", "of no array", UP, messages.UP_EVENT, bytes.fromhex("01020304"))
    yield Fault("Event", "events", "of an array in an array", UP, messages.UP_EVENT, b"\x81" + event)
    yield Fault("Event", "events", "of indefinite length", UP, messages.UP_EVENT, bytes.fromhex("9f01020304ff"))
    yield Fault("Poll", "", "that says something", UP, messages.UP_POLL, b"\x00")
    yield Fault("Device", "", "longer than a frame", UP, messages.UP_DEVICE, bytes(212))


def nack_faults() -> Iterator[Fault]:
    """Ranges that are none, too many, out of order or overlapping, and beyond the last slot."""

    def fault(field: str, how: str, *items: object) -> Fault:
        return Fault("Nack", field, how, DOWN, messages.DOWN_NACK, cbor.encode_sequence(items))

    yield fault("log_generation", "beyond its greatest", U32_MAX + 1, [1, 1])
    yield fault("log_generation", "missing", [1, 1], [2, 1])
    for how, item in NO_INTEGER:
        plaintext = item + cbor.encode([1, 1])
        yield Fault("Nack", "log_generation", how, DOWN, messages.DOWN_NACK, plaintext)
    yield fault("ranges", "of none", 1)
    yield fault("ranges", "of five", 1, *[[number, 1] for number in range(5)])
    yield fault("ranges", "of no array", 1, 2, 3)
    yield fault("ranges", "of an array in an array", 1, [[1, 1]])
    yield fault("ranges", "out of order", 1, [9, 1], [5, 1])
    yield fault("ranges", "twice the same", 1, [5, 1], [5, 1])
    yield fault("ranges", "overlapping", 1, [5, 3], [7, 1])
    yield fault("ranges", "beyond the last slot", 1, [0xFFFFFF, 2])
    yield Fault("Nack", "", "without a field", DOWN, messages.DOWN_NACK, b"")


def part_faults(name: str, pack_type: int) -> Iterator[Fault]:
    """Parts that no cutting makes, and chunks of another length than the cutting gives."""
    head = bytes.fromhex("0001000002")

    def fault(field: str, how: str, plaintext: bytes) -> Fault:
        return Fault(name, field, how, DOWN, pack_type, plaintext)

    def part(index: int, count: int, chunk: int) -> bytes:
        hash4 = b"hash" if count > 1 else b""
        return head + bytes([index << 4 | count - 1]) + hash4 + bytes(chunk)

    for count in range(1, PACK_PARTS_MAX + 1):
        yield fault("part", f"{count} of {count}", part(count, count, PACK_CHUNK))
        yield fault("part", f"15 of {count}", part(15, count, PACK_CHUNK))
    for count in range(PACK_PARTS_MAX + 1, 17):
        yield fault("part", f"0 of {count}", part(0, count, PACK_CHUNK))
    yield fault("part", "missing", head)
    yield fault("hash4", "missing", part(0, 2, 0)[:6])
    yield fault("hash4", "of three bytes", part(0, 2, 0)[:9])
    yield fault("chunk", "missing from a whole body", part(0, 1, 0))
    yield fault("chunk", f"of {WHOLE_BODY_MAX + 1} bytes in a whole body", part(0, 1, WHOLE_BODY_MAX + 1))
    for count in range(2, PACK_PARTS_MAX + 1):
        yield fault("chunk", f"one byte short in the first of {count}", part(0, count, PACK_CHUNK - 1))
        yield fault("chunk", f"missing from the last of {count}", part(count - 1, count, 0))
    yield fault("chunk", "one byte too long in the first of 2", part(0, 2, PACK_CHUNK + 1))
    yield fault("chunk", "so short that the body fits one frame", part(1, 2, WHOLE_BODY_MAX - PACK_CHUNK))


def kind_faults() -> Iterator[Fault]:
    """Kinds of EXTENDED that are not in use or say nothing, and none; a fragment and a STATEMENT too long."""
    for kind in (1, 2, 127, 255):
        yield Fault("ExtendedUp", "kind", f"{kind}", UP, messages.UP_EXTENDED, bytes([kind]) + bytes(10))
    for kind in (2, 3, 127, 255):
        yield Fault("ExtendedDown", "kind", f"{kind}", DOWN, messages.DOWN_EXTENDED, bytes([kind]) + bytes(4))
    yield Fault("ExtendedUp", "kind", "missing", UP, messages.UP_EXTENDED, b"")
    yield Fault("ExtendedDown", "kind", "missing", DOWN, messages.DOWN_EXTENDED, b"")
    fragment = downlinks.encode_down(messages.Fragment(1, 0, bytes(UPDATE_CHUNK_MAX)))[1]
    yield Fault("Fragment", "", "longer than a frame", DOWN, messages.DOWN_EXTENDED, fragment + b"\x00")
    statement = downlinks.encode_down(messages.Statement(1, MILLS_MAX, MILLS_MAX, 0, 0))[1]
    yield Fault("Statement", "", "longer than a frame", DOWN, messages.DOWN_STATEMENT, statement + bytes(41))


# Bodies for packs.jsonl: whole, the shortest and the longest in parts, and each number of parts.
BODY_LENGTHS = (1, WHOLE_BODY_MAX, WHOLE_BODY_MAX + 1, 60, 61, 90, 120, 121, 150, 180, 210, 239, BODY_MAX)


def wrong_parts() -> Iterator[tuple[str, tuple[messages.Pack, ...]]]:
    """(name, parts) of parts that are right one by one but make another body than their hash says."""
    right = parts.pack_parts(2, 120_048, bytes(range(75)))
    other = parts.pack_parts(2, 120_048, bytes(range(1, 76)))
    yield "two parts in the other's place", (right[1], right[0], right[2])
    yield "a part of another body", (right[0], other[1], right[2])
    yield "a part twice", (right[0], right[0], right[2])
    yield "a part missing", right[:2]
    yield "a hash that is none", tuple(part._replace(hash4=bytes(4)) for part in right)
