"""What is wrong with a request is said once, in one shape, in the reader's language; and nothing is changed."""

import json
from typing import Any

import pytest

from headend.api.problem_catalogue import CATALOGUE
from headend.refusals import Code
from tests.api.conftest import METER, NIGER, House

TARIFF = {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-01T00:00:00Z", "prices": NIGER}
NEW_METER = {"meter_id": METER, "holder": "Aïcha Abdou", "service_point": "Concession 1", "tariff_code": "niger"}


async def test_the_shape_of_a_problem_is_pinned(house: House) -> None:
    """RFC 9457, and a trace to quote to the operator."""
    refused = await house.post("/v1/tariffs", {**TARIFF, "valid_from": "tomorrow"}, accept_language="en")
    assert refused.status == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Content-Language"] == "en"
    trace = refused.json["trace"]
    assert len(trace) == 16
    assert refused.json == {
        "type": "urn:guelta:problem:invalid-body",
        "title": "Invalid body",
        "status": 400,
        "code": "invalid_body",
        "detail": "A field of the body is wrong; see errors. Nothing was changed.",
        "errors": [
            {
                "pointer": "/valid_from",
                "detail": "Expected an RFC 3339 time with an offset and whole seconds between 2020 and 2100, "
                "as 2026-11-22T07:30:00Z",
            }
        ],
        "trace": trace,
    }


async def test_problems_speak_french_and_english(house: House) -> None:
    for wish, language, title in (
        ("fr-NE,fr;q=0.9", "fr", "Adresse inconnue"),
        ("en;q=0.2, fr;q=0.9", "fr", "Adresse inconnue"),
        ("de, *;q=0.1", "en", "No such address"),
        ("", "en", "No such address"),
        ("fr;q=0, en;q=0.001", "en", "No such address"),
        (";;;q=,,", "en", "No such address"),
    ):
        refused = await house.get("/v1/nowhere", accept_language=wish)
        assert (refused.headers["Content-Language"], refused.json["title"]) == (language, title), wish


def test_every_refusal_has_words_in_both_languages() -> None:
    for code, kind in CATALOGUE.items():
        assert all((kind.title_en, kind.title_fr, kind.detail_en, kind.detail_fr)), code
        assert kind.title_fr != kind.title_en and kind.detail_fr != kind.detail_en, code
    assert {code.name.lower() for code in Code} <= set(CATALOGUE)


BODIES: tuple[tuple[bytes, str, str], ...] = (
    (b"", "malformed_json", ""),
    (b"{", "malformed_json", ""),
    (b"\xff", "malformed_json", ""),
    (b"[" * 20_000, "malformed_json", ""),
    (b'{"code": NaN}', "malformed_json", ""),
    (b"[]", "invalid_body", ""),
    (b"{}", "invalid_body", "/code"),
    (json.dumps({**TARIFF, "more": 1}).encode(), "invalid_body", "/more"),
    (json.dumps(TARIFF).encode().replace(b'"code"', b'"code": "a", "code"'), "invalid_body", "/code"),
    (json.dumps({**TARIFF, "code": "niger\n"}).encode(), "invalid_body", "/code"),
    (json.dumps({**TARIFF, "code": 1}).encode(), "invalid_body", "/code"),
    (json.dumps({**TARIFF, "title": "a\u0000b"}).encode(), "invalid_body", "/title"),
    (json.dumps({**TARIFF, "title": ""}).encode(), "invalid_body", "/title"),
    (json.dumps({**TARIFF, "late": "maybe"}).encode(), "invalid_body", "/late"),
    (json.dumps({**TARIFF, "valid_from": "2026-01-01T00:10:00Z"}).encode(), "invalid_body", "/valid_from"),
    (json.dumps({**TARIFF, "valid_from": "2026-01-01"}).encode(), "invalid_body", "/valid_from"),
    (json.dumps({**TARIFF, "valid_from": "2026-01-01T00:00:00"}).encode(), "invalid_body", "/valid_from"),
    (json.dumps({**TARIFF, "valid_from": "9999-12-31T23:59:59Z"}).encode(), "invalid_body", "/valid_from"),
    (json.dumps({**TARIFF, "prices": {"blocks": []}}).encode(), "invalid_body", "/prices/blocks"),
    (
        json.dumps({**TARIFF, "prices": {"blocks": [{"upto_l": 0, "price": 1.5}]}}).encode(),
        "invalid_body",
        "/prices/blocks/0/price",
    ),
    (
        json.dumps({**TARIFF, "prices": {"blocks": [{"upto_l": True, "price": 1}]}}).encode(),
        "invalid_body",
        "/prices/blocks/0/upto_l",
    ),
    (json.dumps({**TARIFF, "prices": {"blocks": [{"upto_l": 5, "price": 1}]}}).encode(), "tariff_printed", "/open_end"),
)


async def test_each_wrong_body_is_refused_at_its_field_and_changes_nothing(house: House) -> None:
    before = await house.books()
    for raw, code, pointer in BODIES:
        refused = await house.post("/v1/tariffs", raw)
        assert (refused.status, refused.code) == (400, code), raw[:80]
        if pointer and code == "invalid_body":
            assert refused.json["errors"][0]["pointer"] == pointer, raw[:80]
    assert await house.books() == before
    assert (await house.get("/v1/tariffs")).json["items"] == []


async def test_meters_are_refused_at_their_field(house: House) -> None:
    await house.settle_in()
    other = "0000000000000002"
    before = await house.books()
    for change, status, code in (
        ({}, 409, "meter_exists"),
        ({"meter_id": other, "tariff_code": "nowhere"}, 409, "tariff_unknown"),
        ({"meter_id": other, "litres_per_pulse": 7}, 400, "invalid_body"),
        ({"meter_id": "00" * 7}, 400, "invalid_body"),
        ({"meter_id": "0X" * 8}, 400, "invalid_body"),
        ({"meter_id": other.upper() + "\n"}, 400, "invalid_body"),
        ({"meter_id": other, "first_index_l": 2**53}, 400, "invalid_body"),
        ({"meter_id": other, "first_index_l": -1}, 400, "invalid_body"),
        ({"meter_id": other, "households": 256}, 400, "invalid_body"),
        ({"meter_id": other, "phone": "90 12 34 56"}, 400, "invalid_body"),
        ({"meter_id": other, "language": "ha"}, 400, "invalid_body"),
        ({"meter_id": other, "policy": {"grace_s": 14_401}}, 400, "invalid_body"),
        ({"meter_id": other, "policy": {"friendly_hours": _night(), "friendly_cap_l": 500}}, 400, "policy"),
    ):
        refused = await house.post("/v1/meters", {**NEW_METER, **change})
        assert (refused.status, refused.code) == (status, code), change
    assert await house.books() == before


async def test_a_refused_name_is_pointed_at_as_the_request_has_it(house: House) -> None:
    """Blank, or not printable: the pointer is the request's own field, and in an import the meter's place."""
    await house.settle_in()
    before = await house.books()
    other = {**NEW_METER, "meter_id": "0000000000000002"}
    unprintable = {**other, "holder": "\ue000"}
    for path, body, pointer in (
        ("/v1/meters", {**other, "holder": "  "}, "/holder"),
        ("/v1/meters", {**other, "service_point": "\u00a0"}, "/service_point"),
        ("/v1/meters", unprintable, "/holder"),
        ("/v1/meters", {**other, "litres_per_pulse": 1000}, "/litres_per_pulse"),
        ("/v1/meters:import", {"meters": [other, {**unprintable, "meter_id": "00000000000000aa"}]}, "/meters/1/holder"),
        ("/v1/meters:import", {"meters": [other, {**other, "tariff_code": "no"}]}, "/meters/1/meter_id"),
    ):
        refused = await house.post(path, body)
        assert refused.status in (400, 409), body
        assert refused.json["errors"][0]["pointer"] == pointer, body
    assert await house.books() == before


def _night() -> list[dict[str, Any]]:
    return [{"days": ["mon", "sun"], "begins": "19:00", "ends": "07:00"}]


async def test_an_import_is_all_or_nothing(house: House) -> None:
    await house.settle_in()
    before = await house.books()
    numbers = ["00000000000000aa", "00000000000000bb", METER]
    refused = await house.post("/v1/meters:import", {"meters": [{**NEW_METER, "meter_id": one} for one in numbers]})
    assert (refused.status, refused.code) == (409, "meter_exists")
    assert await house.books() == before
    done = await house.post("/v1/meters:import", {"meters": [{**NEW_METER, "meter_id": one} for one in numbers[:2]]})
    assert [one["customer_number"] for one in done.json["meters"]] == ["00000292", "00000389"]


async def test_plans_are_refused_at_their_field(house: House) -> None:
    await house.settle_in()
    plan = {"meter_id": METER, "debt": 2500, "instalment": 1000, "currency": "XOF", "start_date": "2026-03-01"}
    before = await house.books()
    for change, status, code in (
        ({"meter_id": "00000000000000ff"}, 404, "meter_unknown"),
        ({"debt": 0}, 400, "invalid_body"),
        ({"instalment": -1}, 400, "invalid_body"),
        ({"debt": 10**12 + 1}, 400, "invalid_body"),
        ({"currency": "KES"}, 400, "currency"),
        ({"start_date": "2026-13-01"}, 400, "invalid_body"),
        ({"start_date": "2026-02-30"}, 400, "invalid_body"),
    ):
        refused = await house.post("/v1/plans", {**plan, **change})
        assert (refused.status, refused.code) == (status, code), change
    assert await house.books() == before
    made = await house.post("/v1/plans", plan)
    assert (made.status, made.json) == (201, {"meter_id": METER, "version": 1, "days": 3})


PLACES = (
    ("/v1/nowhere", 404, "no_route"),
    ("/v1/meters/00000000000000ff", 404, "unknown_meter"),
    ("/v1/meters/xyz", 404, "invalid_path"),
    ("/v1/meters/00000000000000FF", 404, "invalid_path"),
    ("/v1/meters?limit=0", 400, "invalid_query"),
    ("/v1/meters?limit=501", 400, "invalid_query"),
    ("/v1/meters?limit=1e1", 400, "invalid_query"),
    ("/v1/meters?limit=5&limit=6", 400, "invalid_query"),
    ("/v1/meters?colour=blue", 400, "invalid_query"),
    ("/v1/meters?cursor=%00", 400, "invalid_cursor"),
    ("/v1/meters?cursor=WzFd", 400, "invalid_cursor"),
    ("/v1/payments?cursor=WyJhIl0", 400, "invalid_cursor"),
    ("/v1/payments?cursor=WzEsMl0", 400, "invalid_cursor"),
    ("/v1/payments/0", 404, "invalid_path"),
    ("/v1/payments/x", 404, "invalid_path"),
    ("/v1/cases?state=odd", 400, "invalid_query"),
    ("/healthz?x=1", 400, "invalid_query"),
)


async def test_each_wrong_address_is_refused(house: House) -> None:
    await house.settle_in()
    for path, status, code in PLACES:
        refused = await house.get(path)
        assert (refused.status, refused.code) == (status, code), path


async def test_methods_media_types_and_sizes(house: House) -> None:
    deleted = await house.ask("DELETE", "/v1/meters")
    assert (deleted.status, deleted.code) == (405, "method_not_allowed")
    assert "GET" in deleted.headers["Allow"]
    for headers in ({"content_type": "text/plain"}, {"content_encoding": "gzip"}):
        refused = await house.post("/v1/tariffs", TARIFF, **headers)
        assert (refused.status, refused.code) == (415, "unsupported_media_type"), headers
    large = await house.post("/v1/tariffs", b" " * 70_000)
    assert (large.status, large.code) == (413, "body_too_large")


async def test_the_host_header_must_name_this_machine(house: House) -> None:
    """A web page elsewhere can point its own name at 127.0.0.1; it must not read ours with a visitor's browser."""
    for host, status in (
        ("evil.example", 421),
        ("evil.example:80", 421),
        ("", 421),
        ("[::1]:80", 200),
        ("localhost", 200),
    ):
        answer = await house.ask("GET", "/healthz", host=host)
        assert answer.status == status, host


async def test_every_answer_carries_safe_headers(house: House) -> None:
    for path in ("/", "/healthz", "/v1/meters", "/nowhere", "/static/guelta.css", "/openapi.json"):
        headers = (await house.ask("GET", path)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'"), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Server"] == "guelta", path


@pytest.mark.parametrize("mode", ["production"])
async def test_production_has_no_simulated_time(house: House) -> None:
    for method, path in (("PUT", "/sim/clock"), ("POST", "/sim/story")):
        refused = await house.ask(method, path, b"{}", content_type="application/json")
        assert (refused.status, refused.code) == (404, "no_route")


async def test_the_simulated_clock_moves_forward_only(house: House) -> None:
    async def put(unix_us: Any) -> Any:
        raw = json.dumps({"unix_us": unix_us}).encode()
        return await house.ask("PUT", "/sim/clock", raw, content_type="application/json")

    now_us = house.clock.unix_us()
    assert (await put(now_us + 1_000_000)).status == 204
    assert (await house.get("/healthz")).json["now"] == "2026-02-21T19:00:01Z"
    back = await put(now_us)
    assert (back.status, back.code) == (409, "clock_back")
    for wrong in ("1", 1.5, True, -1, 2**63):
        assert (await put(wrong)).code == "invalid_body"
    assert house.clock.unix_us() == now_us + 1_000_000
