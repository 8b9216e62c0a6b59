"""The air: every fault is an option, downlinks exist only as answers, and faults do not shift other draws."""

import pytest

from simulator.clock import SECOND_US
from simulator.prng import Stream
from simulator.radio import WINDOWS, Radio, RadioOptions, airtime_us

CLEAR = RadioOptions().quiet()


def radio(**options: int) -> Radio:
    return Radio(CLEAR._replace(**options), Stream(1, "radio"))


# Milliseconds on air at SF7..SF12 by bytes of physical payload, to a tenth: made with the float form of Semtech's
# AN1200.13, which LoRaMac-node's integer form agrees with.
AIRTIMES_MS = {
    11: (41.2, 82.4, 144.4, 288.8, 577.5, 1155.1),
    20: (56.6, 102.9, 185.3, 370.7, 741.4, 1318.9),
    51: (102.7, 184.8, 328.7, 616.4, 1314.8, 2465.8),
    115: (194.8, 348.7, 615.4, 1148.9, 2461.7, 4431.9),
    222: (348.4, 614.9, 1106.9, 2009.1, 4427.8, 8036.4),
    24: (61.7, 113.2, 205.8, 370.7, 823.3, 1482.8),
    64: (118.0, 215.6, 390.1, 698.4, 1560.6, 2793.5),
}


@pytest.mark.parametrize("size", AIRTIMES_MS)
def test_airtime_is_that_of_lora_at_125_khz(size: int) -> None:
    for spreading_factor, expected_ms in enumerate(AIRTIMES_MS[size], 7):
        assert abs(airtime_us(size - 13, spreading_factor) - expected_ms * 1000) <= 60, spreading_factor


def test_airtime_is_known_for_six_spreading_factors_only() -> None:
    for spreading_factor in (6, 13):
        with pytest.raises(ValueError, match="7 to 12"):
            airtime_us(10, spreading_factor)


def test_clear_air_carries_every_frame_once_and_in_time() -> None:
    air = radio()
    for _ in range(500):
        (arrival,) = air.uplink(0, 40)
        assert arrival.answerable
        assert airtime_us(40) + CLEAR.delay_min_us <= arrival.time_us <= airtime_us(40) + CLEAR.delay_max_us


def test_loss_is_per_frame_and_each_way() -> None:
    air = radio(loss_up_permille=300, loss_down_permille=600)
    up = sum(not air.uplink(0, 40) for _ in range(2000))
    down = sum(not air.downlink(0, 0, 30) for _ in range(2000))
    assert 530 < up < 670
    assert 1120 < down < 1280


def test_a_duplicate_is_a_second_copy_that_cannot_be_answered() -> None:
    copies = radio(duplicate_permille=1000).uplink(0, 40)
    assert [copy.answerable for copy in copies] == [True, False]
    assert copies[1].time_us > copies[0].time_us


def test_a_reordered_uplink_comes_too_late_for_the_receive_windows() -> None:
    arrivals = [radio_copy for _ in range(50) for radio_copy in radio(reorder_permille=1000).uplink(0, 40)]
    assert not any(arrival.answerable for arrival in arrivals)


def test_reordering_really_reorders() -> None:
    air = radio(reorder_permille=300)
    times = [copy.time_us for sent in range(100) for copy in air.uplink(sent * 30 * SECOND_US, 40)]
    assert times != sorted(times)


def test_downlinks_open_with_the_first_window_and_end_with_the_last() -> None:
    air = radio()
    first = air.downlink(1000, 0, 30)
    second = air.downlink(1000, 1, 30)
    assert first == [1000 + SECOND_US + airtime_us(30)]
    assert second[0] - first[0] == SECOND_US
    assert air.downlink(1000, WINDOWS, 30) == []


def test_an_unreachable_meter_is_heard_by_nobody_and_hears_nothing() -> None:
    air = radio()
    air.reachable = False
    assert air.uplink(0, 40) == []
    assert air.downlink(0, 0, 30) == []


def test_a_fault_does_not_shift_the_delays_of_the_frames_that_pass() -> None:
    clear, lossy = radio(), radio(loss_up_permille=500)
    for _ in range(200):
        passed, tried = clear.uplink(0, 40), lossy.uplink(0, 40)
        assert tried in ([], passed)
