"""A meter in the heat: its clock runs on a tuning-fork crystal, which is slow when it is hot (CT-31).

Such a crystal is right at its turnover temperature, about 25 °C, and loses about 34 parts in a thousand million for the
square of each kelvin away from it: 69 in a million at 70 °C, six seconds a day. `InHeat` stands between a world and any
of its meters: the world's time goes in, the crystal's time reaches the meter, and the instant at which the meter wants
to be woken comes back in the world's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from . import link
from .meter_process import NEVER_US, Spoken

_WHOLE_PPB = 1_000_000_000


class Crystal:
    """Slower by `coefficient_ppb` for the square of each kelvin away from `turnover_c10` (tenths of a degree)."""

    def __init__(self, coefficient_ppb: int = 34, turnover_c10: int = 250) -> None:
        self.coefficient_ppb, self.turnover_c10 = coefficient_ppb, turnover_c10

    def slower_ppb(self, c10: int) -> int:
        """How much slower than at its best it runs."""
        return self.coefficient_ppb * (c10 - self.turnover_c10) ** 2 // 100


class _Meter(Protocol):
    """What this needs of a meter: simulator.meter_process says what each means."""

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken: ...
    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken: ...
    def kill(self) -> None: ...
    def dispose(self) -> None: ...


class InHeat:
    """Any meter, with a crystal in place of the world's clock. `temperature(now_us)` is in tenths of a degree; the
    meter is told it only where it has a thermometer, which reads `reads_c10` too much."""

    def __init__(
        self,
        meter: _Meter,
        temperature: Callable[[int], int],
        crystal: Crystal,
        *,
        thermometer: bool = True,
        reads_c10: int = 0,
    ) -> None:
        self.meter = meter
        self._temperature, self._crystal = temperature, crystal
        self._thermometer, self._reads_c10 = thermometer, reads_c10
        self._world_us = self._crystal_us = 0

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on; the crystal shows what the world's clock shows."""
        self._world_us = self._crystal_us = now_us
        return self._in_world_time(self.meter.start(now_us, [*self._sensed(now_us), *records]))

    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken:
        """The crystal runs on at the mean of its rates then and now, and so does the meter."""
        elapsed_us = now_us - self._world_us
        lost_us = elapsed_us * (self._slower_ppb(self._world_us) + self._slower_ppb(now_us)) // (2 * _WHOLE_PPB)
        self._world_us, self._crystal_us = now_us, self._crystal_us + elapsed_us - lost_us
        return self._in_world_time(self.meter.advance(self._crystal_us, [*self._sensed(now_us), *records]))

    def kill(self) -> None:
        """Cut the power."""
        self.meter.kill()

    def dispose(self) -> None:
        """Cut the power for good."""
        self.meter.dispose()

    def _slower_ppb(self, now_us: int) -> int:
        return self._crystal.slower_ppb(self._temperature(now_us))

    def _sensed(self, now_us: int) -> list[bytes]:
        return [link.temperature(self._temperature(now_us) + self._reads_c10)] if self._thermometer else []

    def _in_world_time(self, spoken: Spoken) -> Spoken:
        """The same with its deadline in the world's time. Too early is no harm: the meter asks again."""
        if spoken.deadline_us >= NEVER_US:
            return spoken
        waits_us = max(spoken.deadline_us - self._crystal_us, 0)
        rate_ppb = _WHOLE_PPB - self._slower_ppb(self._world_us)
        return spoken._replace(deadline_us=self._world_us + max(-(-waits_us * _WHOLE_PPB // rate_ppb), 1))
