"""The plan of a world: every size and seed gives one, and what does not fit is said."""

import pytest

from simulator.clock import DAY_US, HOUR_US, at
from simulator.prng import Stream
from simulator.story import plan

PRICE = 127


@pytest.mark.parametrize("homes", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("days", [1, 2, 3, 14])
@pytest.mark.parametrize("seed", range(1, 21))
def test_every_seed_and_size_has_a_story_inside_its_days(seed: int, homes: int, days: int) -> None:
    story = plan(Stream(seed, "story"), homes, days, PRICE)
    end_us = days * DAY_US
    assert 0 < story.dry.dry_us < story.dry.pays_us < end_us
    assert 0 < story.power_cut.from_us < end_us
    assert 0 < story.headend_kill.from_us < end_us
    if story.leak is not None:
        assert story.leak.from_us + DAY_US < end_us
        assert story.leak.home != story.dry.home
    if story.price_change is not None and story.silence is not None:
        assert story.silence.from_us < story.price_change.published_us
        assert story.price_change.midnight_us % DAY_US == 0
        assert story.price_change.midnight_us + HOUR_US < story.silence.to_us < end_us
        assert story.price_change.price_mills_per_l != PRICE


@pytest.mark.parametrize("seed", range(1, 6))
def test_eight_homes_and_three_days_have_room_for_everything(seed: int) -> None:
    story = plan(Stream(seed, "story"), 8, 3, PRICE)
    assert story.left_out == ()
    assert story.dry.dry_us in (at(1, 21), at(2, 21))
    assert story.silence is not None and story.leak is not None
    assert len({story.dry.home, story.leak.home, story.silence.home, story.power_cut.home}) == 4


def test_a_small_world_says_what_it_leaves_out() -> None:
    assert plan(Stream(1, "story"), 1, 1, PRICE).left_out == (
        ("tariff", "needs_two_days"),
        ("leak", "needs_two_days"),
        ("friendly_night", "needs_two_days"),
    )
    assert plan(Stream(1, "story"), 1, 3, PRICE).left_out == (("leak", "needs_second_home"),)


@pytest.mark.parametrize("seed", range(1, 40))
def test_a_lone_meter_is_heard_when_its_owner_pays(seed: int) -> None:
    story = plan(Stream(seed, "story"), 1, 3, PRICE)
    assert story.silence is not None
    assert not story.silence.from_us <= story.dry.pays_us <= story.silence.to_us


def test_the_same_seed_is_the_same_story() -> None:
    assert plan(Stream(7, "story"), 8, 3, PRICE) == plan(Stream(7, "story"), 8, 3, PRICE)
    assert plan(Stream(7, "story"), 8, 3, PRICE) != plan(Stream(8, "story"), 8, 3, PRICE)
