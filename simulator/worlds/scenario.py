"""A world before it begins: everything that is drawn from its seed, as values. Playing it throws no more dice about
what goes wrong and when, so a part of it can be left out and the rest is the same story (shrink.py)."""

from __future__ import annotations

from typing import NamedTuple

from ..clock import DAY_US


class Link(NamedTuple):
    """The air of one home, per mille and microseconds; `late_max_us` is how long a frame may be on its way."""

    loss_up: int = 0
    loss_down: int = 0
    duplicate: int = 0
    reorder: int = 0
    late_max_us: int = 0


CLEAR = Link()


class HomePlan(NamedTuple):
    """One home. `household` is an index into the data; `pays_minor` what it pays when less than `below_mills` is left;
    `first_minor` what it pays before it moves in. `bearer` is one of headend_within's numbers."""

    household: int
    link: Link
    bearer: int
    report_slots: int
    first_minor: int
    pays_minor: int
    below_mills: int
    looks_at_hours: tuple[int, ...]


class Fault(NamedTuple):
    """One thing that goes wrong, or is done, at one instant. `home` is its number from 1, 0 for the whole world; what
    `a`, `b` and `c` mean is told beside the kind (faults/)."""

    at_us: int
    kind: str
    home: int = 0
    a: int = 0
    b: int = 0
    c: int = 0


class Scenario(NamedTuple):
    """One seed's world. After `days` nothing goes wrong any more, and everybody must come to agree."""

    seed: int
    profile: str
    days: int
    homes: tuple[HomePlan, ...]
    faults: tuple[Fault, ...]

    @property
    def ends_us(self) -> int:
        """When the faults stop."""
        return self.days * DAY_US
