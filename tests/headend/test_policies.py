"""Valve policies in the words of a utility, over REST and the command line (B4 of FEATURES; SEMANTICS E1)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from headend.api.meters import MeterPath
from headend.api.policies import PoliciesToSet, PolicyToSet, put_policies, put_policy
from headend.api.problems import Problem
from headend.api.valve_policy import ValvePolicy, record_of, words_of
from headend.cli.policies import policy
from headend.refusals import Refused
from protocol.rules.calendar import day_of_date, first_slot_of_day
from protocol.wire.event_codes import VALVE_CLOSED
from tests.headend.world import NIAMEY, World

WHOLE: dict[str, Any] = {
    "tamper_closes": True,
    "low_battery": "open",
    "emergency_mills": 200_000,
    "emergency_unsure_mills": 300_000,
    "lifeline_l_per_day": 50,
    "low_credit_mills": 400_000,
    "friendly_hours": [{"days": ["mon", "tue", "fri"], "begins": "17:00", "ends": "08:30"}],
    "holidays": ["2026-12-25", "2027-01-01"],
    "holidays_end": "09:00",
    "friendly_cap_l": 500,
    "friendly_needs_credit": True,
    "friendly_until": "2027-12-31T00:00:00Z",
    "grace_s": 600,
    "jitter_s": 1200,
    "vulnerable_until": "2027-03-31",
    "vulnerable_l_per_day": 200,
    "amnesty_until": "2026-12-31",
    "amnesty_cap_l": 3_000,
    "fire_s": 3_600,
    "fire_every_days": 7,
    "fire_cap_l": 2_000,
    "pulse_l": 5,
    "pause_s": 900,
}


def given(**changes: Any) -> ValvePolicy:
    return msgspec.convert({**WHOLE, **changes}, ValvePolicy)


def test_b4_every_field_reaches_the_record_and_comes_back_in_words() -> None:
    """B4: dates protect through their day; times are local; what was said is shown again word for word."""
    record = record_of(given(), NIAMEY)
    assert record.vulnerable_until_slot == first_slot_of_day(day_of_date(2027, 4, 1), NIAMEY)
    assert record.amnesty_until_slot == first_slot_of_day(day_of_date(2027, 1, 1), NIAMEY)
    assert record.holidays == (day_of_date(2026, 12, 25), day_of_date(2027, 1, 1))
    assert (record.windows, record.holiday_end_min) == (((0b0010011, 1_020, 510),), 540)
    assert words_of(record, NIAMEY) == given()
    assert words_of(record_of(ValvePolicy(), NIAMEY), NIAMEY) == ValvePolicy()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"emergency_unsure_mills": 100_000}, "/policy/emergency_unsure_mills"),
        ({"friendly_cap_l": 0}, "/policy/friendly_hours"),
        ({"friendly_hours": [{"days": ["mon"], "begins": "17:05", "ends": "08:30"}]}, "/policy/friendly_hours"),
        ({"holidays": ["2027-01-01", "2026-12-25"]}, "/policy/holidays"),
        ({"holidays": ["2026-02-30"]}, "/policy/holidays"),
        ({"holidays_end": "09:05"}, "/policy/holidays_end"),
        ({"grace_s": 61}, "/policy/grace_s"),
        ({"vulnerable_l_per_day": 0}, "/policy/vulnerable_until"),
        ({"vulnerable_until": None}, "/policy/vulnerable_until"),
        ({"amnesty_cap_l": 0}, "/policy/amnesty_until"),
        ({"fire_every_days": 0}, "/policy/fire_s"),
        ({"pulse_l": 51}, "/policy/pulse_l"),
        ({"pause_s": 61}, "/policy/pause_s"),
    ],
)
def test_e1_a_policy_without_its_bounds_is_refused_at_the_field(change: dict[str, Any], pointer: str) -> None:
    """E1: every relaxation has an end and a cap; the refusal points at the request's own field."""
    with pytest.raises(Problem) as refused:
        record_of(given(**change), NIAMEY)
    assert refused.value.errors[0][0] == pointer
    assert refused.value.errors[0][1]


def test_b4_a_policy_for_one_meter_and_for_all_of_a_tariff(world: World) -> None:
    """B4: pushed as signed data with the next answer; many meters in pages, and only those of the tariff."""
    for number in (1, 2, 3):
        world.add(number)
    first = world.writer.run(lambda tx: put_policy(tx, MeterPath("0" * 15 + "1"), PolicyToSet(given())))
    assert (first.version, first.held_version, first.policy) == (2, 1, given())
    with pytest.raises(Refused, match=r"tariff-unknown: tariff_code: other"):
        world.writer.run(lambda tx: put_policies(tx, PoliciesToSet(given(), "other")))
    page = world.writer.run(lambda tx: put_policies(tx, PoliciesToSet(given(), "home", limit=2)))
    last = world.writer.run(lambda tx: put_policies(tx, PoliciesToSet(given(), "home", cursor=page.next or "")))
    assert (page.meters, last.meters, last.next) == (2, 1, None)
    assert world.rows("SELECT max(version) FROM pack WHERE kind = 4 GROUP BY meter_id") == [(3,), (2,), (2,)]


def run(world: World, *arguments: str) -> Any:
    return CliRunner().invoke(policy, [arguments[0], "--db", str(world.path), *arguments[1:]])


def test_b4_the_decision_is_explained_in_a_sentence(world: World, tmp_path: Path) -> None:
    """B4: in French and English, from the last reason that the meter told."""
    meter = world.add()
    assert "pas encore" in run(world, "explain", meter.meter_id.hex()).output
    world.receive(meter, meter.event(VALVE_CLOSED, 1, 32, 1_800_000_000))
    assert run(world, "explain", meter.meter_id.hex()).output.startswith("L’eau est fermée")
    told = json.loads(run(world, "explain", meter.meter_id.hex(), "--lang", "en", "--json").output)
    assert (told["valve"], told["reason"], told["since"]) == ("closed", 32, "2027-01-15T08:00:00Z")
    assert told["sentence"].startswith("Water is off")
    assert json.loads(run(world, "show", meter.meter_id.hex()).output)["policy"]["low_credit_mills"] == 500_000
    assert run(world, "show", "0000000000000009").exit_code == 1


def test_b4_a_policy_is_set_from_a_file(world: World, tmp_path: Path) -> None:
    meter = world.add()
    world.close()
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"policy": WHOLE}))
    done = run(world, "set", meter.meter_id.hex(), str(file))
    assert json.loads(done.output)["version"] == 2
    assert json.loads(run(world, "set-all", str(file), "--tariff", "home").output) == {"meters": 1}
    file.write_text(json.dumps({"policy": {"fire_s": 3_600}}))
    refused = run(world, "set", meter.meter_id.hex(), str(file))
    assert refused.exit_code == 1
    assert "/policy/fire_" in refused.output
