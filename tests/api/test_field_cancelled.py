"""Work that was done although the office had ended its job, or had given up its spare: recorded, never lost (IW-23)."""

from typing import Any

import pytest

from tests.api.conftest import METER, NOW_UNIX_S, House
from tests.api.field_world import (
    CHECKLIST,
    FINAL,
    INSTALL,
    NEW,
    RETIRE,
    SPARE,
    SWAP,
    VISIT,
    Laptop,
    attested,
    cases,
    frame_of,
    hear,
    made_job,
    meter_of,
    record_of,
    refused,
    rows,
    step,
)

DAY_S = 86_400
TOMORROW = {"started_at": NOW_UNIX_S + DAY_S, "finished_at": NOW_UNIX_S + DAY_S}
AGAIN = {"kind": "install", "technician": "test", "hours": 1, "meter_id": NEW}
STEPS = (
    *(one for one in CHECKLIST if one["name"] not in ("pulse_weight", "seal")),
    step("pulse_weight", litres_per_pulse=10),
    step("seal", number="NE0109"),
    FINAL,
)
UPLINKS = "SELECT count(*) FROM uplink WHERE meter_id = ?"


@pytest.fixture
async def laptop(house: House) -> Laptop:
    """An enrolled tool, with seals in stock."""
    await house.settle_in()
    assert (await house.post("/v1/seals", {"prefix": "NE", "first": "0100", "last": "0109"})).status == 201
    laptop = Laptop(house)
    assert (await laptop.enrol()).status == 201
    return laptop


async def cancel(house: House, made: Any) -> None:
    assert (await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})).json["state"] == "cancelled"


async def swap_with_last_frames(house: House, laptop: Laptop) -> tuple[Any, Any, dict[str, Any]]:
    """A claimed swap of a meter that counted a day which nobody has heard: (job, what was claimed, its record)."""
    made, claimed = await laptop.take(INSTALL)
    await laptop.send(record_of(made, *CHECKLIST))
    old = meter_of(claimed["identity"])
    house.clock.set((NOW_UNIX_S + DAY_S) * 1_000_000)
    old.use([3] * 48)
    made, claimed = await laptop.take({**SWAP, "meter_id": NEW})
    steps = (*(one for one in STEPS if one["name"] != "final"), step("final", volume_l=150))
    frames = [{"meter_id": NEW, "frame": old.report(0, 48).hex()}]
    record = record_of(made, *steps, frames=frames, **TOMORROW)
    return made, claimed, attested(record, claimed["identity"]["root"], SPARE)


async def first_and_second(house: House, laptop: Laptop) -> tuple[dict[str, Any], dict[str, Any], Any, Any]:
    """Two jobs for one spare, the first cancelled after its claim: both records, and what was claimed for each."""
    made, first = await laptop.take(SWAP)
    await cancel(house, made)
    again, second = await laptop.take(SWAP)
    assert first["identity"]["root"] != second["identity"]["root"]
    records = [
        attested(record_of(job, *STEPS), claimed["identity"]["root"], SPARE)
        for job, claimed in ((made, first), (again, second))
    ]
    return records[0], records[1], first, second


async def is_heard(house: House, identity: Any) -> bool:
    """Whether the spare is, when it holds this identity."""
    before = await rows(house, UPLINKS, bytes.fromhex(SPARE))
    await hear(house, identity, 5)
    return await rows(house, UPLINKS, bytes.fromhex(SPARE)) != before


async def sound(house: House) -> bool:
    return not (await house.get("/v1/ledger/check")).json["faults"]


# ---- cancelled -----------------------------------------------------------------------------------------------------


async def test_a_record_follows_its_claim(house: House, laptop: Laptop) -> None:
    """Before any claim there is nothing to record, and nothing that was to be provisioned is kept."""
    made = await made_job(house, SWAP)
    body = laptop.signed(record_of(made))
    assert await refused(laptop, body, 409, "job_not_claimed") == "/record/job_id"
    await cancel(house, made)
    assert await refused(laptop, body, 409, "job_over") == "/record/job_id"
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(0,)]
    await refused(laptop, laptop.signed({**body["record"], "job_id": "j99"}), 404, "job_unknown")


async def test_a_swap_done_after_it_was_cancelled_is_in_the_books(house: House, laptop: Laptop) -> None:
    """The old meter's last frames first: it may be erased by now."""
    made, claimed, record = await swap_with_last_frames(house, laptop)
    await cancel(house, made)
    assert (await laptop.claim(made["job_id"], made["token"])).code == "job_over", "its root is not given again"
    taken = (await laptop.send(record)).json
    assert (taken["state"], taken["findings"]) == ("recorded", ["job_was_cancelled"])
    assert (await cases(house))["field-work"]["findings"] == "job_was_cancelled"
    assert taken["opening_frame"] is not None
    old, new = [(await house.get(f"/v1/meters/{one}")).json for one in (NEW, SPARE)]
    assert (old["state"], new["state"], old["counters"]["volume_l"]) == ("retired", "active", 144)
    assert await is_heard(house, claimed["identity"])
    assert (await laptop.send(record)).json["state"] == "done"
    assert (await house.post(f"/v1/field/jobs/{made['job_id']}/cancel", {})).code == "job_over"
    assert await sound(house)


async def test_a_retirement_and_a_visit_done_after_they_were_cancelled(house: House, laptop: Laptop) -> None:
    for body, steps in ((VISIT, ()), (RETIRE, (FINAL,))):
        made, _ = await laptop.take(body)
        await cancel(house, made)
        taken = (await laptop.send(record_of(made, *steps))).json
        assert (taken["state"], taken["findings"]) == ("done", ["job_was_cancelled", "not_attested"])
    assert (await house.get(f"/v1/meters/{METER}")).json["state"] == "retired"


async def test_a_job_that_is_over_is_recorded_under_the_root_that_it_gave(house: House, laptop: Laptop) -> None:
    """Also when it was cancelled after its time, and other jobs were made meanwhile."""
    made, claimed = await laptop.take({**SWAP, "hours": 1})
    unclaimed = await made_job(house, {**INSTALL, "hours": 1})
    house.clock.set((NOW_UNIX_S + DAY_S) * 1_000_000)
    await made_job(house, {**INSTALL, "meter": {**INSTALL["meter"], "meter_id": "00000000000000ac"}})
    kept = await rows(house, "SELECT job_id FROM field_identity ORDER BY job_id")
    assert kept == [(1,), (3,)], "what nobody claimed in time is in no meter"
    assert (await laptop.claim(unclaimed["job_id"], unclaimed["token"])).code == "job_expired"
    assert (await laptop.claim(made["job_id"], made["token"])).code == "job_expired"
    await cancel(house, made)
    record = attested(record_of(made, *STEPS), claimed["identity"]["root"], SPARE)
    assert (await laptop.send(record)).json["findings"] == ["job_was_cancelled", "not_attested"], "not the old meter"
    assert await is_heard(house, claimed["identity"])


# ---- two jobs for one spare ----------------------------------------------------------------------------------------


async def test_the_spare_that_the_first_job_mounted_is_heard(house: House, laptop: Laptop) -> None:
    """The root that the meter proves is its root, and the second job's opens nothing."""
    first_record, second_record, first, second = await first_and_second(house, laptop)
    assert not await is_heard(house, first["identity"]), "not before its record"
    taken = (await laptop.send(first_record)).json
    assert taken["findings"] == ["job_was_cancelled", "not_attested"], "the old meter said nothing"
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(0,)]
    assert not await is_heard(house, second["identity"])
    late = (await laptop.send(second_record)).json
    assert late["findings"] == ["not_attested", "ended_before", "seal_taken"]
    assert await is_heard(house, first["identity"])
    assert (await laptop.send(first_record)).json == {
        **taken,
        "state": "done",
        "first_uplink_at": "2026-02-21T19:00:00Z",
    }
    assert await sound(house)


async def test_the_second_job_gives_no_root_once_the_first_is_recorded(house: House, laptop: Laptop) -> None:
    made, first = await laptop.take(SWAP)
    await cancel(house, made)
    again, _ = await laptop.take(SWAP)
    await laptop.send(attested(record_of(made, *STEPS), first["identity"]["root"], SPARE))
    spent = await laptop.claim(again["job_id"], again["token"])
    assert (spent.status, spent.code) == (409, "identity_spent")


@pytest.mark.parametrize("by_radio", [False, True], ids=["recorded", "heard"])
async def test_a_root_on_a_lost_laptop_ends_with_the_second_job(house: House, laptop: Laptop, by_radio: bool) -> None:
    """By the second's record or the first uplink: what the first says later is taken, and proves nothing."""
    first_record, second_record, first, second = await first_and_second(house, laptop)
    if by_radio:
        assert await is_heard(house, second["identity"])
    else:
        assert (await laptop.send(second_record)).json["findings"] == ["not_attested"], "the old meter said nothing"
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(0,)]
    frames = [{"meter_id": SPARE, "frame": frame_of(first["identity"], 9)}]
    late = attested({**first_record, "frames": frames, "attestations": []}, first["identity"]["root"], SPARE)
    found = (await laptop.send(late)).json["findings"]
    assert {"job_was_cancelled", "not_attested", "frame_refused"} <= set(found)
    assert not await is_heard(house, first["identity"])
    assert not by_radio or (await house.get(f"/v1/meters/{SPARE}")).json["state"] == "active"


async def test_a_forged_attestation_takes_up_no_root(house: House, laptop: Laptop) -> None:
    first_record, _, _, second = await first_and_second(house, laptop)
    forged = attested({**first_record, "attestations": []}, "00" * 16, SPARE)
    await refused(laptop, laptop.signed(forged), 403, "attestation")
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(2,)]
    assert await is_heard(house, second["identity"])


async def test_an_installation_under_an_older_key_says_so(house: House, laptop: Laptop) -> None:
    """A wallet generation is not taken back: the meter is to be set up anew."""
    made, first = await laptop.take(INSTALL)
    await cancel(house, made)
    await laptop.take(AGAIN)
    taken = (await laptop.send(attested(record_of(made, *CHECKLIST), first["identity"]["root"], NEW))).json
    assert taken["findings"] == ["job_was_cancelled", "older_key"]
    renewed = "SELECT generation FROM meter WHERE meter_id = ?"
    assert await rows(house, renewed, bytes.fromhex(NEW)) == [(2,)]


# ---- the spare was given up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_attested", [True, False])
async def test_a_spare_retired_meanwhile_costs_no_frame(house: House, laptop: Laptop, is_attested: bool) -> None:
    """The old meter's frames are in the books, its wallet stays open until a person has decided."""
    _, _, record = await swap_with_last_frames(house, laptop)
    assert (await house.post(f"/v1/meters/{SPARE}/retirement", {})).status == 201
    forged = attested({**record, "attestations": []}, "00" * 16, SPARE)
    await refused(laptop, laptop.signed(forged), 403, "attestation")
    record = record if is_attested else {**record, "attestations": []}
    taken = (await laptop.send(record)).json
    found = [*([] if is_attested else ["not_attested"]), "swap_not_executed"]
    assert (taken["state"], taken["findings"], taken["opening_frame"]) == ("done", found, None)
    assert (await cases(house))["field-work"]["findings"] == ", ".join(found)
    old, new = [(await house.get(f"/v1/meters/{one}")).json for one in (NEW, SPARE)]
    assert (old["state"], new["state"], old["counters"]["volume_l"]) == ("active", "retired", 144)
    assert (await laptop.send(record)).json == taken
    assert await rows(house, "SELECT count(*) FROM field_identity") == [(0,)]
    assert await sound(house)


@pytest.mark.parametrize("is_attested", [True, False])
async def test_a_spare_prepared_for_another_place_hangs_where_it_proves_to(
    house: House, laptop: Laptop, is_attested: bool
) -> None:
    """Without its word, the swap is not executed."""
    _, claimed, record = await swap_with_last_frames(house, laptop)
    anew = await house.post(f"/v1/meters/{METER}/spares", {"new_meter_id": SPARE, "litres_per_pulse": 1})
    assert anew.status == 201
    record = record if is_attested else {**record, "attestations": []}
    taken = (await laptop.send(record)).json
    found = [] if is_attested else ["not_attested", "swap_not_executed"]
    assert (taken["findings"], taken["opening_frame"] is not None) == (found, is_attested)
    assert (await house.get(f"/v1/meters/{SPARE}")).json["replaces"] == (NEW if is_attested else METER)
    assert await is_heard(house, claimed["identity"]) is is_attested
    ended = (await house.get(f"/v1/meters/{NEW}")).json
    assert (ended["state"], ended["counters"]["volume_l"]) == ("retired" if is_attested else "active", 144)
    assert await sound(house)


async def test_a_word_of_the_old_meter_retired_meanwhile_proves_nothing(house: House, laptop: Laptop) -> None:
    """Its keys are destroyed: nobody can tell whether it lies, so the rest of the record is not lost for it."""
    made, installed = await laptop.take(INSTALL)
    await laptop.send(record_of(made, *CHECKLIST))
    made, _ = await laptop.take({**RETIRE, "meter_id": NEW})
    assert (await house.post(f"/v1/meters/{NEW}/retirement", {})).status == 201
    taken = (await laptop.send(attested(record_of(made, FINAL), installed["identity"]["root"], NEW))).json
    assert taken["findings"] == ["not_attested", "ended_before"]
