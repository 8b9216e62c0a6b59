"""What the counter shows and what flowed are not the same: contacts that bounce or miss, air, water that runs back, a
magnet on the case.

The truth that a meter can know is `counted_l`; what left the pipe is `pipe_l`. Only the latter is excused: V is the
counter's, to the pulse. Backflow takes nothing from V.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import link
from ...clock import MINUTE_US
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, often, seldom

if TYPE_CHECKING:
    from ..life import Life


def _bounce(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: pulses that nothing flowed for."""
    home.count(fault.a)


def _miss(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: litres that flow and are not counted, where the valve lets them through."""
    if home.valve.lets_water_through:
        home.pipe_l += fault.a


def _reverse(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: litres that run back through the meter."""
    home.reverse_l += fault.a
    home.sense(link.reverse_pulses(home.reverse_l))


def _air(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: pulses of air within an instant."""
    home.count(fault.a)


def _tamper(life: Life, fault: Fault, home: WorldHome) -> None:
    """The case is open; c: minutes of it. A policy may close the valve for it."""

    def shut() -> None:
        home.case_open = False
        home.sense(link.tamper(False))

    home.case_open = True
    home.sense(link.tamper(True))
    life.later(fault.c * MINUTE_US, shut)
    life.mended(shut)


PULSES = (
    Kind("bounce", often("bounce", 2, (1, 6)), at_home(_bounce)),
    Kind("missed", often("missed", 2, (1, 9)), at_home(_miss)),
    Kind("backflow", often("backflow", 1, (1, 30)), at_home(_reverse)),
    Kind("air", often("air", 1, (5, 120)), at_home(_air)),
    Kind("tampered", seldom("tampered", 3, (0, 0), (0, 0), (1, 2 * DAY_MIN)), at_home(_tamper)),
)
