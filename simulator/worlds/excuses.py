"""Which promise a fault may break, and for whom: what a judge does not demand of a home that was struck by it.

Everything is demanded of everybody else, and of this home all that is not named here. The names are narrower than a
rule, so that a fault never silences one whole:

    by_slot  each half-hour of the books holds the litres of the true half-hour
    detail   the half-hours, and so the block and the day that each litre is charged in, are what they were
    wallet   the counters of this wallet go on: it ends, and money meets again in the next one
    rows     what the books once held, and had told of, is in them for ever
    closed   a valve that tells that it is shut is shut
    open     a valve that tells that it is open lets water through
    bound    after the credit has ended no more flows than while the valve turns

A strike may name more (`WorldHome.excused`), where only it knows whether it was one.
"""

from __future__ import annotations

from collections.abc import Iterable

_UNPOWERED = frozenset({"by_slot", "bound"})

# By the first word of the kind's name: water that flows without power is told in the half-hour after it.
OF_ALL: dict[str, frozenset[str]] = {
    **dict.fromkeys(("power", "boot", "reset", "brown", "battery"), _UNPOWERED),
    **dict.fromkeys(("bit", "rot", "state", "keepsake", "flash", "old"), _UNPOWERED),
    "clock": frozenset({"by_slot"}),
    **dict.fromkeys(("valve", "stem", "pipe"), frozenset({"bound"})),
}


def excuses(kinds: Iterable[str]) -> frozenset[str]:
    """What is not demanded of a home that these kinds of fault struck."""
    return frozenset().union(*(OF_ALL.get(kind.split("_")[0], frozenset()) for kind in kinds))
