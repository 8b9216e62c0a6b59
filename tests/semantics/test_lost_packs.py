"""Both copies of a meter's packs are lost: it goes on under the prices it was provisioned with, is given the newer ones
again, and nothing is free (SEMANTICS B4, B5; reliability M4). Found by worlds: rot_both, seed 101."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.ledger.checks import check_books
from protocol.rules.calendar import SLOT_S
from tests.headend.world import START_SLOT, World
from tests.semantics.home import DAY_S, HOUR_S, Home

PRICE, DEARER = 127, 200


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    world = World(tmp_path, random.Random(1))
    world.publish({"utc_offset_minutes": 60, "blocks": [[0, PRICE]]}, START_SLOT - 48, "debit")
    made = Home(world)
    world.pay(made.number, 100_000, "top-up")
    made.live(6)
    yield made
    world.close()


def lose_packs(home: Home) -> None:
    assert home.files is not None
    for directory in "ab":
        path = f"{directory}/packs"
        content = bytearray(home.files.content[path])
        content[len(content) // 2] ^= 1
        home.files.content[path] = bytes(content)
    home.start()


def test_the_litres_after_the_loss_cost_what_they_cost(home: Home) -> None:
    """M4: nobody hears it for hours; half-hours close meanwhile, and are read under the pack that they name."""
    home.up = lambda frame: False
    home.run(SLOT_S // 3)
    home.pulses += 9
    home.run(60)
    lose_packs(home)
    home.live(5)
    home.up = lambda frame: True
    home.live(5)
    home.run(2 * HOUR_S)
    assert home.differences() == {}
    assert home.state.rating.spent_mills == PRICE * home.pulses
    assert home.files is not None and home.files.content["a/packs"] == home.files.content["b/packs"]


def test_newer_prices_are_given_again_and_the_difference_is_settled(home: Home) -> None:
    """B5, B6: under the first prices until the newer ones are there again; the books come to what is published."""
    home.world.publish({"utc_offset_minutes": 60, "blocks": [[0, DEARER]]}, START_SLOT + 24, "debit")
    home.live(24)
    home.run(SLOT_S - (home.now_s % SLOT_S) + 5)
    home.down = lambda frame: False
    lose_packs(home)
    assert home.meter.packs.newest_version(3) == 1
    home.live(4)
    home.down = lambda frame: True
    home.start()
    home.live(30)
    home.run(DAY_S)
    assert home.meter.packs.newest_version(3) == 2
    assert home.world.reader.read(check_books) == []
    assert home.cases_of_the_books() == []
