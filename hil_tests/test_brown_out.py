"""The power goes while the valve moves: at operations of the flash, in the middle of the travel, and by the wall clock.

The intent is on flash before the motor turns, so whatever was cut is finished after the next boot by itself: the valve
stands where the policy wants it, and neither a litre nor a franc is gone or twice (B7, CT-04).
"""

from __future__ import annotations

import itertools
import time

import pytest

from hil_tests.rig.bench import Meter
from hil_tests.rig.office import Office
from hil_tests.rig.valve import PipeValve
from simulator.prices import FIRST_BLOCK_MILLS_PER_L, STANDING_DAY_MILLS

OPERATIONS_MIN = 8  # a state is written twice, each by several operations
TRAVEL_CUTS_S = (0, 1, 3, 5)
WALL_CUTS_MS = (0, 1, 2, 4, 6, 8, 12, 16)
TOP_UP = 1  # F CFA: seven litres


def at_rest(meter: Meter, valve: PipeValve, *, closed: bool) -> None:
    """Power on; the meter makes the move that was cut without being told anything."""
    meter.power_on()
    meter.lives_until(lambda: valve.is_closed if closed else valve.is_open, within_s=60)


def nothing_lost(meter: Meter, paid: int) -> None:
    told = meter.reads()
    assert told["volume_l"] == meter.delivered_l
    assert told["credited_mills"] == paid * 1000
    assert told["spent_mills"] == STANDING_DAY_MILLS + meter.delivered_l * FIRST_BLOCK_MILLS_PER_L
    assert (told["safe_mode"], told["bad_copies"] <= 1) == (0, True)


def spend_to_the_last_litre(meter: Meter) -> None:
    while meter.shows().balance_mills > FIRST_BLOCK_MILLS_PER_L:
        meter.pulses(1)


def run_dry(meter: Meter, valve: PipeValve) -> None:
    """Pulses, one at a time, until the last one makes the meter act."""
    commands = len(valve.commands)
    for _ in range(20):
        meter.pulses(1)
        if meter.was_cut or len(valve.commands) > commands:
            return
    raise AssertionError("the meter did not act at zero")


def opened_with(meter: Meter, valve: PipeValve, headend: Office, minor: int) -> None:
    headend.top_up(minor)
    meter.press()
    meter.lives_until(meter.has_paid_water, within_s=60)


@pytest.mark.parametrize(("phase", "apart"), [("intent", 2), ("arrival", 4)])
def test_cut_at_flash_operations_of_a_move(
    meter: Meter, valve: PipeValve, headend: Office, phase: str, apart: int
) -> None:
    """The intent is written before the motor turns, the arrival after the end stop: no cut in either does harm.

    The cuts are some operations apart, clean and torn in turns; test_every_cut.py makes every cut both ways.
    """
    paid = 10
    opened_with(meter, valve, headend, paid)
    for operation, torn in zip(itertools.count(1, apart), itertools.cycle((False, True)), strict=False):
        spend_to_the_last_litre(meter)
        if phase == "intent":
            meter.cut_power_at(operation, torn=torn)
            run_dry(meter, valve)
        else:
            run_dry(meter, valve)
            meter.cut_power_at(operation, torn=torn)
            meter.lives(20)
        reached = meter.was_cut
        meter.cut_power()
        at_rest(meter, valve, closed=True)
        nothing_lost(meter, paid)
        if not reached:
            break
        paid += TOP_UP
        opened_with(meter, valve, headend, TOP_UP)
    assert operation > OPERATIONS_MIN
    meter.lives(3600)
    assert headend.differs_from(meter.reads()) == {}
    assert headend.cases() == ()


def test_cut_in_the_middle_of_the_travel(meter: Meter, valve: PipeValve, headend: Office) -> None:
    paid = 10
    opened_with(meter, valve, headend, paid)
    for passed_s in TRAVEL_CUTS_S:
        spend_to_the_last_litre(meter)
        run_dry(meter, valve)
        meter.lives(passed_s)
        meter.cut_power()
        assert not valve.is_closed
        at_rest(meter, valve, closed=True)
        nothing_lost(meter, paid)
        paid += TOP_UP
        headend.top_up(TOP_UP)
        meter.press()
        valve.commands.clear()
        meter.lives_until(lambda: bool(valve.commands), within_s=60)
        meter.lives(passed_s)
        meter.cut_power()
        assert not valve.is_open
        at_rest(meter, valve, closed=False)
        nothing_lost(meter, paid)


def test_cut_by_the_wall_clock_wherever_it_is_just_then(meter: Meter, valve: PipeValve, headend: Office) -> None:
    paid = 10
    opened_with(meter, valve, headend, paid)
    for wall_ms in WALL_CUTS_MS:
        spend_to_the_last_litre(meter)
        meter.pulses_and_dies(2, lambda wall_ms=wall_ms: time.sleep(wall_ms / 1000))
        at_rest(meter, valve, closed=True)
        nothing_lost(meter, paid)
        paid += TOP_UP
        opened_with(meter, valve, headend, TOP_UP)
    assert headend.cases() == ()
