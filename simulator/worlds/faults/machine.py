"""The headend's machine: killed before or after any commit, down for days, put back to a backup of before, its disk
full, its nightly work late.

What was acknowledged is never lost by a kill, an outage or a full disk: they excuse nothing. A restore loses what was
committed after its backup; the providers tell their payments again and the office does its acts again, and then money
and counters are as if nothing had been. The words of a meter to the old books may be gone with them ("rows").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import MINUTE_US
from ...headend_within import Down
from ...prng import Stream
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, of_all

if TYPE_CHECKING:
    from ..life import Life

_ASK_AGAIN_US = 7 * MINUTE_US
AGES_MIN = (1, 60, DAY_MIN, 7 * DAY_MIN)
_UNDOABLE = ("renew", "swap", "retire", "rekey")


def _kill(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    """a: which commit from now on; b: 1 just after it is durable, 0 just before; c: minutes until it runs again."""
    if life.office.up:
        life.down_us = fault.c * MINUTE_US
        life.office.kill_at(fault.a, bool(fault.b))


def _down(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    """a: minutes without a headend."""
    if life.office.up:
        life.down_us = fault.a * MINUTE_US
        life.office.close()
        life.headend_died()


def _draw_restores(dice: Stream, homes: int, days: int) -> list[Fault]:
    """a: minutes from the backup to the restore; b: 1 with the high-water file, 0 when it went with the machine."""
    drawn = of_all("headend_restored", 1, (0, len(AGES_MIN) - 1), (0, 1))(dice, homes, days)
    ages = [AGES_MIN[fault.a] for fault in drawn]
    return [fault._replace(a=min(age, dice.between(1, age))) for fault, age in zip(drawn, ages, strict=True)]


def _restore(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    number, backed_us = fault.at_us, life.world.now_us
    restores = life.office.restores

    def due() -> None:
        done = [what for at_us, what, _ in life.acts if at_us >= backed_us]
        if life.office.restores != restores or any(what in _UNDOABLE for what in done):
            life.office.forget(number)
            life.saw["restore not done"] += 1
        elif not life.office.up:
            life.world.after(_ASK_AGAIN_US, due)
        else:
            life.saw["listed after a restore"] += life.office.restore(number, bool(fault.b))
            for home in life.homes:
                home.excused.setdefault("rows", fault.kind)
            life.tell("restored", None)
            _do_again(life, backed_us)

    if life.office.up:
        life.office.back_up(number)
        life.later(fault.a * MINUTE_US, due)


def _do_again(life: Life, backed_us: int) -> None:
    """The providers' statements come again, shuffled; so do reversals, and the acts of the office in their order."""
    since_us = backed_us - 2 * life.down_us
    dice = life.streams.named(f"statement/{backed_us}")
    told = [one for one in life.till.payments if one.paid_us >= since_us or one.answered_us >= backed_us]
    for payment in dice.shuffled(told):
        life.notify(payment)
    for at_us, _, act in list(life.acts):
        if at_us >= backed_us and act is not None:
            life.do_again(act)


def _fill(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    """a: minutes in which no page more fits on the disk."""
    if not life.office.up:
        return
    try:
        life.office.fill_disk(True)
    except Down:
        return
    life.office.disk_full = True

    def room() -> None:
        if life.office.up and life.office.disk_full:
            life.office.fill_disk(False)
            life.office.disk_full = False
            life.air.push(life.office.settle_unanswered())
            life.air.forward_kept()

    life.later(fault.a * MINUTE_US, room)
    life.mended(room)


def _late(life: Life, fault: Fault, _home: WorldHome | None) -> None:
    """a: minutes in which nobody works off what has fallen due."""
    life.no_work_until_us = max(life.no_work_until_us, life.world.now_us + fault.a * MINUTE_US)


MACHINE = (
    Kind("headend_killed", of_all("headend_killed", 6, (1, 60), (0, 1), (1, 120)), _kill, 2),
    Kind("headend_down", of_all("headend_down", 1, (5, 5 * DAY_MIN)), _down),
    Kind("headend_restored", _draw_restores, _restore, 4),
    Kind("disk_full", of_all("disk_full", 2, (10, 2 * DAY_MIN)), _fill, 4),
    Kind("late_work", of_all("late_work", 2, (6 * 60, 9 * DAY_MIN)), _late),
)
