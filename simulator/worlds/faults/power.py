"""The power of a meter: cut at the n-th operation on its flash, torn or not, and again while it boots; taken for hours;
reset a hundred times; gone while the motor runs; a battery that ends.

No litre and no mill is excused: all are there afterwards. While a meter is without power its
counter counts on, so its litres stand in the half-hour in which the power is back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import link
from ...clock import MINUTE_US, SECOND_US
from ..home import BATTERY_MV, WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, often, seldom

if TYPE_CHECKING:
    from ..life import Life

_STORM_EVERY_US = 6 * SECOND_US


def _cut(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: the flash operation from now on before which the power goes; b: 1 when that operation is torn."""
    home.sense(link.cut_power(fault.a, fault.b))


def _cut_boot(life: Life, fault: Fault, home: WorldHome) -> None:
    """A reset; a: the operation of the boot at which the power goes; b: torn; c: the same in the boot after it."""
    if home.meter.running:
        if fault.c:
            life.world.after(MINUTE_US, home.at_next_boot.append, link.cut_power(fault.c, fault.b))
        home.reset(link.cut_power(fault.a, fault.b))


def _outage(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes without power."""
    home.power_off()
    life.world.after(fault.a * MINUTE_US, life.power_back, home)


def _storm(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: resets in a row, a few seconds apart: a watchdog, or a supply that breaks down under load."""
    for number in range(fault.a):
        life.world.after(number * _STORM_EVERY_US, _reset, home)


def _reset(home: WorldHome) -> None:
    if home.meter.running:
        home.reset()


def _brown_out(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: milliseconds after each of the next b starts of the motor the power goes; c: seconds until it is back.

    A valve that stands half-way lets water through until then ("bound")."""

    def moves() -> None:
        life.world.after(fault.a * SECOND_US // 1000, go)

    def go() -> None:
        home.power_off()
        life.world.after(fault.c * SECOND_US, life.power_back, home)

    home.excused.setdefault("bound", fault.kind)
    home.on_motor += [moves] * fault.b


def _battery(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: millivolts that are left; c: minutes until there is a new one."""

    def new() -> None:
        home.battery_mv = BATTERY_MV
        home.sense(link.battery(BATTERY_MV))

    home.battery_mv = fault.a
    home.sense(link.battery(fault.a))
    life.later(fault.c * MINUTE_US, new)
    life.mended(new)


POWER = (
    Kind("power_cut", often("power_cut", 2, (1, 40), (0, 1)), at_home(_cut)),
    Kind("boot_cut", often("boot_cut", 1, (1, 12), (0, 1), (0, 12)), at_home(_cut_boot)),
    Kind("power_outage", often("power_outage", 1, (1, 3_000)), at_home(_outage)),
    Kind("reset_storm", seldom("reset_storm", 1, (5, 100)), at_home(_storm)),
    Kind("brown_out", often("brown_out", 1, (1, 9_000), (1, 3), (1, 600)), at_home(_brown_out)),
    Kind("battery", seldom("battery", 2, (2_400, 3_050), (0, 0), (60, 10 * DAY_MIN)), at_home(_battery)),
)
