"""What several targets ask of what a parser gave."""

from typing import Any


def alike(first: Any, second: Any) -> bool:
    """Equal in value and in kind, all the way down: True is not 1 here."""
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(alike, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        pairs = zip(first.items(), second.items(), strict=False)
        return len(first) == len(second) and all(alike(one, other) for one, other in pairs)
    return type(first) is type(second) and first == second


def text_of(data: bytes) -> str:
    """Any text that a command line or a header can hold: bytes that are no UTF-8 stand as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")
