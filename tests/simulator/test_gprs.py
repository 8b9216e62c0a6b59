"""UDP over GPRS: both ways at any time while the context lives, one way only when it has gone."""

from simulator.clock import MINUTE_US, SECOND_US
from simulator.gprs import Gprs, GprsOptions
from simulator.prng import Stream
from simulator.world import World


def scene(loss_permille: int = 0) -> tuple[World, Gprs, list[int], list[int]]:
    world, up, down = World(), [], []

    def headend(_frame: bytes) -> list[bytes]:
        up.append(world.now_us)
        return [b"answer"]

    options = GprsOptions(loss_permille, loss_permille)
    return world, Gprs(world, options, Stream(1, "radio"), headend, lambda _: down.append(world.now_us)), up, down


def test_a_sleeping_modem_attaches_before_it_sends() -> None:
    world, radio, up, down = scene()
    radio.send(b"uplink")
    world.run_until(MINUTE_US)
    assert 2_300_000 <= up[0] <= 6_700_000
    assert 300_000 <= down[0] - up[0] <= 700_000


def test_a_modem_that_is_awake_sends_at_once() -> None:
    world, radio, up, _ = scene()
    radio.send(b"uplink")
    world.run_until(20 * SECOND_US)
    radio.send(b"uplink")
    world.run_until(MINUTE_US)
    assert up[1] - 20 * SECOND_US <= 700_000


def test_a_push_reaches_a_meter_that_spoke_just_now_and_no_other() -> None:
    world, radio, _, down = scene()
    radio.push([b"too early"])
    radio.send(b"uplink")
    world.run_until(20 * SECOND_US)
    radio.push([b"in time"])
    world.run_until(2 * MINUTE_US)
    radio.push([b"too late"])
    world.run_until(3 * MINUTE_US)
    assert len(down) == 2
    assert (radio.uplinks, radio.downlinks) == (1, 4)


def test_loss_is_per_datagram_and_each_way() -> None:
    world, radio, up, down = scene(300)
    for _ in range(1000):
        radio.send(b"uplink")
        world.run_until(world.now_us + SECOND_US)
    assert 650 < len(up) < 750
    assert 0.63 < len(down) / len(up) < 0.77
