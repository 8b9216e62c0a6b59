"""A second meter with the same flash and keys: somewhere else, on another pipe, with another antenna.

From the first frame of either that the other one did not hear of, nobody can say whose counters are true: nothing of
this wallet may be demanded ("wallet"), but that the clone is told, within two uplinks of both having spoken. Then the
technician comes with another wallet and root key, and from there on everything holds again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import DAY_US, MINUTE_US
from ...meter_in_memory import MeterInMemory
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, seldom

if TYPE_CHECKING:
    from ..life import Life

NUMBER_FROM = 1_000


def _clone(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes between the copying and its first day elsewhere; b: which household; c: minutes until it is found."""
    if not home.meter.running or any(twin.number == NUMBER_FROM + home.number for twin in life.twins):
        return
    twin = _twin_of(life, home, fault.b)

    def appear() -> None:
        if home.retired or twin.retired or home.meter_id != twin.meter_id or life.world.now_us >= life.scenario.ends_us:
            return
        home.excused.setdefault("wallet", fault.kind)
        life.tell("clone", twin)
        twin.power_on()
        twin.begin_slot()

    def found() -> None:
        if not twin.retired:
            twin.power_off()
            twin.lives, twin.retired = False, True
            if twin.boots and not home.retired:
                life.renew(home)

    life.later(fault.a * MINUTE_US, appear)
    life.later(fault.a * MINUTE_US + fault.c * MINUTE_US + DAY_US, found)
    life.mended(found)


def _twin_of(life: Life, home: WorldHome, household: int) -> WorldHome:
    meter = MeterInMemory(home.meter.name + " twin", "")
    meter.files.content = {path: bytearray(content) for path, content in home.meter.files.content.items()}
    meter.eeprom.content[:] = home.meter.eeprom.content
    number = NUMBER_FROM + home.number
    plan = home.plan._replace(household=household)
    twin = WorldHome(number, plan, life.world, life.streams.named(f"taps/{number}"), meter, life)
    twin.meter_id, twin.customer_number = home.meter_id, home.customer_number
    twin.hung, twin.pulses_from_l = list(home.hung), home.pulses_from_l
    twin.counted_l = twin.pipe_l = home.counted_l
    twin.reverse_l, twin.valve.at_permille = home.reverse_l, home.valve.at_permille
    life.twins.append(twin)
    return twin


CLONES = (Kind("clone", seldom("clone", 1, (0, 3 * DAY_MIN), (0, 99), (0, 5 * DAY_MIN)), at_home(_clone), 6),)
