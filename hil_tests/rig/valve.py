"""The pipe and the valve at the meter's pins (FEATURES B7): the simulator's valve, whose leak drips and whose wires can
be swapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator import link
from simulator.clock import HOUR_US, MINUTE_US
from simulator.valve import TRAVEL_US, Journey, Valve
from simulator.world import Timer, World

_LITRE_ML = 1000
_MINUTES = HOUR_US // MINUTE_US
_OPPOSITE = {link.MOTOR_OPEN: link.MOTOR_CLOSE, link.MOTOR_CLOSE: link.MOTOR_OPEN}


class PipeValve(Valve):
    """Faults are sentences: `stick`, `jam_at`, `slow_down`, `mute_ends`, `break_stem` and `heal` of the simulator, and
    `leaks`, `is_wired_backwards` of this one. `drips(litres)` is called for water that comes through the closed valve.
    """

    def __init__(
        self,
        world: World,
        arrived: Callable[[int, bool], None],
        drips: Callable[[int], None],
        travel_us: Mapping[int, int] = TRAVEL_US,
    ) -> None:
        super().__init__(world, arrived, travel_us)
        self.commands: list[int] = []
        self._drips = drips
        self._backwards = False
        self._drop: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Truly open to its end."""
        return self.position == link.END_OPEN and self.lets_water_through

    @property
    def is_closed(self) -> bool:
        """Truly closed; it may leak all the same."""
        return not self.lets_water_through

    def leaks(self, per_minute: int) -> None:
        """Closed, it lets so many litres a minute through."""
        self.leak_by(per_minute * _LITRE_ML * _MINUTES)
        self._wait_for_a_drop()

    def is_wired_backwards(self) -> None:
        """The motor turns the wrong way; the end stops tell the truth."""
        self._backwards = True

    def heal(self) -> None:
        """As new; it stands where it stood."""
        super().heal()
        self._backwards = False

    def loses_power(self) -> None:
        """The motor rests where it is."""
        super().drive(link.MOTOR_STOP)

    def drive(self, command: int) -> None:
        """The meter drives or stops the motor."""
        self.commands.append(command)
        super().drive(command)

    def start(self, command: int, now_us: int) -> Journey:
        """The motor turns, the way it is wired."""
        return super().start(_OPPOSITE[command] if self._backwards else command, now_us)

    def _reach(self, stop: int) -> None:
        super()._reach(stop)
        self._wait_for_a_drop()

    def _wait_for_a_drop(self) -> None:
        if self._drop is None and self.leak_by_ml_per_h and self.is_closed:
            self._drop = self._world.after(HOUR_US * _LITRE_ML // self.leak_by_ml_per_h, self._fall)

    def _fall(self) -> None:
        self._drop = None
        if self.is_closed and self.leak_by_ml_per_h:
            self._drips(1)
            self._wait_for_a_drop()
