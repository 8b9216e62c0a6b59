"""Orders to one meter over REST: given, seen on the meter, refused by field (CT-05, SEMANTICS D1, D4, A4, F3)."""

from typing import Any

import pytest

from tests.api.conftest import METER, House

COMMANDS = f"/v1/meters/{METER}/commands"


async def test_a_command_is_seen_on_its_meter_until_it_is_done(house: House) -> None:
    """D1: numbered, good for a day, wanted until the meter answers."""
    await house.settle_in()
    given = await house.post(COMMANDS, {"order": "open", "hold_s": 3600, "limit_l": 200})
    assert (given.status, given.json["command"], given.json["state"]) == (201, 1, "wanted")
    other = await house.post(COMMANDS, {"order": "report-period", "report_slots": 48}, idempotency_key="another-one")
    assert other.json["command"] == 2
    meter = await house.meter()
    assert [(one["command"], one["order"], one["state"]) for one in meter["commands"]] == [
        (2, "report-period", "wanted"),
        (1, "open", "wanted"),
    ]
    assert meter["commands"][1]["hold_s"] == 3600 and meter["commands"][1]["limit_l"] == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"order": "open", "hold_s": 60}, "/limit_l"),
        ({"order": "open", "limit_l": 60}, "/hold_s"),
        ({"order": "open", "hold_s": 86_401, "limit_l": 1}, "/hold_s"),
        ({"order": "close", "hold_s": 60, "limit_l": 5}, "/limit_l"),
        ({"order": "release", "hold_s": 60}, "/hold_s"),
        ({"order": "report-period", "report_slots": 5}, "/report_slots"),
        ({"order": "tell", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
async def test_a_command_that_no_meter_takes_is_refused_by_field(
    house: House, body: dict[str, Any], pointer: str
) -> None:
    await house.settle_in()
    refused = await house.post(COMMANDS, body)
    assert refused.status == 400
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert (await house.meter())["commands"] == []


async def test_a_refused_command_says_what_it_takes(house: House) -> None:
    """In the caller's language, without looking into another document."""
    await house.settle_in()
    refused = await house.post(COMMANDS, {"order": "report-period", "report_slots": 5}, accept_language="fr")
    assert "report_slots : 1, 2, 3, 4, 6, 8, 12, 16, 24 ou 48" in refused.json["errors"][0]["detail"]
    refused = await house.post(COMMANDS, {"order": "open", "hold_s": 60}, idempotency_key="another-one")
    assert "open, limit_l: –" in refused.json["detail"] and "and limit_l" in refused.json["errors"][0]["detail"]


async def test_keys_are_asked_for_once_and_a_renewal_ends_that(house: House) -> None:
    """D4, A4: the epoch asked for is seen; a new wallet generation begins with epoch 0 and new keys."""
    await house.settle_in()
    asked = await house.post(f"/v1/meters/{METER}/rekey", {})
    assert (asked.status, asked.json["next_epoch"]) == (201, 1)
    again = await house.post(f"/v1/meters/{METER}/rekey", {}, idempotency_key="another-one")
    assert (again.status, again.code) == (409, "rekey_under_way")
    renewed = await house.post(f"/v1/meters/{METER}/renewals", {"index_l": 10**6}, idempotency_key="a-third-one")
    assert (renewed.status, renewed.json["generation"], renewed.json["epoch"]) == (201, 2, 0)
    meter = await house.meter()
    assert (meter["generation"], meter["epoch"], meter["next_epoch"]) == (2, 0, None)
    assert meter["counters"]["volume_l"] == 10**6


async def test_half_hours_that_are_not_over_are_refused(house: House) -> None:
    """F3."""
    await house.settle_in()
    body = {"since": "2098-01-01T00:00:00Z", "until": "2098-01-01T01:00:00Z"}
    refused = await house.post(f"/v1/meters/{METER}/slot-requests", body)
    assert (refused.status, refused.code) == (400, "slots_asked")
