"""Records of field work: who signed, which meters attest, what they change, and every refusal (CT-33, IW-35, IW-83)."""

import json
from typing import Any

import pytest

from headend.ledger.cases import CaseKind
from protocol.wire.downlinks import decode_down
from protocol.wire.envelope import DOWN, open_frame, read_header
from protocol.wire.keys import derive
from protocol.wire.messages import Opening
from tests.api.conftest import METER, NOW_UNIX_S, House, payment
from tests.api.field_world import (
    CHECKLIST,
    FINAL,
    INSTALL,
    NEW,
    NIAMEY,
    RETIRE,
    SPARE,
    SWAP,
    VISIT,
    Laptop,
    attested,
    cases,
    frame_of,
    hear,
    key_for,
    meter_of,
    open_case_on_site,
    record_of,
    refused,
    rows,
    step,
    without,
)


@pytest.fixture
async def laptop(house: House) -> Laptop:
    """An enrolled tool, with seals in stock and a service area."""
    await house.settle_in()
    seals = await house.post("/v1/seals", {"prefix": "NE", "first": "0100", "last": "0109"})
    assert seals.json == {"count": 10, "first": "NE0100", "last": "NE0109"}
    settings = {"service_area": NIAMEY, "installation_grace_mills": 250_000}
    assert (await house.post("/v1/field/settings", settings)).status == 200
    laptop = Laptop(house)
    assert (await laptop.enrol()).status == 201
    return laptop


# ---- what is taken -------------------------------------------------------------------------------------------------


async def test_an_installation_is_recorded_and_done_when_the_meter_is_heard(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take(INSTALL)
    assert claimed["installation_grace_mills"] == 250_000
    record = attested(record_of(made, *CHECKLIST), claimed["identity"]["root"], NEW)
    taken = await laptop.send(record)
    assert taken.json == {
        "record_id": "r1",
        "job_id": made["job_id"],
        "state": "recorded",
        "opening_frame": None,
        "first_uplink_at": None,
        "findings": [],
    }
    assert await cases(house) == {}
    house.clock.set((NOW_UNIX_S + 90) * 1_000_000)
    await hear(house, claimed["identity"])
    job = (await house.get(f"/v1/field/jobs/{made['job_id']}")).json
    assert (job["state"], job["first_uplink_at"]) == ("done", "2026-02-21T19:01:30Z")
    assert job["radio"] == {"bearer": "http", "rssi_dbm": None, "snr_db": None, "margin_db": None}
    again = await laptop.send(record)
    assert again.json == {**taken.json, "state": "done", "first_uplink_at": "2026-02-21T19:01:30Z"}
    assert await rows(house, "SELECT count(*) FROM field_record") == [(1,)]
    assert (await laptop.claim(made["job_id"], made["token"])).code == "job_over"
    [(stored, place)] = await rows(
        house,
        "SELECT r.record, p.lat_e6 || ' ' || p.lon_e6 || ' ' || p.accuracy_m FROM field_record r "
        "JOIN contract c USING (meter_id) JOIN service_point p ON p.id = c.service_point_id",
    )
    assert json.loads(stored) == record and place == "13512345 2112345 5"
    shown = (await house.get(f"/v1/meters/{NEW}")).json["position"]
    assert shown == {"lat_e6": 13_512_345, "lon_e6": 2_112_345, "accuracy_m": 5}
    assert (await house.get(f"/v1/meters/{METER}")).json["position"] is None


async def test_frames_that_were_carried_are_in_the_books_and_prove_the_key(house: House, laptop: Laptop) -> None:
    """They show no way to the meter, and not when they were sealed: nothing is answered, no time is told."""
    made, claimed = await laptop.take(INSTALL)
    frames = [{"meter_id": NEW, "frame": frame_of(claimed["identity"], counter)} for counter in (0, 1)]
    record = attested(record_of(made, *CHECKLIST, frames=frames), claimed["identity"]["root"], NEW)
    taken = (await laptop.send(record)).json
    assert (taken["state"], taken["findings"], taken["first_uplink_at"]) == ("done", [], "2026-02-21T19:00:00Z")
    assert await rows(house, "SELECT bearer, counter FROM uplink") == [(4, 0), (4, 1)]
    link = "SELECT heard_us, bearer, address, down_next FROM meter_link WHERE meter_id = ?"
    assert await rows(house, link, bytes.fromhex(NEW)) == [(None, None, None, 1)]
    shown = (await house.get(f"/v1/field/jobs/{made['job_id']}")).json
    assert shown["radio"]["bearer"] == "hand"
    house.clock.set((NOW_UNIX_S + 90) * 1_000_000)
    await hear(house, claimed["identity"], 2)
    shown = (await house.get(f"/v1/field/jobs/{made['job_id']}")).json
    assert (shown["radio"]["bearer"], shown["first_uplink_at"]) == ("http", "2026-02-21T19:01:30Z")


async def test_a_swap_carries_the_wallet_and_answers_with_the_opening(house: House, laptop: Laptop) -> None:
    """IW-23: the frames of the old meter first, then its wallet is closed."""
    await house.notify(payment())
    made, claimed = await laptop.take(SWAP)
    steps = (*without("pulse_weight", step("pulse_weight", litres_per_pulse=10)), FINAL)
    record = attested(record_of(made, *steps), claimed["identity"]["root"], SPARE)
    taken = (await laptop.send(record)).json
    assert (taken["state"], taken["findings"]) == ("recorded", ["not_attested"]), "the old meter did not attest"
    keys = derive(bytes.fromhex(claimed["identity"]["root"]), bytes.fromhex(SPARE), 1, 0)
    frame = bytes.fromhex(taken["opening_frame"])
    plaintext = open_frame(keys, DOWN, frame, 0)
    assert plaintext is not None
    opening = decode_down(read_header(frame).type, plaintext)
    assert isinstance(opening, Opening)
    assert (opening.credited_mills, opening.volume_l) == (500_000 - 40 * 127, 20), "40 litres were never reported"
    old, new = [(await house.get(f"/v1/meters/{one}")).json for one in (METER, SPARE)]
    assert (old["state"], new["state"], new["customer_number"]) == ("retired", "active", "00000195")
    job = (await house.get(f"/v1/field/jobs/{made['job_id']}")).json
    assert (job["holder"], job["customer_number"]) == ("Aïcha Abdou", "00000195")
    again = (await laptop.send(record)).json
    assert again == taken, "a lost answer: the same OPENING"
    await hear(house, claimed["identity"])
    assert (await laptop.send(record)).json["state"] == "done"
    assert (await house.get("/v1/ledger/check")).json["faults"] == []


async def test_a_retirement_ends_the_meter_and_its_seal(house: House, laptop: Laptop) -> None:
    seal = await laptop.take(VISIT)
    await laptop.send(record_of(seal[0], step("seal", number="NE0105")))
    made, _ = await laptop.take(RETIRE)
    taken = (await laptop.send(record_of(made, FINAL))).json
    assert (taken["state"], taken["findings"], taken["opening_frame"]) == ("done", ["not_attested"], None)
    assert (await house.get(f"/v1/meters/{METER}")).json["state"] == "retired"
    [broken] = (await house.get(f"/v1/seals?meter_id={METER}")).json["items"]
    assert (broken["number"], broken["state"], broken["broken_at"]) == ("NE0105", "broken", "2026-02-21T19:00:00Z")


async def test_an_index_that_cannot_be_is_left_out(house: House, laptop: Laptop) -> None:
    """What was done on site is done: the meter's own last word counts, and a person looks at it."""
    for body, values in ((SWAP, {"volume_l": 2**50}), (RETIRE, {"volume_l": -1})):
        body = body if body is SWAP else {**RETIRE, "meter_id": SPARE}
        made, _ = await laptop.take(body)
        taken = (await laptop.send(record_of(made, step("final", **values)))).json
        assert "final_index_behind" in taken["findings"], taken
    assert (await house.get(f"/v1/meters/{SPARE}")).json["state"] == "retired"
    assert (await house.get("/v1/ledger/check")).json["faults"] == []


async def test_an_index_behind_the_meters_own_word_is_left_out(house: House, laptop: Laptop) -> None:
    """The frames that come with the record tell more than was read by eye."""
    made, claimed = await laptop.take(INSTALL)
    await laptop.send(record_of(made, *CHECKLIST))
    meter = meter_of(claimed["identity"])
    house.clock.set((NOW_UNIX_S + 86_400) * 1_000_000)
    meter.use([3] * 48)
    made, _ = await laptop.take({**RETIRE, "meter_id": NEW})
    frames = [{"meter_id": NEW, "frame": meter.report(0, 48).hex()}]
    record = record_of(made, step("final", volume_l=143), frames=frames)
    times = {"started_at": NOW_UNIX_S + 86_400, "finished_at": NOW_UNIX_S + 86_400}
    taken = (await laptop.send(attested({**record, **times}, claimed["identity"]["root"], NEW))).json
    assert taken["findings"] == ["final_index_behind"]
    ended = (await house.get(f"/v1/meters/{NEW}")).json
    assert (ended["state"], ended["counters"]["volume_l"]) == ("retired", 144)
    assert (await house.get("/v1/ledger/check")).json["faults"] == []


async def test_a_dead_meter_is_retired_on_its_last_word(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(RETIRE)
    steps = [step("final", "waived", reason="its battery is empty")]
    assert (await laptop.send(record_of(made, *steps))).json["findings"] == ["final_waived", "not_attested"]
    assert (await house.get(f"/v1/meters/{METER}")).json["state"] == "retired"


async def test_a_retirement_without_a_last_reading_says_so(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(RETIRE)
    assert (await laptop.send(record_of(made))).json["findings"] == ["final_missing", "not_attested"]


@pytest.mark.parametrize("genuine", [True, False])
async def test_the_old_meter_of_a_swap_is_proved_by_a_frame_that_it_sealed(
    house: House, laptop: Laptop, genuine: bool
) -> None:
    """Any bytes in its name prove nothing."""
    made, installed = await laptop.take(INSTALL)
    await laptop.send(record_of(made, *CHECKLIST))
    frame = frame_of(installed["identity"]) if genuine else "00" * 40
    made, claimed = await laptop.take({**SWAP, "meter_id": NEW, "litres_per_pulse": 1})
    steps = (*without("seal", step("seal", number="NE0107")), FINAL)
    record = record_of(made, *steps, frames=[{"meter_id": NEW, "frame": frame}])
    sent = (await laptop.send(attested(record, claimed["identity"]["root"], SPARE))).json
    assert sent["findings"] == ([] if genuine else ["not_attested", "frame_refused"])


async def test_a_frame_that_was_heard_before_proves_no_meter(house: House, laptop: Laptop) -> None:
    """Whoever listens to the radio has it: it says nothing of who stood at the old meter."""
    made, installed = await laptop.take(INSTALL)
    await laptop.send(record_of(made, *CHECKLIST))
    await hear(house, installed["identity"])
    made, claimed = await laptop.take({**SWAP, "meter_id": NEW, "litres_per_pulse": 1})
    steps = (*without("seal", step("seal", number="NE0107")), FINAL)
    record = record_of(made, *steps, frames=[{"meter_id": NEW, "frame": frame_of(installed["identity"])}])
    sent = (await laptop.send(attested(record, claimed["identity"]["root"], SPARE))).json
    assert sent["findings"] == ["not_attested"]


async def test_what_the_office_ended_meanwhile_is_not_ended_twice(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take(SWAP)
    done = await house.post(f"/v1/meters/{METER}/swaps", {"new_meter_id": SPARE, "first_index_l": 20})
    assert done.status == 201
    taken = (await laptop.send(attested(record_of(made, FINAL), claimed["identity"]["root"], SPARE))).json
    assert "ended_before" in taken["findings"] and taken["opening_frame"] != done.json["opening_frame"]
    assert len(taken["opening_frame"]) == len(done.json["opening_frame"])


# ---- what is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        (without("volume_test", step("volume_test", "failed", error_permille=900)), ["volume_test_failed"]),
        (without("consent", step("consent", "waived", reason="nobody there")), ["consent_waived"]),
        (without("grace"), ["grace_missing"]),
        (without("pulse_weight", step("pulse_weight", litres_per_pulse=10)), ["pulse_weight_differs"]),
    ],
)
async def test_what_was_left_out_is_a_case(house: House, laptop: Laptop, steps: Any, found: list[str]) -> None:
    made, claimed = await laptop.take(INSTALL)
    taken = (await laptop.send(attested(record_of(made, *steps), claimed["identity"]["root"], NEW))).json
    assert taken["findings"] == found
    detail = {"job": made["job_id"], "technician": "test", "findings": ", ".join(found)}
    assert await cases(house) == {"field-work": detail}


@pytest.mark.parametrize("place", [(2_112_345, 13_512_345), (91_000_000, 0), (13_700_000, 2_112_345)])
async def test_a_place_outside_the_service_area_is_a_case(house: House, laptop: Laptop, place: tuple[int, int]) -> None:
    """IW-35: latitude and longitude exchanged, not on Earth, or beyond the border: not kept."""
    made, claimed = await laptop.take(INSTALL)
    steps = without("position", step("position", lat_e6=place[0], lon_e6=place[1], accuracy_m=5))
    taken = (await laptop.send(attested(record_of(made, *steps), claimed["identity"]["root"], NEW))).json
    assert taken["findings"] == ["position_outside"]
    assert await cases(house) == {"outside-area": {"lat_e6": place[0], "lon_e6": place[1], "job": made["job_id"]}}
    assert await rows(house, "SELECT count(*) FROM service_point WHERE lat_e6 IS NOT NULL") == [(0,)]


async def test_seals_are_placed_read_and_compared(house: House, laptop: Laptop) -> None:
    """IW-83: stock, placed, read, broken; another one than was placed is a case at the visit."""

    async def visit(number: str) -> list[str]:
        made, _ = await laptop.take(VISIT)
        found: list[str] = (await laptop.send(record_of(made, step("seal", number=number)))).json["findings"]
        return [one for one in found if one.startswith("seal")]

    async def seal(number: str) -> Any:
        return next(one for one in (await house.get("/v1/seals")).json["items"] if one["number"] == number)

    assert await visit("NE0100") == [], "the first seal of a meter that had none"
    assert ((await seal("NE0100"))["state"], (await seal("NE0100"))["technician"]) == ("placed", "test")
    house.clock.set((NOW_UNIX_S + 60) * 1_000_000)
    assert await visit("NE0100") == []
    assert (await seal("NE0100"))["read_at"] == "2026-02-21T19:01:00Z"
    assert await visit("NE0101") == ["seal_mismatch"], "a new one from stock, but who broke the old one?"
    assert ((await seal("NE0100"))["state"], (await seal("NE0101"))["state"]) == ("broken", "placed")
    assert await visit("XX") == ["seal_mismatch", "seal_unknown"]
    assert await visit("NE0100") == ["seal_mismatch", "seal_taken"]
    assert (await seal("NE0101"))["state"] == "placed", "what cannot be is not written down"
    opened = [one for one in (await house.get("/v1/cases")).json["items"] if one["kind"] == "seal"]
    assert [(one["detail"]["expected"], one["detail"]["found"]) for one in opened] == [
        ("NE0100", "NE0101"),
        ("NE0101", "XX"),
        ("NE0101", "NE0100"),
    ]
    assert len((await house.get("/v1/seals?state=stock")).json["items"]) == 8


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ({"started_at": NOW_UNIX_S + 1}, "times_odd"),
        ({"finished_at": NOW_UNIX_S + 3600}, "times_odd"),
        ({"started_at": NOW_UNIX_S - 3600}, "times_odd"),
    ],
)
async def test_a_wrong_clock_of_the_laptop_is_a_finding(house: House, laptop: Laptop, times: Any, found: str) -> None:
    made, _ = await laptop.take(VISIT)
    assert (await laptop.send(record_of(made, **times))).json["findings"] == [found, "not_attested"]


async def test_a_record_may_come_long_after_the_job(house: House, laptop: Laptop) -> None:
    """Offline first: it is taken after the job's time; work that was done after it is a finding."""
    made, _ = await laptop.take({**VISIT, "hours": 1})
    late, _ = await laptop.take({**INSTALL, "hours": 1})
    house.clock.set((NOW_UNIX_S + 86_400 * 30) * 1_000_000)
    assert (await laptop.send(record_of(made))).json["findings"] == ["not_attested"]
    found = (await laptop.send(record_of(late, *CHECKLIST, finished_at=NOW_UNIX_S + 86_400))).json["findings"]
    assert found == ["finished_late", "not_attested"]


async def test_a_frame_that_is_not_taken_hinders_nothing(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(VISIT)
    frames = [{"meter_id": METER, "frame": "00" * 40}]
    assert (await laptop.send(record_of(made, frames=frames))).json["findings"] == ["not_attested", "frame_refused"]


# ---- cases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "steps", "closed"),
    [
        (CaseKind.VALVE, [step("valve_open"), step("valve_close")], True),
        (CaseKind.VALVE, [step("valve_open"), step("valve_close", "failed")], False),
        (CaseKind.VALVE, [step("volume_test")], False),
        (CaseKind.AIR, [step("volume_test")], True),
        (CaseKind.AIR, [step("volume_test", "waived", reason="no bucket")], False),
        (CaseKind.BACKFLOW, [step("orientation", ok=1)], True),
        (CaseKind.FLASH_LOST, [step("valve_open"), step("volume_test")], False),
    ],
)
async def test_a_visit_closes_what_it_shows_to_be_done(
    house: House, laptop: Laptop, kind: CaseKind, steps: list[Any], closed: bool
) -> None:
    number = await open_case_on_site(house, kind)
    made, _ = await laptop.take(VISIT)
    await laptop.send(record_of(made, *steps))
    found = (await house.get("/v1/cases?state=all")).json["items"][number - 1]
    assert found["outcome"] == (f"visited {made['job_id']}" if closed else None)


async def test_an_operator_closes_work_on_site_and_nothing_else(house: House) -> None:
    await house.settle_in()
    number = await open_case_on_site(house, CaseKind.BACKFLOW)
    closing = {"outcome": "replaced", "note": "the check valve"}
    done = await house.post(f"/v1/cases/{number}/close", closing)
    assert (done.json["outcome"], done.json["closed_at"]) == ("replaced", "2026-02-21T19:00:00Z")
    assert done.json["detail"] == {"code": 3, "note": "the check valve"}
    again = await house.post(f"/v1/cases/{number}/close", closing)
    assert (again.status, again.code) == (409, "case_closed")
    books = await open_case_on_site(house, CaseKind.UNEXPLAINED)
    refused = await house.post(f"/v1/cases/{books}/close", closing)
    assert (refused.status, refused.code) == (409, "case_not_on_site")
    unknown = await house.post("/v1/cases/99/close", closing)
    assert (unknown.status, unknown.code) == (404, "case_unknown")


# ---- what is refused -----------------------------------------------------------------------------------------------


async def test_only_the_tool_that_signed_is_believed(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(VISIT)
    signed = laptop.signed(record_of(made))
    forged = {**signed, "signature": "00" * 64}
    assert await refused(laptop, forged, 403, "record_signature") == "/signature"
    changed = {**signed, "record": {**signed["record"], "finished_at": NOW_UNIX_S + 1}}
    assert await refused(laptop, changed, 403, "record_signature") == "/signature"
    other = Laptop(house, seed=bytes(31) + b"\x09")
    assert await refused(laptop, other.signed(record_of(made)), 403, "tool_unknown") == "/fingerprint"
    await other.enrol()
    mixed = {**other.signed(record_of(made)), "fingerprint": laptop.fingerprint}
    assert await refused(laptop, mixed, 403, "record_signature") == "/signature"


async def test_a_tool_signs_for_its_own_technician_alone(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(VISIT)
    thief = Laptop(house, await key_for(house, "Moussa", "field"), bytes(31) + b"\x02")
    await thief.enrol()
    copied = laptop.signed(record_of(made))
    await refused(thief, copied, 403, "tool_unknown")
    own = thief.signed(record_of(made, technician="Moussa"))
    assert await refused(thief, own, 404, "job_unknown") == "/record/job_id"


@pytest.mark.parametrize(
    "change",
    [{"kind": "retire"}, {"technician": "Moussa"}, {"meter_id": NEW}, {"new_meter_id": NEW}],
    ids=lambda change: next(iter(change)),
)
async def test_a_record_of_another_job_is_refused(house: House, laptop: Laptop, change: dict[str, Any]) -> None:
    made, _ = await laptop.take(VISIT)
    place = await refused(laptop, laptop.signed(record_of(made, **change)), 409, "record_other_job")
    assert place == f"/record/{next(iter(change))}"


async def test_frames_and_steps_are_of_this_job(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(VISIT)
    foreign = record_of(made, frames=[{"meter_id": NEW, "frame": "00" * 11}])
    assert await refused(laptop, laptop.signed(foreign), 409, "record_other_job") == "/record/frames/0/meter_id"
    twice = record_of(made, step("seal", number="A"), step("seal", number="B"))
    assert await refused(laptop, laptop.signed(twice), 400, "record_steps") == "/record/steps/1/name"


async def test_a_job_has_one_record(house: House, laptop: Laptop) -> None:
    made, _ = await laptop.take(VISIT)
    assert (await laptop.send(record_of(made))).status == 201
    other = record_of(made, step("seal", number="NE0100"))
    await refused(laptop, laptop.signed(other), 409, "record_exists")


async def test_a_forged_or_foreign_attestation_is_refused(house: House, laptop: Laptop) -> None:
    made, claimed = await laptop.take(INSTALL)
    root, plain = claimed["identity"]["root"], record_of(made, *CHECKLIST)
    places = []
    for forged in (
        attested(plain, "00" * 16, NEW),
        attested(plain, root, NEW, 2),
        {**plain, "attestations": attested(record_of(made), root, NEW)["attestations"]},
        attested(plain, root, METER),
    ):
        places.append(await refused(laptop, laptop.signed(forged), 403, "attestation"))
    assert places == [*["/record/attestations/0/tag"] * 3, "/record/attestations/0/meter_id"]
    genuine = attested(plain, root, NEW)
    moved = {**genuine["attestations"][0], "unix_s": NOW_UNIX_S + 1}
    await refused(laptop, laptop.signed({**plain, "attestations": [moved]}), 403, "attestation")
    assert (await laptop.send(genuine)).status == 201


async def test_seals_and_areas_that_cannot_be(house: House, laptop: Laptop) -> None:
    for given, code in (
        ({"prefix": "NE", "first": "0109", "last": "0110"}, "seal_exists"),
        ({"prefix": "NE", "first": "0120", "last": "0119"}, "seal_range"),
        ({"prefix": "NE", "first": "120", "last": "0121"}, "seal_range"),
        ({"prefix": "", "first": "00000", "last": "10000"}, "seal_range"),
    ):
        assert (await house.post("/v1/seals", given)).code == code
    assert await rows(house, "SELECT count(*) FROM seal") == [(10,)]
    line = [{"lat_e6": at, "lon_e6": at} for at in (1, 2, 3)]
    settings = {"service_area": line, "installation_grace_mills": 0}
    assert (await house.post("/v1/field/settings", settings)).code == "service_area"
    assert (await house.get("/v1/field/settings")).json["service_area"] == NIAMEY
    anywhere = {"service_area": None, "installation_grace_mills": 1}
    assert (await house.post("/v1/field/settings", anywhere)).json == anywhere


async def test_grants_of_the_office(house: House, laptop: Laptop) -> None:
    wanted = {"meter_id": METER, "role": 1, "hours": 72, "uses": 3, "technician": "test"}
    first, second = [(await house.post("/v1/grants", wanted)).json for _ in range(2)]
    assert (first["number"], second["number"]) == (1, 2) and first["key"] != second["key"]
    assert first["until_s"] - first["from_s"] == 72 * 3600
    listed = (await house.get("/v1/grants?limit=1")).json
    assert "key" not in listed["items"][0] and listed["items"][0]["technician"] == "test"
    following = (await house.get(f"/v1/grants?limit=1&cursor={listed['next']}")).json
    assert (following["items"][0]["number"], following["next"]) == (2, None)
    audited = (await house.get("/v1/audit?what=field_grant")).json["items"]
    assert [row["after"]["number"] for row in audited] == [1, 2]
    for change, code in (({"technician": "nobody"}, "technician_unknown"), ({"meter_id": NEW}, "meter_unknown")):
        assert (await house.post("/v1/grants", {**wanted, **change})).code == code
