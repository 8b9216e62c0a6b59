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
