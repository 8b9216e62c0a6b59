"""Between antenna and headend: answers are class A, a dead headend loses nothing that a gateway heard."""

from types import SimpleNamespace

from simulator.air import Air
from simulator.home import Home
from simulator.prng import Stream
from simulator.radio import Radio, RadioOptions
from simulator.world import World

METER_ID = bytes(range(8))


class Recorder:
    """A headend that notes what it gets and answers every frame with two downlinks."""

    def __init__(self) -> None:
        self.got: list[list[tuple[bytes, bytes]]] = []
        self.killed_with: list[tuple[bytes, bytes]] = []

    def uplinks(self, frames: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        self.got.append(frames)
        return [(METER_ID, b"statement"), (METER_ID, b"time")]

    def uplinks_then_kill(self, frames: list[tuple[bytes, bytes]]) -> None:
        self.killed_with = frames


def town(**options: int) -> tuple[World, Recorder, Air, Home, list[bytes]]:
    world, headend, heard = World(), Recorder(), []
    air = Air(world, headend)
    air.meter_ids[1] = METER_ID
    radio = Radio(RadioOptions().quiet()._replace(**options), Stream(1, "radio"))
    home = SimpleNamespace(number=1, radio=radio, hear=heard.append)
    return world, headend, air, home, heard  # type: ignore[return-value]


def test_an_uplink_is_answered_in_the_windows_after_it() -> None:
    world, headend, air, home, heard = town()
    air.carry(home, b"frame")
    world.run_until(10_000_000)
    assert headend.got == [[(METER_ID, b"frame")]]
    assert heard == [b"statement", b"time"]
    assert (air.counts.uplinks, air.counts.uplinks_lost, air.counts.downlinks, air.counts.uplink_bytes) == (1, 0, 2, 5)


def test_a_lost_uplink_reaches_nobody_and_is_counted() -> None:
    world, headend, air, home, heard = town(loss_up_permille=1000)
    air.carry(home, b"frame")
    world.run_until(10_000_000)
    assert (headend.got, heard) == ([], [])
    assert (air.counts.uplinks, air.counts.uplinks_lost) == (1, 1)


def test_a_duplicate_reaches_the_headend_twice_and_is_answered_once() -> None:
    world, headend, air, home, heard = town(duplicate_permille=1000)
    home.radio.options = home.radio.options._replace(duplicate_permille=1000)
    air.carry(home, b"frame")
    world.run_until(60_000_000)
    assert headend.got == [[(METER_ID, b"frame")]] * 2
    assert sorted(set(heard)) == [b"statement", b"time"]
    assert air.counts.downlinks == 2


def test_a_gateway_keeps_what_a_dead_headend_did_not_take_and_forwards_it_in_order() -> None:
    world, headend, air, home, heard = town()
    killed: list[int] = []
    air.kill_headend_at_next = lambda: killed.append(world.now_us)
    for number in range(3):
        air.carry(home, b"frame %d" % number)
        world.run_until(world.now_us + 30_000_000)
    assert len(killed) == 1
    assert headend.killed_with == [(METER_ID, b"frame 0")]
    assert (headend.got, heard) == ([], [])
    assert air.headend_is_back() == 3
    assert headend.got == [[(METER_ID, b"frame %d" % number) for number in range(3)]]
    assert heard == [], "the receive windows have passed"
    air.carry(home, b"frame 3")
    world.run_until(world.now_us + 30_000_000)
    assert heard == [b"statement", b"time"]
