"""Jobs for technicians: made by the office, claimed with a one-time token, guessed at in vain (CT-33)."""

import json
from typing import Any

import pytest

from headend.api.endpoint import SCOPES
from headend.api.routes import ENDPOINTS
from protocol.wire.grants import GRANT_S_MAX, Grant, check, grant_key
from tests.api.conftest import METER, NOW_UNIX_S, House
from tests.api.field_world import (
    CLAIM,
    INSTALL,
    NEW,
    RETIRE,
    SPARE,
    SWAP,
    VISIT,
    Laptop,
    hear,
    key_for,
    made_job,
    rows,
)

HOUR_S = 3600


@pytest.fixture
async def laptop(house: House) -> Laptop:
    await house.settle_in()
    return Laptop(house)


def later(house: House, seconds: int) -> None:
    house.clock.set((NOW_UNIX_S + seconds) * 1_000_000)


async def test_a_claim_gives_what_the_technician_needs_on_site(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take({**INSTALL, "note": "behind the school"})
    assert made["meter_id"] == NEW and made["expires_at"] == "2026-02-22T19:00:00Z"
    job, identity = claimed["job"], claimed["identity"]
    assert (job["state"], job["holder"], job["note"]) == ("claimed", "B", "behind the school")
    assert (job["currency"], job["exponent"], job["litres_per_pulse"]) == ("XOF", 0, 1)
    assert identity["customer_number"] == job["customer_number"]
    assert len(identity["root"]) == 32 and identity["opening_frame"] and identity["meter_id"] == NEW
    assert claimed["installation_grace_mills"] == 500_000
    [grant] = claimed["grants"]
    terms = Grant(bytes.fromhex(NEW), *(grant[name] for name in Grant._fields[1:]))
    assert grant_key(bytes.fromhex(identity["root"]), check(terms)).hex() == grant["key"]
    assert (terms.number, terms.role, terms.uses) == (1, 2, 50)
    assert (terms.from_s, terms.until_s) == (NOW_UNIX_S - 600, NOW_UNIX_S + 24 * HOUR_S)


async def test_a_lost_answer_harms_nothing_and_another_claim_gets_nothing(house: House, laptop: Laptop) -> None:
    made, first = await laptop.take(INSTALL)
    later(house, 3 * HOUR_S)
    again = await laptop.claim(made["job_id"], made["token"].lower().replace("-", " "))
    assert again.json == first
    other = await laptop.claim(made["job_id"], made["token"], "d2" * 32)
    assert (other.status, other.code) == (409, "token_used")
    assert await rows(house, "SELECT count(*) FROM field_grant") == [(1,)]


async def test_the_root_is_in_no_answer_but_a_good_claim(house: House, laptop: Laptop) -> None:
    made = await made_job(house, INSTALL)
    answers = [json.dumps(made)]
    refused = await laptop.claim(made["job_id"], "0" * 16)
    claimed = await laptop.claim(made["job_id"], made["token"])
    root, grant = claimed.json["identity"]["root"], claimed.json["grants"][0]["key"]
    answers += [refused.text, (await laptop.claim(made["job_id"], made["token"], "d2" * 32)).text]
    for path in ("/v1/field/jobs", f"/v1/field/jobs/{made['job_id']}", "/v1/audit", "/v1/grants"):
        answers.append((await house.get(path)).text)
    assert not [answer for answer in answers if root in answer or grant in answer]
    kept = repr(await rows(house, "SELECT * FROM field_job, field_grant, field_identity"))
    assert repr(bytes.fromhex(root))[2:-1] not in kept and made["token"] not in kept
    assert await rows(house, "SELECT count(*) FROM idempotency WHERE key LIKE '%claim%'") == [(0,)]


async def test_once_the_meter_is_heard_its_key_is_not_given_again(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take(INSTALL)
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(1,)]
    await hear(house, claimed["identity"])
    spent = await laptop.claim(made["job_id"], made["token"])
    assert (spent.status, spent.code) == (409, "identity_spent")
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(0,)], "and it is not kept either"


async def test_guessing_ends_at_ten_and_survives_a_refusal(house: House, laptop: Laptop) -> None:
    """Each wrong token is committed although it is refused."""
    made = await made_job(house, INSTALL)
    for wrong in range(10):
        refused = await laptop.claim(made["job_id"], f"{wrong:016}")
        assert (refused.status, refused.code) == (403, "token_wrong")
    assert f"{0:016}" not in refused.text
    right = await laptop.claim(made["job_id"], made["token"])
    assert (right.status, right.code) == (403, "job_locked")
    assert await rows(house, "SELECT attempts, state FROM field_job") == [(10, "open")]


async def test_a_guess_does_not_lock_out_who_has_claimed_before(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(INSTALL)
    assert (await laptop.claim(made["job_id"], "0" * 16)).code == "token_wrong"
    assert (await laptop.claim(made["job_id"], made["token"])).status == 200


async def test_time_over_cancelled_and_never_there(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(INSTALL)
    visit = await made_job(house, VISIT)
    later(house, 24 * HOUR_S)
    assert (await laptop.claim(made["job_id"], made["token"])).code == "job_expired"
    assert (await laptop.claim("j99", made["token"])).code == "job_unknown"
    cancelled = await house.post(f"/v1/field/jobs/{visit['job_id']}/cancel", {})
    assert cancelled.json["state"] == "cancelled"
    over = await laptop.claim(visit["job_id"], visit["token"])
    assert (over.status, over.code) == (409, "job_over")
    assert (await house.post("/v1/field/jobs/j99/cancel", {})).code == "job_unknown"
    again = await house.post(f"/v1/field/jobs/{visit['job_id']}/cancel", {})
    assert again.json["state"] == "cancelled"


async def test_another_technicians_job_is_as_unknown_as_none(house: House, laptop: Laptop) -> None:
    mine = await made_job(house, {**VISIT, "technician": "test"})
    other = Laptop(house, await key_for(house, "Moussa", "field"), bytes(31) + b"\x02")
    theirs = await made_job(house, {**INSTALL, "technician": "Moussa"})
    listed = (await house.get("/v1/field/jobs", **other.headers)).json
    assert [job["job_id"] for job in listed["items"]] == [theirs["job_id"]]
    place = f"/v1/field/jobs/{mine['job_id']}"
    for refused in (await house.get(place, **other.headers), await other.claim(mine["job_id"], mine["token"])):
        assert (refused.status, refused.code) == (404, "job_unknown")
    assert await rows(house, "SELECT attempts FROM field_job WHERE technician = 'test'") == [(0,)]
    everything = (await house.get("/v1/field/jobs?limit=1")).json
    assert everything["items"][0]["job_id"] == mine["job_id"] and everything["next"]


async def test_a_technician_sees_what_is_to_be_done(house: House, laptop: Laptop) -> None:
    key = await key_for(house, "Moussa", "field")
    made = await made_job(house, {**VISIT, "technician": "Moussa", "hours": 1})
    asked = {"authorization": f"Bearer {key}"}
    assert len((await house.get("/v1/field/jobs", **asked)).json["items"]) == 1
    later(house, HOUR_S)
    assert (await house.get("/v1/field/jobs", **asked)).json == {"items": [], "next": None}
    shown = (await house.get(f"/v1/field/jobs/{made['job_id']}", **asked)).json
    assert (shown["state"], shown["first_uplink_at"], shown["radio"]) == ("open", None, None)


@pytest.mark.parametrize(
    ("job", "field"),
    [
        ({**INSTALL, "meter_id": METER}, "meter_id"),
        ({name: value for name, value in INSTALL.items() if name != "meter"}, "meter"),
        ({**INSTALL, "role": 2}, "role"),
        ({**SWAP, "meter": INSTALL["meter"]}, "meter"),
        ({**SWAP, "new_meter_id": METER}, "new_meter_id"),
        ({name: value for name, value in SWAP.items() if name != "first_index_l"}, "first_index_l"),
        ({**RETIRE, "role": 2}, "role"),
        ({**RETIRE, "litres_per_pulse": 1}, "litres_per_pulse"),
        ({name: value for name, value in VISIT.items() if name != "role"}, "role"),
    ],
)
async def test_each_kind_of_job_takes_its_own_fields(house: House, laptop: Laptop, job: Any, field: str) -> None:
    refused = await house.post("/v1/field/jobs", job)
    assert (refused.status, refused.code) == (400, "job_fields")
    assert refused.json["errors"][0]["pointer"] == f"/{field}"


async def test_jobs_are_for_technicians_whose_key_is_in_use(house: House, laptop: Laptop) -> None:
    await key_for(house, "reader", "read")
    await key_for(house, "gone", "field")
    assert (await house.post("/v1/keys/gone/revoke", {})).status == 200
    for name in ("nobody", "reader", "gone"):
        refused = await house.post("/v1/field/jobs", {**VISIT, "technician": name})
        assert (refused.status, refused.code) == (409, "technician_unknown"), name


async def test_a_meter_has_one_job_at_a_time_and_a_fresh_key_for_each(house: House, laptop: Laptop) -> None:
    """A root that may be on a lost laptop is never given to another."""
    made, first = await laptop.take(INSTALL)
    again = {"kind": "install", "technician": "test", "hours": 1, "meter_id": NEW}
    refused = await house.post("/v1/field/jobs", again)
    assert (refused.status, refused.code) == (409, "meter_has_job")
    await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})
    _, second = await laptop.take(again)
    assert second["identity"]["root"] != first["identity"]["root"]
    assert (first["identity"]["generation"], second["identity"]["generation"]) == (1, 2)
    [grant] = second["grants"]
    assert (grant["number"], grant["generation"]) == (2, 2), "numbers rise for ever"


async def test_a_spare_whose_key_went_out_gets_another_and_one_that_speaks_none(house: House, laptop: Laptop) -> None:
    made, first = await laptop.take(SWAP)
    await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})
    made, second = await laptop.take(SWAP)
    assert second["identity"]["root"] != first["identity"]["root"]
    [_, grant] = second["grants"]
    assert (grant["meter_id"], grant["number"]) == (SPARE, 2)
    await hear(house, second["identity"])
    await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})
    refused = await house.post("/v1/field/jobs", SWAP)
    assert (refused.status, refused.code) == (409, "meter_heard")
    assert refused.json["errors"][0]["pointer"] == "/new_meter_id"


async def test_a_meter_that_is_gone_meanwhile_gets_no_grant(house: House, laptop: Laptop) -> None:
    made = await made_job(house, VISIT)
    assert (await house.post(f"/v1/meters/{METER}/retirement", {})).status < 300
    gone = await laptop.claim(made["job_id"], made["token"])
    assert (gone.status, gone.code) == (404, "meter_unknown")


async def test_a_meter_that_speaks_is_not_installed_again(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take(INSTALL)
    await hear(house, claimed["identity"])
    await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})
    refused = await house.post("/v1/field/jobs", {**VISIT, "kind": "install", "role": None, "meter_id": NEW})
    assert (refused.status, refused.code) == (409, "meter_heard")
    twice = await house.post("/v1/field/jobs", INSTALL)
    assert (twice.status, twice.code) == (409, "meter_exists")
    unknown = await house.post("/v1/field/jobs", {**VISIT, "meter_id": SPARE})
    assert (unknown.status, unknown.code) == (404, "meter_unknown")


async def test_a_refusal_inside_the_meter_points_there(house: House, laptop: Laptop) -> None:
    policy = {"friendly_hours": [{"days": ["mon"], "begins": "18:00", "ends": "06:00"}]}
    refused = await house.post("/v1/field/jobs", {**INSTALL, "meter": {**INSTALL["meter"], "policy": policy}})
    assert refused.code == "policy" and refused.json["errors"][0]["pointer"].startswith("/meter/policy/")
    unknown = await house.post("/v1/field/jobs", {**INSTALL, "meter": {**INSTALL["meter"], "tariff_code": "other"}})
    assert (unknown.status, unknown.code) == (409, "tariff_unknown")
    assert await rows(house, "SELECT count(*) FROM field_job") == [(0,)]


async def test_grants_of_each_kind_of_job(house: House, laptop: Laptop) -> None:
    """One per meter: a meter that has seen a higher number takes no lower one."""
    swap = (await laptop.take(SWAP))[1]
    assert [(one["meter_id"], one["role"]) for one in swap["grants"]] == [(METER, 4), (SPARE, 2)]
    assert swap["identity"]["meter_id"] == SPARE and swap["identity"]["opening_frame"] == ""
    assert (swap["job"]["litres_per_pulse"], swap["identity"]["litres_per_pulse"]) == (10, 10)
    _, install = await laptop.take(INSTALL)
    await hear(house, install["identity"])
    await house.post("/v1/field/jobs/j2/cancel", {})
    for body, role in ((VISIT, 2), ({**VISIT, "role": 3}, 3), (RETIRE, 4)):
        made, claimed = await laptop.take({**body, "meter_id": NEW})
        assert [(one["meter_id"], one["role"]) for one in claimed["grants"]] == [(NEW, role)]
        assert claimed["identity"] is None
        await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})
    assert [row[0] for row in await rows(house, "SELECT number FROM field_grant WHERE role <> 4 OR job_id > 2 "
                                                 "ORDER BY meter_id, number")] == [1, 2, 3, 4, 1]  # fmt: skip


async def test_a_job_for_tomorrow_is_claimed_today(house: House, laptop: Laptop) -> None:
    """There is a network in the office; the grant begins when the job does."""
    tomorrow = {**VISIT, "not_before": "2026-02-22T07:00:00Z", "hours": 72}
    _, claimed = await laptop.take(tomorrow)
    [grant] = claimed["grants"]
    begins_s = NOW_UNIX_S + 12 * HOUR_S
    assert (grant["from_s"], grant["until_s"]) == (begins_s, begins_s + GRANT_S_MAX)


async def test_who_may_do_what(house: House, laptop: Laptop) -> None:
    """All scopes and all routes of field work: the field scope opens four doors and no other."""
    field = [endpoint for endpoint in ENDPOINTS if endpoint.tag == "Field work" or "close" in endpoint.path]
    allowed = {endpoint.name for endpoint in ENDPOINTS if "field" in endpoint.scopes}
    assert allowed == {"enrol_tool", "list_jobs", "get_job", "claim_job", "post_record"}
    held = {scope: await key_for(house, scope, scope) for scope in SCOPES}
    for endpoint in field:
        path = endpoint.path.replace("{job_id}", "j1").replace("{case}", "1")
        for scope, key in held.items():
            asked = await house.ask(
                endpoint.method, path, b"{}", authorization=f"Bearer {key}", content_type="application/json"
            )
            assert (asked.status == 403) == (scope not in endpoint.scopes), (path, scope, asked.text)


async def test_a_key_of_the_field_scope_opens_nothing_else(house: House, laptop: Laptop) -> None:
    made = await house.post("/v1/keys", {"name": "Moussa", "scopes": ["field"]})
    assert made.json["scopes"] == ["field"]
    enrolled = await Laptop(house, made.json["key"]).enrol()
    assert (enrolled.status, enrolled.json["technician"]) == (201, "Moussa")
    assert (await house.get("/v1/meters", authorization=f"Bearer {made.json['key']}")).code == "scope_missing"


async def test_a_tool_belongs_to_one_technician(house: House, laptop: Laptop) -> None:
    first = await laptop.enrol()
    again = await laptop.enrol()
    assert first.json == again.json == {"technician": "test", "fingerprint": laptop.fingerprint}
    other = Laptop(house, await key_for(house, "Moussa", "field"))
    taken = await other.enrol()
    assert (taken.status, taken.code) == (409, "tool_taken")
    for wrong in ("00" * 32, "01" + "00" * 31, "ff" * 32, "02" + "00" * 31):
        refused = await house.post("/v1/field/enrolments", {"public_key": wrong, "tool": "x"})
        assert (refused.status, refused.code) == (400, "tool_key"), wrong
    assert await rows(house, "SELECT count(*) FROM field_tool") == [(1,)]


async def test_claims_and_tools_need_no_idempotency_key(house: House, laptop: Laptop) -> None:
    """What means the same by its content may be repeated as it is."""
    made = await made_job(house, INSTALL)
    raw = json.dumps({"token": made["token"], "claim": CLAIM}).encode()
    asked = {"authorization": f"Bearer {house.api_key}", "content_type": "application/json"}
    path = f"/v1/field/jobs/{made['job_id']}/claim"
    first, second = [await house.ask("POST", path, raw, **asked) for _ in range(2)]
    assert (first.status, first.json) == (200, second.json)
