"""Which promise a fault may break, and for whom: what a checker does not demand of a home that was struck by it.

A promise is demanded of everybody else, and of this home everything that is not named here. The names are the checks'
(I1 to I25) and three parts of them that are narrower than a whole rule:

    litres   the counter shows exactly what left the pipe
    slots    each half-hour of the books holds the litres of the true half-hour
    valve    the valve does what its motor is told
    silent   the meter may never speak again, so it cannot come to agree
"""

from __future__ import annotations

from collections.abc import Iterable

_POWER = frozenset({"slots", "I9"})
_CLOCK = frozenset({"slots"})
_VALVE = frozenset({"valve", "I9", "litres"})
_PULSES = frozenset({"litres", "I9", "slots"})
_FLASH = frozenset({"slots", "I9", "I6", "I8"})

# By the kind's name, or by the first word of it.
EXCUSES: dict[str, frozenset[str]] = {
    "power": _POWER,
    "clock": _CLOCK | _POWER,
    "valve": _VALVE,
    "pulse": _PULSES,
    "flash": _FLASH | _CLOCK,
}


def excuses(kinds: Iterable[str]) -> frozenset[str]:
    """What is not demanded of a home that these kinds of fault struck."""
    found: set[str] = set()
    for kind in kinds:
        found |= EXCUSES.get(kind, EXCUSES.get(kind.split("_")[0], frozenset()))
    return frozenset(found)
