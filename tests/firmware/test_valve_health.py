"""FEATURES B7: what the meter knows of its valve and pipe by itself, and what it refuses to do to them."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.valve_scene import Home
from firmware.valve import MOVE_US_MAX
from protocol.rules.policy import NEVER_CLOSE_LOCK, NEW, TAMPER_CLOSES, Policy
from protocol.wire import event_codes
from simulator import link
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simulator.household import Household
from simulator.prng import Stream
from tests.firmware.rig import Rig, opening

Make = Callable[..., Rig]
NOBODY = Household("nobody", 0, ((0,) * 48,))
DAY, MONTH_S = 86_400, 30 * 86_400
UNKNOWN, PASSES, HOLDS = 0, 1, 2


def quiet_home(policy: Policy = NEW, credit_l: int = 1_000) -> Home:
    """Nobody draws water but the test. Midnight of the world is 23:00 of the meter's tariff."""
    home = Home(NOBODY, Stream(1, "quiet"), policy)
    home.pay(credit_l)
    home.run(MINUTE_US)
    home.draw(1)
    return home


def codes(home: Home) -> list[int]:
    return [one.code for one in home.noticed]


# Exercise -------------------------------------------------------------------------------------------------------------
def nights_later(home: Home, idle_s: int = MONTH_S) -> Home:
    """A day and a night go by; the valve has not moved for so long."""
    home.state.moved_s -= idle_s
    home.run(DAY_US + 6 * HOUR_US)
    return home


def test_a_valve_that_nothing_moved_for_a_month_is_eased_at_night_and_stands_open() -> None:
    home = nights_later(quiet_home())
    assert codes(home).count(event_codes.VALVE_EXERCISED) == 1
    assert (home.state.exercises, home.state.valve_moving, home.valve.position) == (1, 0, link.END_OPEN)
    easing, returning = home.starts_us[-2:]
    assert returning - easing == 2 * SECOND_US
    assert home.valve.closures == 0, "the water was never shut off"
    local_s = (home.noticed[-1].at_us // SECOND_US - 3600) % DAY
    assert 2 * 3600 <= local_s < 4 * 3600
    home.run(20 * DAY_US)
    assert home.state.exercises == 1
    home.run(12 * DAY_US)
    assert home.state.exercises == 2


def with_a_drip(home: Home) -> None:
    for half_hour in range(80):
        home.world.after(half_hour * 30 * MINUTE_US, home.draw, 1)


def weak(home: Home) -> None:
    home.advance(link.battery(3_050))


@pytest.mark.parametrize(
    ("policy", "credit_l", "change"),
    [
        (NEW, 1_000, with_a_drip),
        (NEW, 1_000, weak),
        (NEW._replace(flags=NEVER_CLOSE_LOCK), 1_000, None),
        (NEW._replace(low_credit_mills=600_000), 1_000, None),
        (NEW._replace(emergency_mills=50_000, emergency_unsure_mills=50_000), 0, None),
        (NEW, 1, None),
    ],
    ids=["water flows", "weak battery", "locked open", "credit is low", "on the limit", "closed"],
)
def test_no_exercise_where_it_could_cost_water_or_the_battery(
    policy: Policy, credit_l: int, change: Callable[[Home], None] | None
) -> None:
    home = quiet_home(policy, credit_l)
    if change is not None:
        change(home)
    starts = len(home.starts_us)
    home.run(MINUTE_US)
    nights_later(home)
    assert home.state.exercises == 0
    assert len(home.starts_us) - starts <= 1  # the closing at the end of the credit


def test_no_exercise_a_day_too_early_nor_on_an_unsure_clock() -> None:
    assert nights_later(quiet_home(), MONTH_S - 3 * DAY).state.exercises == 0
    home = quiet_home()
    home.state.sure = 0
    assert nights_later(home).state.exercises == 0


@pytest.mark.parametrize("cut_us", [SECOND_US // 2, SECOND_US * 5 // 2])
def test_a_cut_in_the_middle_of_an_exercise_ends_open(cut_us: int) -> None:
    home = quiet_home()
    home.state.moved_s -= MONTH_S
    starts = len(home.starts_us)
    while len(home.starts_us) == starts:
        home.run(SECOND_US // 10)
    home.run(cut_us)
    assert home.valve.position == link.END_NONE
    home.cut_power()
    home.run(MINUTE_US)
    home.power_on()
    home.run(MINUTE_US)
    assert (home.valve.position, home.state.valve_moving) == (link.END_OPEN, 0)


def test_an_exercise_that_came_home_late_leaves_no_fault() -> None:
    """CT-01: a valve that stands open again is not told as one that fails, and is exercised again."""
    home = quiet_home()
    home.state.moved_s -= MONTH_S
    starts = len(home.starts_us)
    while len(home.starts_us) == starts:
        home.run(SECOND_US // 10)
    home.valve.mute_ends()
    home.run(HOUR_US)
    assert home.noticed[-1].code == event_codes.VALVE_STUCK
    home.valve.heal()
    home.press()
    home.run(MINUTE_US)
    assert (home.state.exercises, home.state.valve_moving, home.state.valve_fault) == (1, 0, 0)


def test_credit_that_ends_during_an_exercise_closes() -> None:
    home = quiet_home(credit_l=5)
    home.state.moved_s -= MONTH_S
    starts = len(home.starts_us)
    while len(home.starts_us) == starts:
        home.run(SECOND_US // 10)
    home.end_credit()
    home.run(MINUTE_US)
    assert (home.valve.position, home.state.exercises) == (link.END_CLOSED, 0)


# Leak-by --------------------------------------------------------------------------------------------------------------
def test_leak_by_is_told_as_a_rate_is_paid_for_and_its_end_is_told() -> None:
    home = quiet_home()
    home.valve.leak_by(5_000)
    home.end_credit()
    home.run(MINUTE_US)
    owed_mills, litres = home.state.balance_mills, home.litres
    home.run(7 * HOUR_US)
    rates = [one.argument for one in home.noticed if one.code == event_codes.LEAK_BY_RATE]
    assert rates == [5_000] == [home.state.leak_by_ml_per_h]
    assert owed_mills - home.state.balance_mills == (home.litres - litres) * 500 == 34 * 500, "litres are litres"
    home.run(2 * DAY_US)
    assert codes(home).count(event_codes.LEAK_BY_RATE) == 1, "told when it changes"
    home.valve.heal()
    home.run(2 * DAY_US)
    assert home.noticed[-1].code == event_codes.LEAK_BY_RATE and home.noticed[-1].argument == 0


def test_a_tight_valve_and_a_single_drop_have_no_rate() -> None:
    home = quiet_home()
    home.end_credit()
    home.run(HOUR_US)
    home.litres += 1
    home.advance(link.pulses(home.litres))
    home.run(2 * DAY_US)
    assert home.state.leak_by_ml_per_h == 0
    assert not {event_codes.VALVE_LEAK_BY, event_codes.LEAK_BY_RATE} & set(codes(home))


def test_a_slow_leak_is_no_valve_stuck_open_however_long_it_leaks() -> None:
    home = quiet_home()
    home.valve.leak_by(20_000)
    home.end_credit()
    home.run(2 * DAY_US)
    assert event_codes.VALVE_STUCK_OPEN not in codes(home)
    assert home.state.valve_fault == 0


# No water -------------------------------------------------------------------------------------------------------------
def dry_after_opening() -> Home:
    home = quiet_home()
    home.end_credit()
    home.run(HOUR_US)
    home.valve.block_pipe()
    home.pay(100)
    home.run(31 * MINUTE_US)
    return home


def test_who_paid_and_has_no_water_is_heard_within_the_hour() -> None:
    home = dry_after_opening()
    starts = len(home.starts_us)
    for _ in range(3):
        home.press()
        home.run(11 * MINUTE_US)
    assert home.noticed[-1].code == event_codes.NO_WATER
    assert home.noticed[-1].argument == 52  # minutes
    assert len(home.starts_us) == starts + 1, "driven open once more"
    for _ in range(20):
        home.press()
        home.run(11 * MINUTE_US)
    assert codes(home).count(event_codes.NO_WATER) == 1


def test_presses_close_together_few_or_after_water_are_no_alarm() -> None:
    home = dry_after_opening()
    for _ in range(10):
        home.press()
        home.run(MINUTE_US // 2)
    home.run(20 * MINUTE_US)
    home.press()
    assert event_codes.NO_WATER not in codes(home)
    home.valve.heal()
    home.draw(1)
    for _ in range(5):
        home.run(11 * MINUTE_US)
        home.press()
    assert event_codes.NO_WATER not in codes(home)


def test_a_press_has_a_stalled_motor_try_again() -> None:
    home = quiet_home()
    home.end_credit()
    home.run(HOUR_US)
    home.valve.stick()
    home.pay(100)
    home.run(HOUR_US)
    assert home.noticed[-1].code == event_codes.VALVE_STUCK
    home.valve.heal()
    home.press()
    home.run(MINUTE_US)
    assert home.valve.position == link.END_OPEN


# Budget ---------------------------------------------------------------------------------------------------------------
def test_a_flapping_contact_has_its_twelve_moves_a_day_and_who_paid_is_open() -> None:
    home = quiet_home(NEW._replace(flags=TAMPER_CLOSES))
    home.run(2 * HOUR_US)  # into a new day
    starts = len(home.starts_us)
    for number in range(100):
        home.advance(link.tamper(number % 2 == 0))
        home.run(5 * MINUTE_US)
    assert len(home.starts_us) - starts == 24, "twelve closings, and what opened them again"
    home.run(HOUR_US)
    assert home.valve.position == link.END_OPEN and home.state.own_moves == 12
    home.end_credit()
    home.run(MINUTE_US)
    assert home.valve.position == link.END_CLOSED, "the end of the credit is no whim of a contact"
    home.pay(100)
    home.run(MINUTE_US)
    assert home.valve.position == link.END_OPEN


def test_what_opens_waits_an_hour_at_most_when_the_budget_is_gone() -> None:
    home = quiet_home()
    home.end_credit()
    home.run(MINUTE_US)
    home.state.own_moves = 12
    home.valve.stick()
    home.pay(100)
    home.run(MINUTE_US)  # the first start is the payment's own; the second is not
    home.valve.heal()
    home.run(HOUR_US + 5 * MINUTE_US)
    assert home.valve.position == link.END_OPEN


def test_a_reset_at_each_start_empties_no_battery() -> None:
    home = quiet_home()
    home.sags = True
    starts, moves = len(home.starts_us), home.state.moves
    home.end_credit()
    home.run(12 * HOUR_US)
    assert 3 <= len(home.starts_us) - starts <= 13
    assert home.state.moves - moves == len(home.starts_us) - starts, "counted before the motor starts"


def test_presses_before_a_stuck_valve_stay_within_the_budget() -> None:
    """CT-02: whoever presses the button all day does not empty the battery; one start an hour is left."""
    home = quiet_home()
    home.end_credit()
    home.run(2 * HOUR_US)  # into a new day
    home.valve.stick()
    home.pay(100)
    home.run(10 * MINUTE_US)
    starts = len(home.starts_us)
    for _ in range(4 * 60):
        home.press()
        home.run(MINUTE_US)
    assert len(home.starts_us) - starts <= 12 + 4
    home.valve.heal()
    home.run(HOUR_US)
    assert home.valve.position == link.END_OPEN


def commands_of(home: Home) -> list[int]:
    """What the motor is told from now on."""
    told: list[int] = []
    drive = home.valve.drive

    def listen(command: int) -> None:
        told.append(command)
        drive(command)

    home.valve.drive = listen  # type: ignore[method-assign]
    return told


def test_a_motor_that_ran_its_time_is_stopped_though_a_frame_comes_at_that_instant() -> None:
    """CT-02: what is heard has the tick begin again; the stop is not forgotten, or a stalled motor pulls for hours."""
    home = quiet_home()
    told = commands_of(home)
    home.valve.mute_ends()
    home.world.after(MOVE_US_MAX, home.end_credit)  # says nothing new, but is authentic
    home.end_credit()
    home.run(30 * SECOND_US)
    assert told == [link.MOTOR_CLOSE, link.MOTOR_STOP]


def test_a_motor_is_stopped_on_its_way_when_turning_it_round_must_wait_for_the_budget() -> None:
    """CT-02: nobody watches its time any more."""
    home = quiet_home(NEW._replace(flags=TAMPER_CLOSES))
    home.end_credit()
    home.run(MINUTE_US)
    home.state.own_moves = 12
    told = commands_of(home)
    home.valve.mute_ends()
    home.pay(100)
    home.run(SECOND_US)
    home.advance(link.tamper(True))
    home.run(MINUTE_US)
    assert told == [link.MOTOR_OPEN, link.MOTOR_STOP]


def test_a_last_move_that_had_to_wait_is_not_made_when_nobody_wants_it_any_more() -> None:
    """CT-02, M12: a contact that flapped shuts no one out a day later, and the reserve is still good for its move."""
    home = quiet_home(NEW._replace(flags=TAMPER_CLOSES))
    home.state.own_moves = 12
    home.advance(link.battery(2_600))
    home.advance(link.tamper(True))
    home.run(MINUTE_US)
    assert (home.valve.position, home.state.valve_moving) == (link.END_OPEN, 1)
    home.advance(link.tamper(False))
    home.run(DAY_US + HOUR_US)
    assert home.valve.position == link.END_OPEN
    starts = len(home.starts_us)
    home.advance(link.tamper(True))
    home.run(MINUTE_US)
    assert home.valve.position == link.END_CLOSED
    home.advance(link.tamper(False))
    home.run(DAY_US)
    assert len(home.starts_us) - starts == 1


# On the device --------------------------------------------------------------------------------------------------------
def test_the_console_tells_moves_motor_time_and_what_the_flow_says(rig: Make) -> None:
    meter = rig(opening=opening(1_000)).start()
    first = meter.read()
    assert (first["valve_moves"], first["valve_commanded"], first["valve_inferred"]) == (1, 0, UNKNOWN)
    meter.draw(1)
    assert meter.read()["valve_inferred"] == PASSES
    meter.mute_end_stops = True
    meter.draw(1)
    meter.run(7)
    meter.mute_end_stops = False
    meter.valve = link.END_CLOSED
    meter.advance(link.end_stop(link.END_CLOSED))
    meter.run(3_700)
    reading = meter.read()
    assert (reading["valve_moves"], reading["valve_commanded"], reading["valve_inferred"]) == (2, 1, HOLDS)
    assert reading["motor_ms"] == 7_000
    meter.restart()
    assert {name: meter.read()[name] for name in ("valve_moves", "motor_ms")} == {"valve_moves": 2, "motor_ms": 7_000}


def test_a_motor_that_ran_its_time_is_stopped(rig: Make) -> None:
    meter = rig(opening=opening(500)).start()
    meter.mute_end_stops = True
    meter.draw(1)
    meter.run(30)
    assert [command for _, command in meter.moves[-2:]] == [link.MOTOR_CLOSE, link.MOTOR_STOP]


def test_health_on_a_real_meter(rig: Make) -> None:
    """Leak-by rate and exercise are loaded for the moment on the device; both work there."""
    meter = rig(opening=opening(500_000_000), report_slots=48).start()
    for _ in range(34):
        meter.draw(1)
        meter.run(DAY)
    assert meter.read()["exercises"] == 1
    assert [command for _, command in meter.moves[-2:]] == [link.MOTOR_CLOSE, link.MOTOR_OPEN]
    told: dict[str, Any] = meter.read()
    assert told["boot_count"] == 1 and told["valve_moves"] == 3


# Air and backflow -----------------------------------------------------------------------------------------------------
def test_air_is_told_with_its_litres_and_every_litre_counts() -> None:
    home = quiet_home()
    home.run(6 * HOUR_US)
    before = home.state.volume_l
    home.rush(120, SECOND_US // 2)
    home.run(HOUR_US)
    told = [one.argument for one in home.noticed if one.code == event_codes.AIR]
    assert told == [119]
    assert home.state.volume_l - before == 120


@pytest.mark.parametrize(
    ("pulses", "apart_us", "dry_us"),
    [(120, SECOND_US * 6 // 5, 6 * HOUR_US), (40, SECOND_US // 2, 6 * HOUR_US), (120, SECOND_US // 2, 2 * HOUR_US)],
    ids=["as fast as water can", "for twenty seconds", "after a short pause"],
)
def test_what_water_can_do_is_no_air(pulses: int, apart_us: int, dry_us: int) -> None:
    home = quiet_home()
    home.run(dry_us)
    home.rush(pulses, apart_us)
    home.run(HOUR_US)
    assert event_codes.AIR not in codes(home)


def test_water_that_runs_back_has_its_own_register_and_moves_no_money() -> None:
    home = quiet_home()
    volume_l, balance_mills = home.state.volume_l, home.state.balance_mills
    home.run_back(4)
    home.run(HOUR_US)
    assert event_codes.BACKFLOW not in codes(home)
    home.run_back(6)
    home.run(HOUR_US)
    home.run_back(30)
    home.run(HOUR_US)
    assert [one.argument for one in home.noticed if one.code == event_codes.BACKFLOW] == [6], "once a day"
    assert home.state.reverse_ml == 40_000
    assert (home.state.volume_l, home.state.balance_mills) == (volume_l, balance_mills)


def test_the_last_reserve_of_the_battery_is_told() -> None:
    home = quiet_home()
    home.advance(link.battery(2_650))
    assert home.noticed[-2].code == event_codes.BATTERY_CRITICAL and home.noticed[-2].argument == 2_650
