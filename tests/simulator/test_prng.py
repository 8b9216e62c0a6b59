"""One seed is one world: the streams are the same for ever and do not disturb each other."""

import pytest

from simulator.prng import Stream, Streams, splitmix64


def test_the_generator_is_splitmix64() -> None:
    """The published sequence for the state 1234567."""
    state, numbers = 1234567, []
    for _ in range(3):
        state, number = splitmix64(state)
        numbers.append(number)
    assert numbers == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_the_numbers_of_a_seed_never_change() -> None:
    assert Stream(7, "story").bits64() == 3129155055100005097


def test_streams_of_other_names_and_seeds_differ() -> None:
    first = [Streams(1).named(name).bits64() for name in ("radio/1", "radio/2")] + [
        Streams(2).named("radio/1").bits64()
    ]
    assert len(set(first)) == 3


def test_between_reaches_both_ends_and_nothing_else() -> None:
    stream = Stream(3, "ends")
    assert {stream.between(-1, 2) for _ in range(200)} == {-1, 0, 1, 2}


def test_a_chance_is_a_ratio_of_integers() -> None:
    stream = Stream(5, "chance")
    hits = sum(stream.chance(1, 4) for _ in range(10_000))
    assert 2_300 < hits < 2_700
    assert not stream.chance(0, 4)
    assert stream.chance(4, 4)


def test_a_shuffle_keeps_every_item() -> None:
    assert sorted(Stream(9, "shuffle").shuffled(range(50))) == list(range(50))


def test_an_empty_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="limit must be at least 1"):
        Stream(1, "none").below(0)
