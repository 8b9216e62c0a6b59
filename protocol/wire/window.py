"""The replay window: which counters a frame may have and which were used (docs/SPEC.md, "Counter rebuild and window").

16 of a counter's 32 bits are on air. The receiver rebuilds the rest forward from the highest counter it has accepted,
checks the tag under each candidate, and only then asks the window (SEMANTICS D2). A window is a value: `accept` gives a
new one.
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING, const
from protocol.wire.limits import COUNTER_MAX

if TYPE_CHECKING:
    from typing import Iterator

SIZE = const(64)

# Windows of 2^16 counters that are tried after the first one (SEMANTICS D2).
EXTRA_WINDOWS_HEADEND = const(16)
EXTRA_WINDOWS_METER = const(2)

# highest: the highest accepted counter, −1 before the first; bitmap: bit i tells that counter highest − i was accepted.
Window = namedtuple("Window", ("highest", "bitmap"))

EMPTY = Window(-1, 0)


def candidates(window: Window, seq: int, extra_windows: int) -> "Iterator[int]":
    """The counters with the low 16 bits `seq`, nearest first: one from the window's start on, then `extra_windows`."""
    base = max(0, window.highest - SIZE + 1)
    counter = base + ((seq - base) & 0xFFFF)
    for _ in range(extra_windows + 1):
        if counter > COUNTER_MAX:
            return
        yield counter
        counter += 0x10000


def is_fresh(window: Window, counter: int) -> bool:
    """Whether `counter` was not accepted before and is not too old to tell."""
    if counter > window.highest:
        return True
    age = window.highest - counter
    return age < SIZE and not (window.bitmap >> age) & 1


def accept(window: Window, counter: int) -> Window:
    """The window after a fresh `counter` whose tag was right."""
    assert is_fresh(window, counter)
    if counter > window.highest:
        shift = counter - window.highest
        bitmap = (window.bitmap << shift) | 1 if shift < SIZE else 1
        return Window(counter, bitmap & 0xFFFFFFFFFFFFFFFF)
    return Window(window.highest, window.bitmap | (1 << (window.highest - counter)))
