"""A valve on a pipe: the truth that the meter's opinion of its valve is checked against.

The motor takes seconds; the end stop speaks when it arrives. Water flows in every position but fully closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import link
from .clock import SECOND_US
from .world import Timer, World

TRAVEL_US = {link.MOTOR_OPEN: 6 * SECOND_US, link.MOTOR_CLOSE: 8 * SECOND_US}
_ALREADY_THERE_US = SECOND_US // 5
_ENDS = {link.MOTOR_OPEN: link.END_OPEN, link.MOTOR_CLOSE: link.END_CLOSED}


class Valve:
    """Position, motor and end stops of one valve.

    `arrived(end, moved)` is called when an end stop is reached; `moved` is False when it is the one it left.
    """

    def __init__(
        self, world: World, arrived: Callable[[int, bool], None], travel_us: Mapping[int, int] = TRAVEL_US
    ) -> None:
        self.position = link.END_OPEN
        self._last_end = link.END_OPEN
        self.closures = 0
        self.reopenings = 0
        self._world = world
        self._arrived = arrived
        self._travel_us = travel_us
        self._moving: Timer | None = None

    @property
    def lets_water_through(self) -> bool:
        """False only when fully closed."""
        return self.position != link.END_CLOSED

    def drive(self, command: int) -> None:
        """The meter drives or stops the motor (link.MOTOR_…). A stopped valve stays between its ends."""
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None
        if command == link.MOTOR_STOP:
            return
        end = _ENDS[command]
        travel_us = _ALREADY_THERE_US if self.position == end else self._travel_us[command]
        if self.position != end:
            self.position = link.END_NONE
        self._moving = self._world.after(travel_us, self._reach, end)

    def _reach(self, end: int) -> None:
        self._moving = None
        self.position = end
        moved, self._last_end = end != self._last_end, end
        if moved:
            self.closures += end == link.END_CLOSED
            self.reopenings += end == link.END_OPEN
        self._arrived(end, moved)
