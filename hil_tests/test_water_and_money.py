"""From a blank flash to paid water, against a real headend: boot, uplink, top-up, zero, and the power in between."""

from __future__ import annotations

from hil_tests.rig.bench import Meter
from hil_tests.rig.office import Office
from hil_tests.rig.valve import PipeValve
from protocol.wire.messages import UP_ANCHOR, UP_DEVICE

HALF_HOUR_S, HOUR_S = 1_800, 3_600


def test_a_new_meter_says_who_it_is_and_why_it_started(meter: Meter, headend: Office) -> None:
    told = meter.reads()
    assert (told["boot_count"], told["safe_mode"], told["bad_copies"], told["opened"]) == (1, 0, 0, 1)
    assert meter.ear.messages(UP_ANCHOR) and meter.ear.messages(UP_DEVICE)
    assert meter.ear.device().reset_cause == 1
    assert headend.reading().volume_l == 0


def test_what_is_drawn_is_in_the_books_to_the_mill(meter: Meter, headend: Office) -> None:
    """CT-04: every pulse is a litre, on the meter and in the books."""
    headend.top_up(500)
    meter.press()
    meter.lives(60)
    meter.pulses(40)
    meter.lives(2 * HALF_HOUR_S)
    assert meter.draws(25) == 25
    meter.lives(2 * HOUR_S)
    told = meter.reads()
    assert told["volume_l"] == meter.delivered_l == 65
    assert told["credited_mills"] == 500_000
    assert headend.differs_from(told) == {}
    assert headend.cases() == ()


def test_zero_closes_and_a_top_up_opens(meter: Meter, valve: PipeValve, headend: Office) -> None:
    """CT-06: the tap runs dry at zero, to the litre, and a payment brings the water back by itself."""
    headend.top_up(10)
    meter.press()
    meter.lives_until(meter.has_paid_water, within_s=60)
    drawn_l = meter.draws(100)
    assert valve.is_closed
    assert meter.reads()["balance_mills"] <= 0
    assert drawn_l == meter.delivered_l < 100
    meter.lives(60)
    assert meter.draws(5) == 0
    headend.top_up(500)
    meter.press()
    assert meter.lives_until(meter.has_paid_water, within_s=60) <= 33
    assert meter.draws(20) == 20
    meter.lives(HOUR_S)
    assert headend.differs_from(meter.reads()) == {}
    assert headend.cases() == ()


def test_a_dead_meter_counts_on_and_forgets_nothing(meter: Meter, headend: Office) -> None:
    headend.top_up(500)
    meter.press()
    meter.lives(60)
    meter.pulses(40)
    before = meter.reads()
    meter.cut_power()
    meter.delivered_l += 7
    meter.lives(HOUR_S)
    meter.power_on()
    after = meter.reads()
    assert (after["boot_count"], after["volume_l"]) == (before["boot_count"] + 1, 47)
    assert after["credited_mills"] == 500_000
    meter.lives(HOUR_S)
    assert headend.differs_from(meter.reads()) == {}
    assert headend.cases() == ()
