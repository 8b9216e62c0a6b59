"""CT-31: the clock at 70 °C in a simulated world, with and without a thermometer, and the books at its edges (C3)."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.site import Site
from bench.utility import START_SLOT, Utility
from firmware.clock import Clock
from firmware.state import State
from headend.api.series import litres_by_slot
from headend.ingest import meter_state
from headend.ingest.received import Bearer
from headend.ledger.checks import check_books
from simulator.clock import DAY_US, HOUR_US, SECOND_US, SLOT_US, SLOTS_PER_DAY, unix_s
from simulator.heat import Crystal, InHeat
from simulator.lorawan import LoraOptions, LoraWan
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.world import World

HOT_C10, RIGHT_C10 = 700, 250
DAYS = 29  # the headend tells the time once in 30 days
PRICE_MILLS = 127


class Month(NamedTuple):
    """What became of a meter through which water flowed just before and just after every full hour of a month."""

    behind_s: int
    drawn_l: int
    in_wrong_slots_l: int
    differences: dict[str, tuple[int, int]]
    faults: int


def always_hot(_: int) -> int:
    return HOT_C10


def day_and_night(now_us: int) -> int:
    """25 °C at midnight, 70 °C at noon, straight between."""
    from_midnight_us = min(now_us % DAY_US, -now_us % DAY_US)
    return RIGHT_C10 + (HOT_C10 - RIGHT_C10) * from_midnight_us * 2 // DAY_US


def month(
    folder: Path, temperature: Callable[[int], int], crystal: Crystal, *, thermometer: bool, reads_c10: int = 0
) -> Month:
    """A daily LoRaWAN meter on clean air. The clock is told it at its first report, then not before the month ends."""
    world = World()
    folder.mkdir()
    utility = Utility(folder, 1, lambda: world.now_us)
    meter_id, customer, provision_hex = utility.add(1, SLOTS_PER_DAY)
    meter = InHeat(
        MeterInMemory("1", provision_hex), temperature, crystal, thermometer=thermometer, reads_c10=reads_c10
    )
    stream = Stream(1, "radio/1")
    options = LoraOptions(10)
    site = Site(
        world,
        utility,
        meter,
        (meter_id, customer),
        Bearer.LORAWAN,
        lambda *ends: LoraWan(ends[0], options, stream, *ends[1:]),
    )
    site.pay(1_000_000)
    site.power_on()
    edge_us = HOUR_US
    while edge_us < DAYS * DAY_US:
        world.at(edge_us - 10 * SECOND_US, site.draw, 2)
        world.at(edge_us + 10 * SECOND_US, site.draw, 3)
        edge_us += HOUR_US
    world.run_until(DAYS * DAY_US)
    behind_s = unix_s(world.now_us) - site.read()["unix_s"]
    world.run_until(DAYS * DAY_US + 2 * DAY_US)
    found = Month(
        behind_s, site.litres, _wrong_l(utility, meter_id), _differences(site, utility, meter_id), _faults(utility)
    )
    utility.close()
    return found


def _wrong_l(utility: Utility, meter_id: bytes) -> int:
    """Litres that the books hold in another half-hour than the one in which they flowed."""
    held = utility.reader.read(
        lambda connection: litres_by_slot(connection, meter_id, START_SLOT, START_SLOT + DAYS * SLOTS_PER_DAY)
    )
    held.pop(START_SLOT, None), held.pop(START_SLOT + DAYS * SLOTS_PER_DAY - 1, None)  # half an hour's edge each
    return sum(abs(litres - (2 if (slot - START_SLOT) % 2 else 3)) for slot, litres in held.items())


def _faults(utility: Utility) -> int:
    return len(utility.reader.read(check_books))


def _differences(site: Site, utility: Utility, meter_id: bytes) -> dict[str, tuple[int, int]]:
    """Where the meter's counters at its last report differ from the books'."""
    books = utility.write(lambda tx: meter_state.load(tx, meter_id))
    read = site.read()
    pairs = {
        "V": (books.volume_l, read["volume_l"] - read["open_litres"]),
        "S": (books.spent_mills, PRICE_MILLS * books.volume_l),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_at_70_degrees_the_clock_stays_right_between_two_times(tmp_path: Path) -> None:
    """CT-31: without a thermometer six seconds a day are lost and water is booked in the wrong half-hours; with one the
    clock stays right, and every litre stands where it flowed. Money agrees either way."""
    blind = month(tmp_path / "blind", always_hot, Crystal(), thermometer=False)
    aware = month(tmp_path / "aware", always_hot, Crystal(), thermometer=True)
    print(f"29 days at 70 °C: {blind.behind_s} s behind without, {aware.behind_s} s with a thermometer")
    assert 160 <= blind.behind_s <= 180
    assert blind.in_wrong_slots_l > 0
    assert abs(aware.behind_s) <= 2  # the second of each reading, and the seconds of the TIME that it began with
    assert aware.in_wrong_slots_l == 0
    assert blind.drawn_l == aware.drawn_l == 5 * (DAYS * 24 - 1)
    for lived in (blind, aware):
        assert lived.differences == {} and lived.faults == 0


@pytest.mark.parametrize("temperature", [always_hot, day_and_night], ids=["always 70 °C", "25 to 70 °C each day"])
def test_a_crystal_and_a_thermometer_that_are_a_little_off_stay_within_a_second_a_day(
    tmp_path: Path, temperature: Callable[[int], int]
) -> None:
    """CT-31: a coefficient a tenth above the typical one and a thermometer one kelvin off."""
    for coefficient_ppb, reads_c10 in ((37, -10), (31, 10)):
        lived = month(
            tmp_path / str(coefficient_ppb),
            temperature,
            Crystal(coefficient_ppb),
            thermometer=True,
            reads_c10=reads_c10,
        )
        print(f"{temperature.__name__}, {coefficient_ppb} ppb/K²: {lived.behind_s} s behind after {DAYS} days")
        assert abs(lived.behind_s) <= DAYS
        assert lived.differences == {} and lived.faults == 0


def test_a_time_sets_the_clock_chip_too(tmp_path: Path) -> None:
    """C3: after a reset the meter begins with what TIME told it, not with what a chip has lost since."""
    world = World()
    utility = Utility(tmp_path, 1, lambda: world.now_us)
    meter_id, customer, provision_hex = utility.add(1, SLOTS_PER_DAY)
    meter, options, stream = MeterInMemory("1", provision_hex), LoraOptions(10), Stream(1, "radio/1")
    who = (meter_id, customer)
    site = Site(world, utility, meter, who, Bearer.LORAWAN, lambda *ends: LoraWan(ends[0], options, stream, *ends[1:]))
    site.power_on()
    assert meter.application is not None
    board = meter.application.board
    assert board.field.rtc == (unix_s(0), True)
    world.run_until(2 * DAY_US)
    assert board.field.rtc[0] > unix_s(0) and abs(board.rtc()[0] - unix_s(world.now_us)) <= 1
    utility.close()


def warmed(*temperatures_c10: int | None) -> Clock:
    """A clock that was told these, one each half-hour."""
    clock = Clock(State(), 0, (0, False))
    for number, c10 in enumerate(temperatures_c10, 1):
        clock.warm(c10, number * SLOT_US)
    return clock


def test_without_a_temperature_or_at_25_degrees_nothing_changes() -> None:
    """CT-31: lock-step worlds stay what they were."""
    untouched = Clock(State(), 0, (0, False)).offset_us
    assert {warmed(*told).offset_us for told in ((None, None), (250, 250), (None, 250), (1251, 1251), (-1300,))} == {
        untouched
    }
    assert warmed(700, 700).gained_us == 2 * 123_930


def test_heat_and_cold_alike_make_a_crystal_slow_and_the_mean_of_two_moments_counts() -> None:
    assert warmed(-200).gained_us == warmed(700).gained_us == 123_930
    assert warmed(250, 700).gained_us == 123_930 // 2
    assert warmed(700, None, 700).gained_us == 2 * 123_930  # nobody knows of the second half-hour


def test_a_time_that_comes_late_is_right_in_the_heat_too() -> None:
    """C3, CT-31: what the crystal lost since the uplink was sent is known to the clock."""
    clock = warmed(700)
    clock.note_sent(1, SLOT_US)
    sent_unix_s = 2_000_000_000
    clock.warm(700, 49 * SLOT_US)  # a day by the crystal, six seconds more by the sun
    clock.hear(1, sent_unix_s)
    clock.hear(1, sent_unix_s)
    clock.note_sent(2, 49 * SLOT_US)
    clock.hear(2, sent_unix_s + 86_400 + 5)
    assert clock.unix_s(49 * SLOT_US) == sent_unix_s + 86_400 + 5
