"""The air: a time of loss that is worse one way than the other, bursts, months of darkness, frames that come days
late, everything twice, and a gateway that swallows the answers. Nothing here excuses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import HOUR_US, MINUTE_US
from ...headend_within import HTTP, LORAWAN, UDP
from ..home import WorldHome
from ..scenario import Fault, Link
from .kind import DAY_MIN, Kind, at_home, often, seldom

if TYPE_CHECKING:
    from ..life import Life


def _loss(life: Life, fault: Fault, home: WorldHome) -> None:
    """a, b: per mille lost on the way up and down; c: minutes of it."""
    _for_a_while(life, home, home.plan.link._replace(loss_up=fault.a, loss_down=fault.b), fault.c)


def _late(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: per mille of frames that come late; b: by up to so many hours; c: minutes of it."""
    _for_a_while(life, home, home.plan.link._replace(reorder=fault.a, late_max_us=fault.b * HOUR_US), fault.c)


def _twice(life: Life, fault: Fault, home: WorldHome) -> None:
    """Two gateways hear everything, and both forward it; c: minutes of it."""
    _for_a_while(life, home, home.plan.link._replace(duplicate=1000), fault.c)


def _for_a_while(life: Life, home: WorldHome, bad: Link, minutes: int) -> None:
    def over() -> None:
        if home.link is bad:
            home.link = home.plan.link

    home.link = bad
    life.later(minutes * MINUTE_US, over)


def _dark(life: Life, fault: Fault, home: WorldHome) -> None:
    """c: minutes in which nothing is heard either way."""

    def light() -> None:
        if home.dark_until_us <= life.world.now_us:
            home.dark = False

    home.dark = True
    home.dark_until_us = max(home.dark_until_us, life.world.now_us + fault.c * MINUTE_US)
    life.world.at(home.dark_until_us, light)


def _steal(life: Life, fault: Fault, home: WorldHome) -> None:
    """A rogue gateway forwards over another way and swallows the answers; a: which way; c: minutes of it."""

    def over() -> None:
        life.air.stolen.pop(home.number, None)

    life.air.stolen[home.number] = (UDP, HTTP, LORAWAN)[fault.a]
    life.later(fault.c * MINUTE_US, over)
    life.mended(over)


RADIO = (
    Kind("loss", often("loss", 2, (0, 950), (0, 950), (30, 10 * DAY_MIN)), at_home(_loss)),
    Kind("dark", seldom("dark", 3, (0, 0), (0, 0), (60, 90 * DAY_MIN)), at_home(_dark)),
    Kind("lateness", often("lateness", 1, (100, 1000), (1, 72), (60, 5 * DAY_MIN)), at_home(_late)),
    Kind("two_gateways", seldom("two_gateways", 3, (0, 0), (0, 0), (60, 9 * DAY_MIN)), at_home(_twice)),
    Kind("rogue_gateway", seldom("rogue_gateway", 2, (0, 2), (0, 0), (30, 3 * DAY_MIN)), at_home(_steal)),
)
