"""The power of a meter: cut at the n-th operation on its flash, torn or not; taken for hours; clocks that lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import link
from ...clock import DAY_US, MINUTE_US
from ...prng import Stream
from ..home import WorldHome
from ..scenario import Fault
from .kind import Kind

if TYPE_CHECKING:
    from ..life import Life


def _draw_cuts(dice: Stream, homes: int, days: int) -> list[Fault]:
    """a: the flash operation from now on before which the power goes; b: 1 when that operation is torn."""
    return [
        Fault(dice.below(days * DAY_US), "power_cut", dice.between(1, homes), dice.between(1, 40), dice.below(2))
        for _ in range(dice.between(1, 2 * homes))
    ]


def _cut(life: Life, fault: Fault, home: WorldHome | None) -> None:
    assert home is not None
    home.sense(link.cut_power(fault.a, fault.b))


def _draw_outages(dice: Stream, homes: int, days: int) -> list[Fault]:
    """a: minutes without power."""
    return [
        Fault(dice.below(days * DAY_US), "power_outage", dice.between(1, homes), dice.between(1, 3_000))
        for _ in range(dice.between(1, homes))
    ]


def _outage(life: Life, fault: Fault, home: WorldHome | None) -> None:
    assert home is not None
    home.power_off()
    life.world.after(fault.a * MINUTE_US, life.power_back, home)


POWER = (Kind("power_cut", _draw_cuts, _cut), Kind("power_outage", _draw_outages, _outage))
