"""A valve that fails at the meter's pins is found out, told, and never believed (FEATURES B7).

`tests/firmware` publishes how soon each fault is found; here the whole chain stands: pins, image, radio, books.
"""

from __future__ import annotations

import pytest

from hil_tests.rig.bench import Meter
from hil_tests.rig.office import Office
from hil_tests.rig.valve import PipeValve
from protocol.wire.event_codes import BACKFLOW, VALVE_LEAK_BY, VALVE_STUCK, VALVE_STUCK_OPEN
from protocol.wire.messages import VALVE_CLOSED, VALVE_FAULT

DAY_S, HOUR_S = 86_400, 3_600


@pytest.fixture
def a_few_litres(meter: Meter, valve: PipeValve, headend: Office) -> None:
    """The valve is open and the credit is good for five litres or so."""
    headend.top_up(6)
    meter.press()
    meter.lives_until(meter.has_paid_water, within_s=60)


def all_agree(meter: Meter, headend: Office) -> None:
    meter.lives(HOUR_S)
    told = meter.reads()
    assert told["volume_l"] == meter.delivered_l
    assert headend.differs_from(told) == {}


@pytest.mark.usefixtures("a_few_litres")
def test_a_valve_that_sticks_open_is_told_and_water_is_still_counted(
    meter: Meter, valve: PipeValve, headend: Office
) -> None:
    valve.stick()
    assert meter.draws(30) == 30
    meter.lives(20 * 60)
    assert VALVE_STUCK in meter.ear.events()
    assert meter.shows().valve == VALVE_FAULT
    assert meter.reads()["balance_mills"] < 0
    valve.heal()
    meter.lives_until(lambda: valve.is_closed, within_s=DAY_S + HOUR_S)
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_a_valve_that_sticks_shut_is_told_and_opens_when_it_is_free(
    meter: Meter, valve: PipeValve, headend: Office
) -> None:
    meter.draws(30)
    assert valve.is_closed
    valve.stick()
    headend.top_up(500)
    meter.press()
    meter.lives(20 * 60)
    assert valve.is_closed
    assert VALVE_STUCK in meter.ear.events()
    assert meter.shows().valve == VALVE_FAULT
    valve.heal()
    meter.lives_until(lambda: valve.is_open, within_s=DAY_S + HOUR_S)
    assert meter.draws(5) == 5
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_an_end_stop_that_lies_is_found_out_by_the_flow(meter: Meter, valve: PipeValve, headend: Office) -> None:
    """The stem is broken: the drive arrives at closed, the water runs on."""
    valve.break_stem(passes=True)
    assert meter.draws(60, seconds_each=5) == 60
    meter.lives(60)
    assert VALVE_STUCK_OPEN in meter.ear.events()
    assert meter.shows().valve == VALVE_FAULT
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_a_closed_valve_that_leaks_is_told_and_every_drop_is_counted(
    meter: Meter, valve: PipeValve, headend: Office
) -> None:
    valve.leaks(per_minute=3)
    meter.draws(30)
    assert valve.is_closed
    before_l = meter.delivered_l
    meter.lives(90)
    assert meter.delivered_l - before_l >= 4
    assert VALVE_LEAK_BY in meter.ear.events()
    valve.heal()
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_a_slow_valve_is_no_fault(meter: Meter, valve: PipeValve, headend: Office) -> None:
    valve.slow_down(200)
    meter.draws(60)
    assert valve.is_closed
    assert meter.shows().valve == VALVE_CLOSED
    assert VALVE_STUCK not in meter.ear.events()
    headend.top_up(500)
    meter.press()
    meter.lives_until(meter.has_paid_water, within_s=60)
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_a_valve_wired_backwards_is_never_said_to_be_closed(meter: Meter, valve: PipeValve, headend: Office) -> None:
    valve.is_wired_backwards()
    assert meter.draws(30) == 30
    meter.lives(20 * 60)
    assert VALVE_STUCK in meter.ear.events()
    assert meter.shows().valve == VALVE_FAULT
    all_agree(meter, headend)


@pytest.mark.usefixtures("a_few_litres")
def test_water_that_runs_back_is_told_survives_a_cut_and_moves_no_money(meter: Meter, headend: Office) -> None:
    meter.draws(3)
    before = meter.reads()
    meter.runs_back(10)
    meter.lives(HOUR_S)
    assert BACKFLOW in meter.ear.events()
    meter.cut_power()
    meter.power_on()
    after = meter.reads()
    assert after["reverse_l"] == 10
    money = ("volume_l", "spent_mills", "balance_mills")
    assert [after[name] for name in money] == [before[name] for name in money]
    all_agree(meter, headend)
