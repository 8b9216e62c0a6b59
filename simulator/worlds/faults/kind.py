"""What a kind of fault is: a name, how it is drawn from the seed, and how it strikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ...prng import Stream
from ..scenario import Fault

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life

Draw = Callable[[Stream, int, int], list[Fault]]
Strike = Callable[["Life", Fault, "WorldHome | None"], None]


class Kind(NamedTuple):
    """`draw(dice, homes, days)` gives the faults of this kind in one world; `strike(life, fault, home)` does one."""

    name: str
    draw: Draw
    strike: Strike
