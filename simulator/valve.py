"""A valve on a pipe, whole or broken: the truth that the meter's opinion of its valve is checked against.

The motor takes seconds; the end stop speaks when it arrives, and the motor's current says when it stalls. Water flows
in every position but fully closed. `ValveBody` is the mechanics alone, in microseconds of whoever asks, so that a rig
in lock-step or in wall time can use it; `Valve` puts one into a simulated world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from . import link
from .clock import HOUR_US, SECOND_US
from .world import Timer, World

TRAVEL_US = {link.MOTOR_OPEN: 6 * SECOND_US, link.MOTOR_CLOSE: 8 * SECOND_US}
# How long the motor pushes against an end, or against what holds it, before its current tells.
STALL_US = SECOND_US // 5
_ENDS = {link.MOTOR_OPEN: link.END_OPEN, link.MOTOR_CLOSE: link.END_CLOSED}
_OPEN, _CLOSED = 0, 1000  # permille of the way from open to closed


class Journey(NamedTuple):
    """How a motor that is started now ends: in so many microseconds, at `stop` (link.END_…), or never (None)."""

    lasts_us: int | None
    stop: int


class ValveBody:
    """Position, stem and ends of one valve. Faults are switched on and off by sentences; `heal` ends them all."""

    def __init__(self, travel_us: Mapping[int, int] = TRAVEL_US) -> None:
        self.at_permille = _OPEN
        self.leak_by_ml_per_h = 0
        self._travel_us = travel_us
        self._slowness_percent = 100
        self._jammed_permille: int | None = None
        self._is_stuck = self._is_mute = self._is_blocked = False
        self._broken_passes: bool | None = None
        self._moving: tuple[int, int, int] | None = None  # command, since, from permille

    # Faults ---------------------------------------------------------------------------------------------------------
    def stick(self) -> None:
        """The ball is seized where it stands: the motor stalls at once, in both directions."""
        self._is_stuck = True

    def jam_at(self, permille: int) -> None:
        """Grit in the seat: on its way from open (0) to closed (1000) the motor stalls there."""
        self._jammed_permille = permille

    def slow_down(self, percent: int) -> None:
        """Grease has dried: a journey takes so many per cent of its time."""
        self._slowness_percent = percent

    def mute_ends(self) -> None:
        """The wire of the end stops is cut and no current is told: a motor runs until it is stopped."""
        self._is_mute = True

    def break_stem(self, passes: bool) -> None:
        """The drive turns and its ends speak, the ball does not turn any more: it passes water, or never does."""
        self._broken_passes = passes

    def leak_by(self, millilitres_per_hour: int) -> None:
        """Closed, it lets so much through."""
        self.leak_by_ml_per_h = millilitres_per_hour

    def block_pipe(self) -> None:
        """Scale or a closed cock before the meter: no water in any position."""
        self._is_blocked = True

    def heal(self) -> None:
        """As new; it stands where it stood."""
        self._slowness_percent, self.leak_by_ml_per_h = 100, 0
        self._jammed_permille = self._broken_passes = None
        self._is_stuck = self._is_mute = self._is_blocked = False

    # Water ----------------------------------------------------------------------------------------------------------
    @property
    def position(self) -> int:
        """link.END_OPEN, END_CLOSED, or END_NONE between them: where the drive stands."""
        if self._moving is not None and self._reached(self._target(self._moving[0])) != self.at_permille:
            return link.END_NONE
        return {_OPEN: link.END_OPEN, _CLOSED: link.END_CLOSED}.get(self.at_permille, link.END_NONE)

    @property
    def lets_water_through(self) -> bool:
        """What a tap can draw; a leak-by is not meant."""
        if self._is_blocked:
            return False
        return self._broken_passes if self._broken_passes is not None else self.position != link.END_CLOSED

    def leaked_ml(self, during_us: int) -> int:
        """What came through the closed valve in that time, besides what taps drew."""
        if self._is_blocked or self.lets_water_through:
            return 0
        return self.leak_by_ml_per_h * during_us // HOUR_US

    # Motor ----------------------------------------------------------------------------------------------------------
    def start(self, command: int, now_us: int) -> Journey:
        """The motor is driven from now on, as long as `stop` is not called; a motor that runs already is turned."""
        self.stop(now_us)
        end, target = _ENDS[command], self._target(command)
        reached = self._reached(target)
        way = abs(reached - self.at_permille)
        self._moving = (command, now_us, self.at_permille)
        if self._is_mute:
            return Journey(None, link.END_NONE)
        lasts_us = way * self._us_per_permille(command) if way else STALL_US
        return Journey(lasts_us, end if reached == target else link.END_NONE)

    def stop(self, now_us: int) -> None:
        """The motor rests; the valve stays where it came to by now."""
        if self._moving is None:
            return
        command, since_us, from_permille = self._moving
        reached = self._reached(self._target(command))
        gone = min(abs(reached - from_permille), (now_us - since_us) // self._us_per_permille(command))
        self.at_permille = from_permille + gone if reached > from_permille else from_permille - gone
        self._moving = None

    @staticmethod
    def _target(command: int) -> int:
        return _CLOSED if command == link.MOTOR_CLOSE else _OPEN

    def _us_per_permille(self, command: int) -> int:
        return max(1, self._travel_us[command] * self._slowness_percent // 100 // _CLOSED)

    def _reached(self, target: int) -> int:
        """How far a journey to `target` comes."""
        if self._is_stuck:
            return self.at_permille
        jam = self._jammed_permille
        if jam is not None and target == _CLOSED:
            return max(jam, self.at_permille)
        return target


class Valve(ValveBody):
    """A valve in a world: `arrived(end, moved)` is called when an end stop is reached or the motor stalls (END_NONE).

    `moved` is False when the end is the one it left.
    """

    def __init__(
        self, world: World, arrived: Callable[[int, bool], None], travel_us: Mapping[int, int] = TRAVEL_US
    ) -> None:
        super().__init__(travel_us)
        self.closures = 0
        self.reopenings = 0
        self._last_end = link.END_OPEN
        self._world = world
        self._arrived = arrived
        self._arrival: Timer | None = None

    def drive(self, command: int) -> None:
        """The meter drives or stops the motor (link.MOTOR_…). A stopped valve stays between its ends."""
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        if command == link.MOTOR_STOP:
            self.stop(self._world.now_us)
            return
        journey = self.start(command, self._world.now_us)
        if journey.lasts_us is not None:
            self._arrival = self._world.after(journey.lasts_us, self._reach, journey.stop)

    def _reach(self, stop: int) -> None:
        self._arrival = None
        self.stop(self._world.now_us)
        moved = stop not in (self._last_end, link.END_NONE)
        if moved:
            self._last_end = stop
            self.closures += stop == link.END_CLOSED
            self.reopenings += stop == link.END_OPEN
        self._arrived(stop, moved)
