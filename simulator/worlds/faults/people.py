"""Technicians with a cable: another wallet for the same meter, another meter in its place, a meter taken away.

The registers are read, so all water is paid for. Of half-hours that the old wallet never told, detail is not to be
demanded ("detail"); where a meter was renewed or swapped, money continues in the new wallet with the balance of the
old. A meter that is taken away needs to agree no more (`retired`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import link
from ...clock import MINUTE_US
from ...meter_in_memory import MeterInMemory
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, seldom

if TYPE_CHECKING:
    from ..life import Life

_SPARES_FROM = 50_000_000


def _renew(life: Life, fault: Fault, home: WorldHome) -> None:
    """The root key may be known: another wallet of the same meter."""
    home.excused.setdefault("detail", fault.kind)
    life.renew(home)


def _swap(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes from hanging the spare to the office hearing of it; b: 1 when its OPENING is brought by cable."""
    old_id, new_id = home.meter_id, b"%08d" % (_SPARES_FROM + fault.at_us // MINUTE_US * 100 + home.number)
    hung: list[tuple[int, int]] = []

    def hang() -> None:
        registered = life.office.spare(old_id, new_id, home.plan.report_slots)
        if home.meter_id != old_id or home.retired or life.office.state_of(old_id) != "active":
            return
        home.excused.setdefault("detail", fault.kind)
        hung.append((life.now_slot, home.register_l))
        home.hang(MeterInMemory(str(home.number), registered.provision_hex), new_id, 0, True)
        life.world.after(min(fault.a * MINUTE_US, life.scenario.ends_us - life.world.now_us), tell)

    def tell() -> None:
        life.act("swap", home, swapped, again=False)

    def swapped() -> None:
        if life.office.state_of(new_id) != "spare":
            return
        frame = life.office.swap(old_id, new_id, hung[0][0], hung[0][1])
        if fault.b:
            home.sense(link.record(link.RADIO, frame))

    if not home.retired:
        life.act("spare", home, hang, again=False)


def _retire(life: Life, fault: Fault, home: WorldHome) -> None:
    """The home is given up: its meter is taken away."""

    def gone() -> None:
        life.office.retire(home.meter_id, home.register_l)
        home.power_off()
        home.lives, home.retired = False, True

    life.act("retire", home, gone, again=False)


PEOPLE = (
    Kind("renewal", seldom("renewal", 2), at_home(_renew), 5),
    Kind("swap", seldom("swap", 2, (0, 2 * DAY_MIN), (0, 1)), at_home(_swap), 4),
    Kind("retired", seldom("retired", 1), at_home(_retire), 8),
)
