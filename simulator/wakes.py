"""When each meter wants to be woken. Meters due at the same instant run side by side, and are heard in a fixed order.

At the edge of a half-hour every meter of a town closes its slot at once. They cannot influence each other in that
instant, so each is granted the time before the first is listened to; what they say is taken in the order of their
numbers, as if they had run one after another.
"""

from __future__ import annotations

from typing import Protocol

from .world import World


class Sleeper(Protocol):
    """A home whose meter sleeps until its deadline."""

    number: int

    def wake(self) -> None:
        """Grant the meter the present time; do not wait for it."""

    def listen(self) -> None:
        """Wait until it sleeps again and take what it said."""


class Wakes:
    """The deadlines of all meters of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._deadline_us: dict[int, int] = {}
        self._sleepers: dict[int, Sleeper] = {}
        self._asked_us: set[int] = set()

    def ask(self, sleeper: Sleeper, deadline_us: int) -> None:
        """Wake it then, and not at what it asked for before."""
        self._sleepers[sleeper.number] = sleeper
        self._deadline_us[sleeper.number] = deadline_us
        if deadline_us not in self._asked_us:
            self._asked_us.add(deadline_us)
            self._world.at(deadline_us, self._ring, deadline_us)

    def forget(self, sleeper: Sleeper) -> None:
        """It has no power: wake it no more."""
        self._deadline_us.pop(sleeper.number, None)

    def _ring(self, time_us: int) -> None:
        self._asked_us.discard(time_us)
        due = [self._sleepers[number] for number in sorted(self._deadline_us) if self._deadline_us[number] == time_us]
        for sleeper in due:
            sleeper.wake()
        for sleeper in due:
            sleeper.listen()
