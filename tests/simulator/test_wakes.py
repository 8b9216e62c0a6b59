"""Waking meters: only at the deadline that holds, side by side when they share one, heard in the order of numbers."""

from simulator.wakes import Wakes
from simulator.world import World


class Sleeper:
    """Notes when it is woken and heard, then asks for its next deadline, if it has one."""

    def __init__(self, number: int, log: list[tuple[str, int, int]], world: World, wakes: Wakes) -> None:
        self.number, self.log, self.world, self.wakes = number, log, world, wakes
        self.following: list[int] = []

    def wake(self) -> None:
        self.log.append(("wake", self.number, self.world.now_us))

    def listen(self) -> None:
        self.log.append(("heard", self.number, self.world.now_us))
        if self.following:
            self.wakes.ask(self, self.following.pop(0))


def town(homes: int) -> tuple[World, Wakes, list[Sleeper], list[tuple[str, int, int]]]:
    world, log = World(), []
    wakes = Wakes(world)
    return world, wakes, [Sleeper(number, log, world, wakes) for number in range(1, homes + 1)], log


def test_meters_due_together_are_all_granted_before_the_first_is_heard() -> None:
    world, wakes, (one, two, three), log = town(3)
    wakes.ask(three, 10)
    wakes.ask(one, 10)
    wakes.ask(two, 20)
    world.run_until(20)
    assert log == [
        ("wake", 1, 10),
        ("wake", 3, 10),
        ("heard", 1, 10),
        ("heard", 3, 10),
        ("wake", 2, 20),
        ("heard", 2, 20),
    ]


def test_only_the_last_deadline_asked_for_holds() -> None:
    world, wakes, (one,), log = town(1)
    wakes.ask(one, 10)
    wakes.ask(one, 30)
    world.run_until(20)
    assert log == []
    wakes.ask(one, 25)
    world.run_until(40)
    assert log == [("wake", 1, 25), ("heard", 1, 25)]


def test_a_meter_that_asks_for_a_time_again_is_woken_once_at_it() -> None:
    world, wakes, (one,), log = town(1)
    for deadline_us in (10, 20, 10):
        wakes.ask(one, deadline_us)
    one.following = [20]
    world.run_until(20)
    assert [entry for entry in log if entry[0] == "wake"] == [("wake", 1, 10), ("wake", 1, 20)]


def test_a_dead_meter_is_not_woken() -> None:
    world, wakes, (one,), log = town(1)
    wakes.ask(one, 10)
    wakes.forget(one)
    world.run_until(20)
    assert log == []
