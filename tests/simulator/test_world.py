"""The event loop: due order, ties in the order they were asked for, cancelled timers, time that goes forward."""

import time

from simulator.clock import DAY_US, at, local_text, unix_s, virtual_us
from simulator.world import Pacer, World


def test_what_is_due_next_happens_next_and_ties_keep_their_order() -> None:
    world, seen = World(), []
    for name, time_us in (("c", 30), ("a", 10), ("b1", 20), ("b2", 20)):
        world.at(time_us, seen.append, name)
    world.run_until(30)
    assert seen == ["a", "b1", "b2", "c"]
    assert world.now_us == 30


def test_a_time_already_past_means_now_after_what_is_due_now() -> None:
    world, seen = World(), []
    world.run_until(100)
    world.at(100, seen.append, "due")
    world.at(50, seen.append, "late")
    world.run_until(100)
    assert seen == ["due", "late"]
    assert world.now_us == 100


def test_a_cancelled_timer_does_nothing() -> None:
    world, seen = World(), []
    timer = world.at(10, seen.append, "never")
    timer.cancel()
    world.run_until(20)
    assert seen == []


def test_what_an_event_asks_for_happens_in_the_same_run() -> None:
    world, seen = World(), []
    world.at(10, lambda: world.after(5, seen.append, world.now_us))
    world.run_until(15)
    assert seen == [10]


def test_a_paced_world_takes_its_wall_time_and_an_unpaced_one_does_not() -> None:
    def wall_s(pacer: Pacer) -> float:
        world = World(pacer)
        for hour in range(25):
            world.at(at(1, hour), int)
        started_s = time.monotonic()
        world.run_until(DAY_US)
        return time.monotonic() - started_s

    assert wall_s(Pacer(None)) < 0.2
    assert 0.9 < wall_s(Pacer(1)) < 3


def test_the_world_starts_on_a_monday_at_local_midnight() -> None:
    assert local_text(0, "en") == "Mon 30 Mar 00:00:00"
    assert local_text(at(3, 7, 5), "fr") == "mer  1 avr 07:05:00"
    assert virtual_us(unix_s(DAY_US)) == DAY_US
