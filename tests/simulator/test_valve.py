"""The valve on the pipe: it takes its time, says when it arrives, and counts only true moves."""

from simulator import link
from simulator.clock import SECOND_US
from simulator.valve import Valve
from simulator.world import World


def scene() -> tuple[World, Valve, list[tuple[int, bool]]]:
    world, told = World(), []
    return world, Valve(world, lambda end, moved: told.append((end, moved))), told


def test_a_closing_valve_lets_water_through_until_it_is_closed() -> None:
    world, valve, told = scene()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(7 * SECOND_US)
    assert valve.lets_water_through and told == []
    world.run_until(9 * SECOND_US)
    assert not valve.lets_water_through
    assert told == [(link.END_CLOSED, True)]
    assert (valve.closures, valve.reopenings) == (1, 0)


def test_a_command_for_where_it_stands_is_answered_and_not_counted() -> None:
    world, valve, told = scene()
    valve.drive(link.MOTOR_OPEN)
    world.run_until(SECOND_US)
    assert told == [(link.END_OPEN, False)]
    assert (valve.closures, valve.reopenings) == (0, 0)


def test_a_stopped_valve_stays_between_its_ends_and_says_nothing() -> None:
    world, valve, told = scene()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(3 * SECOND_US)
    valve.drive(link.MOTOR_STOP)
    world.run_until(60 * SECOND_US)
    assert told == []
    assert valve.position == link.END_NONE
    assert valve.lets_water_through


def test_closing_and_opening_again_is_one_of_each() -> None:
    world, valve, _ = scene()
    for command in (link.MOTOR_CLOSE, link.MOTOR_OPEN):
        valve.drive(command)
        world.run_until(world.now_us + 20 * SECOND_US)
    assert (valve.closures, valve.reopenings) == (1, 1)
    assert valve.lets_water_through


def test_a_move_that_turns_back_half_way_is_no_closure() -> None:
    world, valve, told = scene()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(3 * SECOND_US)
    valve.drive(link.MOTOR_OPEN)
    world.run_until(60 * SECOND_US)
    assert told == [(link.END_OPEN, False)]
    assert (valve.closures, valve.reopenings) == (0, 0)


def test_a_seized_valve_stalls_at_once_and_stands_where_it_stood() -> None:
    world, valve, told = scene()
    valve.stick()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(SECOND_US)
    assert told == [(link.END_NONE, False)]
    assert valve.lets_water_through
    valve.heal()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(10 * SECOND_US)
    assert told[-1] == (link.END_CLOSED, True)


def test_grit_in_the_seat_stalls_the_closing_and_lets_it_open_again() -> None:
    world, valve, told = scene()
    valve.jam_at(800)
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(7 * SECOND_US)
    assert told == [(link.END_NONE, False)]
    assert valve.at_permille == 800 and valve.lets_water_through
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(8 * SECOND_US)
    assert told == [(link.END_NONE, False)] * 2
    valve.drive(link.MOTOR_OPEN)
    world.run_until(20 * SECOND_US)
    assert told[-1] == (link.END_OPEN, False)


def test_a_slow_valve_goes_on_from_where_it_was_stopped() -> None:
    world, valve, told = scene()
    valve.slow_down(400)
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(20 * SECOND_US)
    valve.drive(link.MOTOR_STOP)
    world.run_until(60 * SECOND_US)
    assert told == [] and valve.at_permille == 625
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(72 * SECOND_US)
    assert told == [(link.END_CLOSED, True)]


def test_ends_without_a_wire_say_nothing_while_the_ball_closes() -> None:
    world, valve, told = scene()
    valve.mute_ends()
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(20 * SECOND_US)
    valve.drive(link.MOTOR_STOP)
    assert told == [] and not valve.lets_water_through


def test_a_broken_stem_turns_without_the_ball() -> None:
    world, valve, told = scene()
    valve.break_stem(passes=True)
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(10 * SECOND_US)
    assert told == [(link.END_CLOSED, True)] and valve.lets_water_through
    valve.break_stem(passes=False)
    valve.drive(link.MOTOR_OPEN)
    world.run_until(20 * SECOND_US)
    assert told[-1] == (link.END_OPEN, True) and not valve.lets_water_through


def test_a_leak_by_flows_only_while_closed_and_a_blocked_pipe_never() -> None:
    world, valve, _ = scene()
    valve.leak_by(5_000)
    assert valve.leaked_ml(3_600 * SECOND_US) == 0
    valve.drive(link.MOTOR_CLOSE)
    world.run_until(10 * SECOND_US)
    assert valve.leaked_ml(1_800 * SECOND_US) == 2_500
    valve.drive(link.MOTOR_CLOSE)
    assert not valve.lets_water_through, "pushing against its end does not open it"
    valve.block_pipe()
    assert valve.leaked_ml(1_800 * SECOND_US) == 0 and not valve.lets_water_through
