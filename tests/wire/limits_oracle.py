"""The limits of docs/SPEC.md written down a second time, so that the code's own table is not its judge."""

from typing import Any

U8, U16, U24, U32, U40, U53 = (2**bits - 1 for bits in (8, 16, 24, 32, 40, 53))

GREATEST: dict[str, tuple[int, ...]] = {
    "Day": (3, 2**14 - 1, U16, U24, 63, 63, 15, U8),
    "Range": (3, 2**14 - 1, U16, U24, 63, 63, 15, U8),
    "Poll": (),
    "EventEntry": (U32, U32, U8, U53),
    "Anchor": (U24, U40, U53, U53, U53, U53, 3, 9999, U8),
    "Device": (U32, U32, U32, U24, U16, U16, U16, U32, U8, U16, U32, U32, U8, U8),
    "Statement": (U32, U53, U53, U32, U24),
    "Time": (U32, U32),
    "Opening": (U32, U40, U32, U16, U16, U24, U53, U53, U32),
}


def holds(message: Any) -> bool:
    """Whether every field of `message` lies within the limits."""
    name = type(message).__name__
    if name == "Event":
        return 1 <= len(message.events) <= 4 and all(holds(entry) for entry in message.events)
    if name == "Pack":
        whole = (message.index, message.count) == (0, 1) and 1 <= len(message.chunk) <= 34
        return whole and within((message.version, message.from_slot), (U16, U24))
    if name in ("Day", "Range"):
        count_holds = len(message.litres) == 48 if name == "Day" else 1 <= len(message.litres) <= 255
        return (
            count_holds
            and within(message.litres, (U16,) * len(message.litres))
            and within(message[:-1], GREATEST[name])
        )
    return within(message, GREATEST[name])


def within(values: Any, greatest: tuple[int, ...]) -> bool:
    """Whether `values` are integers of 0 to the greatest of each."""
    return len(values) == len(greatest) and all(
        type(value) is int and 0 <= value <= most for value, most in zip(values, greatest, strict=True)
    )
