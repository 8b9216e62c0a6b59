"""Valves that stick, are slow, jam, are mute, turn without moving the ball, leak, or stand behind a closed cock.

Water through a valve that cannot close is drawn and counted, and paid below zero where it must be: nobody may demand
that it is shut ("closed") or that it lets water through ("open"). What the meter counts is never excused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import MINUTE_US
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, OneStrike, at_home, seldom

if TYPE_CHECKING:
    from ..life import Life

_LEAK_STEP_US = 10 * MINUTE_US


def _broken(life: Life, fault: Fault, home: WorldHome) -> None:
    for demand in ("closed", "open"):
        home.excused.setdefault(demand, fault.kind)
    life.later(fault.c * MINUTE_US, home.valve.heal)


def _stick(life: Life, fault: Fault, home: WorldHome) -> None:
    """Seized where it stands; c: minutes until it is mended, as for all of these."""
    home.valve.stick()
    _broken(life, fault, home)


def _slow(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: per cent of its time that a journey takes."""
    home.valve.slow_down(fault.a)
    _broken(life, fault, home)


def _jam(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: per mille of the way to closed where grit holds it."""
    home.valve.jam_at(fault.a)
    _broken(life, fault, home)


def _mute(life: Life, fault: Fault, home: WorldHome) -> None:
    """Its end stops say nothing."""
    home.valve.mute_ends()
    _broken(life, fault, home)


def _stem(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: 1 when it passes water for ever, 0 when never."""
    home.valve.break_stem(bool(fault.a))
    _broken(life, fault, home)


def _block(life: Life, fault: Fault, home: WorldHome) -> None:
    """No water comes, whatever the valve does."""
    home.valve.block_pipe()
    _broken(life, fault, home)


def _leak(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: millilitres an hour through the closed seat."""
    home.valve.leak_by(fault.a)
    _broken(life, fault, home)
    rest_ml = [0]

    def drip() -> None:
        if not home.valve.leak_by_ml_per_h or home.retired or not life.safe:
            return
        litres, rest_ml[0] = divmod(rest_ml[0] + home.valve.leaked_ml(_LEAK_STEP_US), 1000)
        if litres:
            home.pipe_l += litres
            home.count(litres)
        life.world.after(_LEAK_STEP_US, drip)

    life.world.after(_LEAK_STEP_US, drip)


def _kind(name: str, a: tuple[int, int], strike: OneStrike) -> Kind:
    return Kind(name, seldom(name, 2, a, (0, 0), (60, 12 * DAY_MIN)), at_home(strike))


VALVES = (
    _kind("valve_stuck", (0, 0), _stick),
    _kind("valve_slow", (110, 400), _slow),
    _kind("valve_jammed", (0, 990), _jam),
    _kind("valve_mute", (0, 0), _mute),
    _kind("stem_broken", (0, 1), _stem),
    _kind("pipe_blocked", (0, 0), _block),
    _kind("valve_leaks", (100, 40_000), _leak),
)
