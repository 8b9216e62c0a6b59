"""Swaps and retirements over REST: who may, what is answered, what is refused, and what the lists say then (IW-23)."""

import re
from typing import Any

import pytest

from headend.api.command_refusals import FRENCH_REMEDIES, KINDS
from headend.refusals import REMEDIES, Code
from tests.api.conftest import METER, House, payment

NEW, OTHER, NOBODY = "00000000000000ab", "00000000000000aa", "00000000000000ff"
HOME = {"meter_id": OTHER, "holder": "Moussa Issa", "service_point": "Concession 2", "tariff_code": "niger"}


async def prepared(house: House) -> Any:
    await house.settle_in()
    answer = await house.post(f"/v1/meters/{METER}/spares", {"new_meter_id": NEW, "litres_per_pulse": 10})
    assert answer.status == 201
    return answer.json


async def swapped(house: House) -> Any:
    await prepared(house)
    answer = await house.post(f"/v1/meters/{METER}/swaps", {"new_meter_id": NEW, "first_index_l": 40})
    assert answer.status == 201
    return answer.json


async def test_a_spare_is_listed_without_a_holder(house: House) -> None:
    """IW-23: it has keys and prices, no wallet, and it can be given a radio before it hangs anywhere."""
    made = await prepared(house)
    assert (made["customer_number"], made["opening_frame"], made["litres_per_pulse"]) == ("00000195", "", 10)
    listed = {one["meter_id"]: one for one in (await house.get("/v1/meters")).json["items"]}
    assert (listed[NEW]["state"], listed[NEW]["holder"], listed[NEW]["balance"]["amount"]) == ("spare", None, 0)
    one = (await house.get(f"/v1/meters/{NEW}")).json
    assert (one["replaces"], one["tariff_code"], one["posted_to_slot"]) == (METER, None, None)
    assert (await house.post(f"/v1/meters/{NEW}/radio", {"dev_eui": "00000000000000ee"})).status == 200
    points = (await house.get("/v1/active-points?first=2026-02&last=2026-02")).json["items"]
    assert points == [{"month": "2026-02", "connected": 1, "active": 0}], "a spare is no point"


async def test_a_swap_answers_with_the_opening_and_moves_the_holder(house: House) -> None:
    """A4, M17: history stays with the old meter, the customer number goes on, and so does a payment."""
    await prepared(house)
    await house.notify(payment())
    done = (await house.post(f"/v1/meters/{METER}/swaps", {"new_meter_id": NEW, "first_index_l": 40})).json
    assert (done["meter_id"], done["replaces"], done["customer_number"]) == (NEW, METER, "00000195")
    assert len(bytes.fromhex(done["opening_frame"])) > 30
    old, new = [(await house.get(f"/v1/meters/{one}")).json for one in (METER, NEW)]
    assert (old["state"], old["replaced_by"], old["balance"]["amount"]) == ("retired", NEW, 0)
    assert (new["state"], new["replaces"], new["balance"]["amount"]) == ("active", METER, 500)
    assert old["holder"] == new["holder"] == "Aïcha Abdou"
    assert (new["counters"]["volume_l"], new["litres_per_pulse"]) == (40, 10)
    kinds = [line["kind"] for line in (await house.get(f"/v1/meters/{METER}/statement")).json["items"]]
    assert kinds == ["payment", "swap"]
    [line] = (await house.get(f"/v1/meters/{NEW}/statement")).json["items"]
    assert (line["kind"], line["amount_mills"]) == ("swap", 500_000)
    points = (await house.get("/v1/active-points?first=2026-02&last=2026-03")).json["items"]
    assert [point["connected"] for point in points] == [1, 1], "a swap makes no second point"


async def test_the_past_knows_which_meter_had_the_holder(house: House) -> None:
    """IW-15: before the swap it was the old meter's, afterwards the new one's."""
    await prepared(house)
    house.clock.set(house.clock.unix_us() + 3_600_000_000)
    await house.post(f"/v1/meters/{METER}/swaps", {"new_meter_id": NEW, "first_index_l": 0})
    before, after = "2026-02-21T19:30:00Z", "2026-02-21T20:30:00Z"
    held = [
        (await house.get(f"/v1/meters/{meter}/as-of?at={at}")).json["holder"]
        for meter in (METER, NEW)
        for at in (before, after)
    ]
    assert held == ["Aïcha Abdou", None, None, "Aïcha Abdou"]


async def test_a_retirement_says_what_is_owed_to_the_holder(house: House) -> None:
    await house.settle_in()
    await house.notify(payment())
    done = await house.post(f"/v1/meters/{METER}/retirement", {})
    assert (done.status, done.json) == (201, {"meter_id": METER, "state": "retired", "owed_mills": -500_000})
    points = (await house.get("/v1/active-points?first=2026-02&last=2026-03")).json["items"]
    assert [point["connected"] for point in points] == [1, 0]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "pointer"),
    [
        (f"{NOBODY}/spares", {"new_meter_id": NEW}, 404, "meter_unknown", "/meter_id"),
        (f"{NEW}/spares", {"new_meter_id": OTHER}, 409, "meter_spare", "/meter_id"),
        (f"{METER}/spares", {"new_meter_id": OTHER}, 409, "meter_exists", "/new_meter_id"),
        (f"{METER}/spares", {"new_meter_id": METER}, 409, "meter_exists", "/new_meter_id"),
        (f"{NOBODY}/swaps", {"new_meter_id": NEW, "first_index_l": 0}, 404, "meter_unknown", "/meter_id"),
        (f"{NEW}/swaps", {"new_meter_id": NEW, "first_index_l": 0}, 409, "meter_spare", "/meter_id"),
        (f"{METER}/swaps", {"new_meter_id": NOBODY, "first_index_l": 0}, 409, "not_the_spare", "/new_meter_id"),
        (f"{METER}/swaps", {"new_meter_id": OTHER, "first_index_l": 0}, 409, "not_the_spare", "/new_meter_id"),
        (f"{OTHER}/swaps", {"new_meter_id": NEW, "first_index_l": 0}, 409, "not_the_spare", "/new_meter_id"),
        (f"{METER}/swaps", {"new_meter_id": NEW, "first_index_l": 2**50}, 400, "first_index", "/first_index_l"),
        (f"{NOBODY}/retirement", {}, 404, "meter_unknown", "/meter_id"),
        (f"{NEW}/policy", {"policy": {}}, 409, "meter_spare", "/meter_id"),
        (f"{NEW}/commands", {"order": "tell"}, 409, "meter_spare", "/meter_id"),
        (f"{NEW}/renewals", {}, 409, "meter_spare", "/meter_id"),
    ],
)
async def test_each_wrong_swap_is_refused_and_changes_nothing(
    house: House, path: str, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await prepared(house)
    assert (await house.post("/v1/meters", HOME)).status == 201
    before = (await house.get("/v1/meters")).json
    refused = await house.post(f"/v1/meters/{path}", body)
    assert (refused.status, refused.code) == (status, code)
    assert refused.json["errors"][0]["pointer"] == pointer
    assert (await house.get("/v1/meters")).json == before


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (f"{METER}/spares", {"new_meter_id": NOBODY}, "/meter_id"),
        (f"{NEW}/spares", {"new_meter_id": METER}, "/new_meter_id"),  # swapped back
        (f"{METER}/swaps", {"new_meter_id": NEW, "first_index_l": 0}, "/meter_id"),
        (f"{NEW}/swaps", {"new_meter_id": METER, "first_index_l": 0}, "/new_meter_id"),
        (f"{METER}/retirement", {}, "/meter_id"),
        (f"{METER}/renewals", {}, "/meter_id"),
        (f"{METER}/commands", {"order": "tell"}, "/meter_id"),
        (f"{METER}/policy", {"policy": {}}, "/meter_id"),
        (f"{METER}/rekey", {}, "/meter_id"),
        (f"{METER}/radio", {"dev_eui": "00000000000000ee"}, "/meter_id"),
    ],
)
async def test_a_retired_meter_never_lives_again(house: House, path: str, body: dict[str, Any], pointer: str) -> None:
    await swapped(house)
    refused = await house.post(f"/v1/meters/{path}", body)
    assert (refused.status, refused.code) == (409, "meter_retired")
    assert refused.json["errors"][0]["pointer"] == pointer
    french = await house.ask(
        "POST", f"/v1/meters/{METER}/retirement", b"{}", authorization=f"Bearer {house.api_key}",
        content_type="application/json", idempotency_key="in-french-please", accept_language="fr",
    )  # fmt: skip
    assert "a été déposé" in french.json["detail"]


async def test_the_explanation_of_a_spares_day_is_refused_not_crashed_on(house: House) -> None:
    await prepared(house)
    refused = await house.get(f"/v1/meters/{NEW}/days/2026-02-21/explain")
    assert (refused.status, refused.code) == (409, "meter_spare")


def test_the_words_of_these_refusals_exist_in_both_languages() -> None:
    for code in (Code.METER_RETIRED, Code.METER_SPARE, Code.NOT_THE_SPARE):
        kind = KINDS[code.name.lower()]
        assert kind.title_en != kind.title_fr and FRENCH_REMEDIES[REMEDIES[code]] != REMEDIES[code]


async def test_page_metrics_and_biller_see_one_home(house: House) -> None:
    """CT-29, I4: the holder's story goes on; a provider that repeats itself after the swap is told so."""
    await house.settle_in()
    await house.notify(payment())
    steps = (("spares", {"new_meter_id": NEW}, METER, 2), ("swaps", {"new_meter_id": NEW, "first_index_l": 0}, NEW, 1))
    for path, body, shown, meters in steps:
        assert (await house.post(f"/v1/meters/{METER}/{path}", body)).status == 201
        page = (await house.ask("GET", "/?lang=en")).text
        assert re.findall('id="home-([0-9a-f]+)"', page) == [shown]
        assert "Concession 1" in page and "500" in page
        assert f'guelta_meters{{last_heard="never"}} {meters}.0' in (await house.ask("GET", "/metrics")).text
    again = await house.notify(payment(), message_id="msg_2")
    assert again.json["outcome"] == "duplicate"
    assert (await house.notify(payment(transaction_id="TX2"), message_id="msg_3")).json["outcome"] == "credited"
    assert (await house.meter(NEW))["balance"]["amount"] == 1_000
    found = (await house.inquire({"account": "00000195"})).json
    assert (await house.post(f"/v1/meters/{NEW}/retirement", {})).json["owed_mills"] == -1_000_000
    closed = (await house.inquire({"account": "00000195"})).json
    assert (found["accepted"], closed["accepted"]) == (True, False)
    assert (await house.notify(payment(transaction_id="TX3"), message_id="msg_4")).json["outcome"] == "suspense"
    assert (await house.ask("GET", "/")).status == 200
