"""The pipe, tap and valve around one meter on a table, over a clock in microseconds that the table reads.

Water is counted in nanolitres, because a flow of so many millilitres a second is as many nanolitres a microsecond. The
counter gives a pulse each time its own weight has passed; whether the meter was told that weight is another matter.
Nothing here waits: `advance` says what has happened by now, `due_us` when it is worth asking again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from . import link
from .clock import SECOND_US
from .valve import ValveBody

# Quicker than a valve in the field, so that a table need not wait; slower than what a meter takes for a stall.
TRAVEL_US = {link.MOTOR_OPEN: 2 * SECOND_US, link.MOTOR_CLOSE: 5 * SECOND_US // 2}
NL_PER_ML = 1_000_000
_ML_PER_L = 1000
_NL_PER_ML_H_US = 3600  # ml/h for so many microseconds make one nanolitre


class EndStop(NamedTuple):
    """The valve's drive has come to an end (link.END_…)."""

    stop: int


class Pulses(NamedTuple):
    """The counter now stands there."""

    count: int


class TapShut(NamedTuple):
    """A tap was open for so much and gave so much; `into` is the word that opened it."""

    into: str
    asked_ml: int
    came_ml: int


Happening = EndStop | Pulses | TapShut


class Pipe:
    """`weight_l` is what a pulse truly is; `pulses` where the counter stands."""

    def __init__(self, weight_l: int, pulses: int, now_us: int, travel_us: Mapping[int, int] = TRAVEL_US) -> None:
        self.valve = ValveBody(travel_us)
        self.pulses = pulses
        self._weight_nl = weight_l * _ML_PER_L * NL_PER_ML
        self._partial_nl = 0
        self._now_us = now_us
        self._arrival: tuple[int, int] | None = None  # at, stop
        self._tap: list[int] | None = None  # asked, left (both nl), ml a second
        self._into = ""
        self._leak_rest = 0

    @property
    def tap_is_open(self) -> bool:
        """Whether somebody draws water."""
        return self._tap is not None

    def drive(self, command: int, now_us: int) -> None:
        """The meter drives or stops the motor (link.MOTOR_…)."""
        self._arrival = None
        if command == link.MOTOR_STOP:
            self.valve.stop(now_us)
            return
        journey = self.valve.start(command, now_us)
        if journey.lasts_us is not None:
            self._arrival = now_us + journey.lasts_us, journey.stop

    def open_tap(self, into: str, millilitres: int, ml_per_s: int, now_us: int) -> None:
        """Somebody lets so much run, at that rate; a tap that was open is shut."""
        self._now_us = now_us
        self._into = into
        self._tap = [millilitres * NL_PER_ML, millilitres * NL_PER_ML, ml_per_s]

    def advance(self, now_us: int) -> list[Happening]:
        """All that has happened since it was last asked, in order."""
        happened: list[Happening] = []
        if self._arrival is not None and now_us >= self._arrival[0]:
            at_us, stop = self._arrival
            happened += self._flow(at_us)
            self._arrival = None
            self.valve.stop(at_us)
            happened.append(EndStop(stop))
        return happened + self._flow(now_us)

    def due_us(self, now_us: int) -> int | None:
        """When something happens next; None: never, as things stand."""
        moments = [] if self._arrival is None else [self._arrival[0]]
        missing_nl = self._weight_nl - self._partial_nl
        if self._tap is not None:
            missing_nl = min(missing_nl, self._tap[1])
            moments.append(now_us + missing_nl // self._tap[2] + 1)
        elif self._leaks:
            moments.append(now_us + missing_nl * _NL_PER_ML_H_US // self.valve.leak_by_ml_per_h + 1)
        return min(moments, default=None)

    @property
    def _leaks(self) -> bool:
        return bool(self.valve.leak_by_ml_per_h) and not self.valve.lets_water_through

    def _flow(self, until_us: int) -> list[Happening]:
        during_us, self._now_us = max(0, until_us - self._now_us), max(until_us, self._now_us)
        if self._leaks:
            leaked = self.valve.leak_by_ml_per_h * during_us + self._leak_rest
            self._leak_rest = leaked % _NL_PER_ML_H_US
            self._partial_nl += leaked // _NL_PER_ML_H_US
        return self._turn_counter() + (self._run(during_us) if self._tap is not None else [])

    def _run(self, during_us: int) -> list[Happening]:
        assert self._tap is not None
        asked, left, rate = self._tap
        came = min(left, rate * during_us) if self.valve.lets_water_through else 0
        self._tap[1] = left - came
        self._partial_nl += came
        happened = self._turn_counter()
        if not self._tap[1] or not self.valve.lets_water_through:
            happened.append(TapShut(self._into, asked // NL_PER_ML, (asked - self._tap[1]) // NL_PER_ML))
            self._tap = None
        return happened

    def _turn_counter(self) -> list[Happening]:
        turned, self._partial_nl = divmod(self._partial_nl, self._weight_nl)
        self.pulses += turned
        return [Pulses(self.pulses)] if turned else []
