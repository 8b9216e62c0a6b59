"""FEATURES B7: what a meter says of its valve and pipe is a case for a fitter, told in both languages."""

import json

import pytest

from headend.web.facts import MeterEvent, read_facts
from headend.web.meter_events import told
from protocol.wire import event_codes as codes
from tests.headend.world import World

AT_S = 1_793_491_200
WORK = {
    codes.VALVE_STUCK: "valve",
    codes.VALVE_STUCK_OPEN: "valve",
    codes.LEAK_BY_RATE: "valve",
    codes.NO_WATER: "valve",
    codes.BATTERY_CRITICAL: "valve",
    codes.AIR: "air",
    codes.BACKFLOW: "backflow",
}


@pytest.mark.parametrize(("code", "kind"), WORK.items())
def test_what_needs_a_hand_is_one_case_however_often_it_is_told(world: World, code: int, kind: str) -> None:
    meter = world.add()
    for _ in range(2):
        world.receive(meter, meter.event(code, 3, 17, AT_S))
    ((found, detail),) = world.rows("SELECT kind, detail FROM case_file")
    assert (found, json.loads(detail)) == (kind, {"argument": 17, "at_unix_s": AT_S, "code": code})
    world.receive(meter, meter.event(code, 4, 17, AT_S + 1))
    assert world.one("SELECT count(*) FROM case_file") == 2


@pytest.mark.parametrize(
    ("code", "argument"),
    [(codes.LEAK_BY_RATE, 0), (codes.VALVE_EXERCISED, 3), (codes.VALVE_OPENED, 1), (codes.VALVE_LEAK_BY, 2)],
    ids=["ceased", "exercise", "opened", "two pulses"],
)
def test_news_is_no_case(world: World, code: int, argument: int) -> None:
    meter = world.add()
    world.receive(meter, meter.event(code, 3, argument, AT_S))
    assert world.rows("SELECT kind FROM case_file") == []


def test_work_on_site_does_not_say_that_the_books_disagree(world: World) -> None:
    meter = world.add()
    world.receive(meter, meter.event(codes.AIR, 3, 120, AT_S))
    homes = world.reader.read(lambda connection: read_facts(connection, AT_S)).homes
    assert [home.open_cases for home in homes] == [0]


def test_a_change_by_cable_names_its_grant_and_role() -> None:
    """The meter's word for who came with a cable: number * 256 + role."""
    line = told(MeterEvent(1, "Mariama", AT_S, codes.SERVICE, 7 * 256 + 2))
    assert ("n° 7 (rôle 2)" in line.what_fr, "grant no. 7 (role 2)" in line.what_en) == (True, True)


@pytest.mark.parametrize("code", [*WORK, codes.VALVE_EXERCISED])
def test_each_has_its_words_in_both_languages(code: int) -> None:
    line = told(MeterEvent(1, "Mariama", AT_S, code, 17))
    assert "17" in line.what_fr and "17" in line.what_en
    assert line.what_fr != line.what_en and str(code) not in line.what_fr.split()
