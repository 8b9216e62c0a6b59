"""LoRaWAN class A: two windows after each uplink, one queued answer, an hour's airtime, and loss by the seed."""

from collections.abc import Callable

from simulator.clock import HOUR_US, SECOND_US
from simulator.lorawan import RX1_US, RX2_SPREADING_FACTOR, RX2_US, DutyCycle, LoraOptions, LoraWan
from simulator.prng import Stream
from simulator.radio import airtime_us
from simulator.world import World

UPLINK, ANSWER = bytes(11), bytes(26)


class Scene:
    """A radio whose headend answers with `answers`, and when each side heard what."""

    def __init__(self, answer: list[bytes] | None = None, **options: int) -> None:
        self.world = World()
        self.published: list[int] = []
        self.heard: list[int] = []
        self.radio = LoraWan(
            self.world, LoraOptions(**options), Stream(1, "radio"), self._note(self.published, answer), self._hear
        )

    def _note(self, times: list[int], answer: list[bytes] | None) -> Callable[[bytes], list[bytes] | None]:
        def publish(_frame: bytes) -> list[bytes] | None:
            times.append(self.world.now_us)
            return answer

        return publish

    def _hear(self, _frame: bytes) -> None:
        self.heard.append(self.world.now_us)


def test_an_answer_that_is_queued_in_time_comes_in_the_first_window() -> None:
    scene = Scene([ANSWER])
    scene.radio.send(UPLINK)
    scene.world.run_until(10 * SECOND_US)
    up_us = airtime_us(len(UPLINK))
    assert scene.published == [up_us + 200_000]
    assert scene.heard == [up_us + RX1_US + airtime_us(len(ANSWER))]


def test_an_answer_that_is_queued_too_late_goes_out_after_the_next_uplink() -> None:
    scene = Scene([ANSWER], answer_us=150_000)
    scene.radio.send(UPLINK)
    scene.world.run_until(10 * SECOND_US)
    assert scene.heard == []
    scene.radio.send(UPLINK)
    scene.world.run_until(20 * SECOND_US)
    assert len(scene.heard) == 1


def test_what_the_headend_queues_replaces_what_was_queued_and_waits_for_an_uplink() -> None:
    scene = Scene()
    scene.radio.push([bytes(20)])
    scene.radio.push([ANSWER, ANSWER])
    scene.world.run_until(HOUR_US)
    assert scene.heard == []
    for _ in range(2):
        scene.radio.send(UPLINK)
        scene.world.run_until(scene.world.now_us + 10 * SECOND_US)
    assert len(scene.heard) == scene.radio.downlinks == 1


def test_the_second_of_two_frames_waits_for_both_windows_of_the_first() -> None:
    scene = Scene()
    scene.radio.send(UPLINK)
    scene.radio.send(UPLINK)
    scene.world.run_until(20 * SECOND_US)
    assert scene.published[1] - scene.published[0] > RX2_US + airtime_us(len(UPLINK))


def test_duty_cycle_is_the_airtime_of_any_hour() -> None:
    """ETSI EN 300 220: 1 % of an hour is 36 s."""
    band = DutyCycle(10)
    for second in range(12):
        assert band.ready_us(second * 10 * SECOND_US, 3 * SECOND_US) == second * 10 * SECOND_US
        band.spend(second * 10 * SECOND_US, 3 * SECOND_US)
    assert band.ready_us(200 * SECOND_US, 1) == HOUR_US
    assert band.ready_us(200 * SECOND_US, 3 * SECOND_US + 1) == HOUR_US + 10 * SECOND_US
    assert band.ready_us(HOUR_US, 3 * SECOND_US) == HOUR_US


def test_a_meter_out_of_airtime_waits_and_loses_nothing() -> None:
    scene = Scene(spreading_factor=12)
    frames = 36 * SECOND_US // airtime_us(51, 12) + 1
    for _ in range(frames):
        scene.radio.send(bytes(51))
    scene.world.run_until(HOUR_US - 1)
    assert len(scene.published) == frames - 1
    scene.world.run_until(2 * HOUR_US)
    assert len(scene.published) == frames


def test_a_gateway_out_of_airtime_answers_in_the_second_window() -> None:
    scene = Scene([bytes(51)])
    answers = 36 * SECOND_US // airtime_us(51) + 1
    for _ in range(answers):
        scene.radio.send(UPLINK)
    scene.world.run_until(HOUR_US)
    begun = scene.published[-1] - 200_000
    assert scene.heard[-1] - begun == RX2_US + airtime_us(51, RX2_SPREADING_FACTOR)
    assert scene.heard[-2] < begun


def test_loss_is_per_frame_and_each_way() -> None:
    scene = Scene([ANSWER], spreading_factor=7, loss_up_permille=300, loss_down_permille=600)
    for _ in range(1000):
        scene.radio.send(UPLINK)
    scene.world.run_until(4 * HOUR_US)
    assert scene.radio.uplinks == 1000
    assert 650 < len(scene.published) < 750
    assert scene.radio.downlinks <= len(scene.published)
    assert 0.33 < len(scene.heard) / scene.radio.downlinks < 0.47
