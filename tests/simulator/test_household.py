"""Homes: the data file is whole, and a half-hour's litres become pulses of exactly that many litres."""

from simulator.clock import MINUTE_US, SLOT_US, SLOTS_PER_DAY
from simulator.household import Demand, load, pulse_train
from simulator.prng import Stream


def test_the_data_holds_a_hundred_households_of_fourteen_days() -> None:
    households = load()
    assert len(households) == 100
    assert {len(household.days) for household in households} == {14}
    assert {len(day) for household in households for day in household.days} == {SLOTS_PER_DAY}


def test_a_train_of_pulses_delivers_exactly_the_litres_inside_its_half_hour() -> None:
    stream = Stream(1, "taps")
    for litres in (*range(60), 250, 1790, 20_000):
        train = pulse_train(litres, stream)
        assert sum(count for _, count in train) == litres
        assert all(0 < offset_us < SLOT_US for offset_us, _ in train)


def test_a_minute_of_flow_is_one_entry_in_order() -> None:
    train = pulse_train(100, Stream(2, "taps"))
    minutes = [offset_us // MINUTE_US for offset_us, _ in train]
    assert minutes == sorted(set(minutes))


def test_what_the_story_adds_comes_on_top_of_the_file() -> None:
    household = load()[0]
    demand = Demand(household)
    demand.add(41, 15)
    demand.add(41, 5)
    assert demand.litres(41) == household.days[0][41] + 20
    assert demand.total_l(range(SLOTS_PER_DAY)) == sum(household.days[0]) + 20


def test_a_long_world_starts_again_at_the_first_day() -> None:
    household = load()[3]
    assert household.litres(14 * SLOTS_PER_DAY + 13) == household.days[0][13]
