"""The limits of docs/SPEC.md written down a second time, so that the code's own table is not its judge."""

from itertools import pairwise
from typing import Any

U8, U16, U24, U32, U40, U53 = (2**bits - 1 for bits in (8, 16, 24, 32, 40, 53))

GREATEST: dict[str, tuple[int, ...]] = {
    "Day": (3, 2**14 - 1, U16, U24, 63, 63, 15, U8),
    "Range": (3, 2**14 - 1, U16, U24, 63, 63, 15, U8),
    "Poll": (),
    "EventEntry": (U32, U32, U8, U53),
    "Anchor": (U24, U40, U53, U53, U53, U53, 3, 9999, U8),
    "Gap": (U24, U16, U40, U24, U53, U24, U53, U24, U32, 3, 9999, 63),
    "Device": (U32, U32, U32, U24, U16, U16, U16, U32, U8, U16, U32, U32, U8, U8),
    "Result": (U32, U8, U8, U32),
    "Progress": (U32, U24, U8, U8),
    "Statement": (U32, U53, U53, U32, U24),
    "Time": (U32, U32),
    "NackRange": (U24, U8),
    "Command": (U32, U32, U8, U32, U16),
    "Opening": (U32, U40, U32, U16, U16, U24, U53, U53, U32),
    "Rekey": (U32,),
    "Fragment": (U32, U24),
}
# Fields that are 1 or more, by message.
POSITIVE = {("Gap", "slots"), ("NackRange", "slots"), ("Result", "id"), ("Command", "id")}


def holds(message: Any) -> bool:
    """Whether every field of `message` lies within the limits."""
    name = type(message).__name__
    if name == "Event":
        return 1 <= len(message.events) <= 4 and all(holds(entry) for entry in message.events)
    if name == "Nack":
        return nack_holds(message)
    if name == "Fragment":
        return within(message[:2], GREATEST[name]) and len(message.chunk) <= 32
    if name == "Pack":
        return within((message.version, message.from_slot), (U16, U24)) and part_holds(message)
    if name in ("Day", "Range"):
        count_holds = len(message.litres) == 48 if name == "Day" else 1 <= len(message.litres) <= 255
        return (
            count_holds
            and within(message.litres, (U16,) * len(message.litres))
            and within(message[:-1], GREATEST[name])
        )
    if name == "Gap" and not ends_in_time(message.first_slot, message.slots):
        return False
    positive = all(getattr(message, field) > 0 for owner, field in POSITIVE if owner == name)
    return positive and within(message, GREATEST[name])


def ends_in_time(first_slot: int, slots: int) -> bool:
    """Whether a range has a slot and its last one has a number."""
    return slots >= 1 and first_slot + slots <= 2**24


def nack_holds(message: Any) -> bool:
    """1 to 4 ranges of 1 to 255 slots, each after the one before."""
    ranges = message.ranges
    apart = all(first[0] + first[1] <= second[0] for first, second in pairwise(ranges))
    each = all(within(one, (U24, U8)) and ends_in_time(*one) for one in ranges)
    return within((message.log_generation,), (U32,)) and 1 <= len(ranges) <= 4 and each and apart


def part_holds(pack: Any) -> bool:
    """A whole body of 1 to 34 bytes, or one of 2 to 8 chunks of 30 bytes, the last of 1 to 30."""
    if pack.count == 1:
        return pack.index == 0 and 1 <= len(pack.chunk) <= 34
    if not (2 <= pack.count <= 8 and 0 <= pack.index < pack.count and len(pack.hash4) == 4):
        return False
    if pack.index < pack.count - 1:
        return len(pack.chunk) == 30
    return (5 if pack.count == 2 else 1) <= len(pack.chunk) <= 30


def within(values: Any, greatest: tuple[int, ...]) -> bool:
    """Whether `values` are integers of 0 to the greatest of each."""
    return len(values) == len(greatest) and all(
        type(value) is int and 0 <= value <= most for value, most in zip(values, greatest, strict=True)
    )
