"""A meter whose flash is dead, and its headend: the operator sees it, and the books do not move (SEMANTICS I15, A1)."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headend.ingest.flash_lost import notice
from headend.meters.renewal import renew_meter
from headend.web.facts import read_facts
from headend.web.present import home as card
from headend.web.texts import TEXTS
from protocol.wire.event_codes import FLASH_LOST
from protocol.wire.messages import Event, EventEntry
from tests.headend.world import World
from tests.semantics.home import DAY_S, Home

BOOKS = (
    "SELECT id, segment_first_slot, wallet_mills FROM uplink WHERE segment_first_slot IS NOT NULL",
    "SELECT * FROM meter_state",
    "SELECT * FROM statement",
    "SELECT * FROM entry",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, random.Random(1))
    yield made
    made.close()


def books(world: World) -> list[list[tuple[Any, ...]]]:
    return [world.rows(query) for query in BOOKS]


def cases(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT kind, closed_us IS NULL, outcome FROM case_file ORDER BY id")


def alarms(world: World, language: str) -> list[str]:
    facts = world.reader.read(lambda connection: read_facts(connection, world.clock.unix_us() // 1_000_000))
    (one,) = facts.homes
    shown = card(facts, one, language)
    assert not shown.disagrees
    return [TEXTS[language][f"alarm_{alarm}"] for alarm in shown.alarms]


def lose_flash(home: Home) -> Any:
    files, home.files = home.files, None
    home.start()
    return files


def test_the_operator_sees_it_once_and_no_counter_moves(world: World) -> None:
    home = Home(world)
    world.pay(home.number, 100_000, "top-up")
    home.live(6)
    assert home.differences() == {} and alarms(world, "en") == []
    before = books(world)
    lose_flash(home)
    home.run(3 * DAY_S)
    assert cases(world) == [("flash-lost", 1, None)]
    assert world.one("SELECT count(*) FROM meter_event WHERE code = 21") == 4
    assert books(world) == before
    assert alarms(world, "en") == ["memory lost: counts no more"]
    assert alarms(world, "fr") == ["mémoire en panne : ne compte plus"]


def test_a_flash_that_can_be_read_again_goes_on_where_it_stopped(world: World) -> None:
    """No counter is used twice (the headend would drop the frames), and the books agree to the mill."""
    home = Home(world)
    world.pay(home.number, 100_000, "top-up")
    home.live(6)
    files = lose_flash(home)
    home.run(DAY_S)
    home.pulses += 7  # the counter of pulses is no part of the flash
    home.files = files
    home.start()
    home.live(6)
    assert cases(world) == [("flash-lost", 0, "recovered")]
    assert home.state.volume_l == home.pulses
    differences = home.differences()
    differences.pop("cases")
    assert differences == {} and alarms(world, "en") == []
    lose_flash(home)
    assert [row[0] for row in cases(world)] == ["flash-lost", "flash-lost"]


def test_a_flash_lost_in_a_later_life_at_the_same_counter_is_a_case_of_its_own(world: World) -> None:
    """SEMANTICS A4, I15: fresh keys begin their counters anew, and the keepsake skips by the same step."""
    meter_id = Home(world).meter_id
    message = Event((EventEntry(0x80000000 | 4160, 1_900_000_000, FLASH_LOST, 1),))
    for generation in (1, 2):
        told: Any = SimpleNamespace(
            message=message,
            authentic=SimpleNamespace(
                received=SimpleNamespace(meter_id=meter_id), counter=4160, link=SimpleNamespace(generation=generation)
            ),
        )
        world.writer.run(lambda tx, told=told: notice(tx, told, True))
        assert cases(world)[-1] == ("flash-lost", 1, None)
        world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter_id, None))
    assert len(cases(world)) == 2


def test_a_new_wallet_for_the_meter_closes_the_case(world: World) -> None:
    home = Home(world)
    world.pay(home.number, 100_000, "top-up")
    home.live(2)
    lose_flash(home)
    world.writer.run(lambda tx: renew_meter(tx, world.keyring, home.meter_id, None))
    assert cases(world) == [("flash-lost", 0, "renewed")]
