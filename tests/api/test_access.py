"""API keys and Idempotency-Keys: who may, and once."""

import asyncio
import os
import re
from typing import Any

import pytest

from headend.api import keys
from headend.api.endpoint import BY_KEY, FIELD, OPERATE, PROVISION, READ
from headend.api.keys import KeyRefused
from headend.api.routes import ENDPOINTS
from headend.api.store import STORE
from tests.api.conftest import METER, NIGER, House

TARIFF = {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-01T00:00:00Z", "prices": NIGER}


PLACED = {"meter_id": METER, "job_id": "j1"}


def placed(address: str) -> str:
    """The address with something that is well-formed at each of its places."""
    return re.sub(r"\{(\w+)\}", lambda place: PLACED.get(place[1], "1"), address)


async def make_key(house: House, name: str, *scopes: str) -> str:
    store = house.started.app[STORE]
    return await store.write(lambda tx: keys.create(tx, name, scopes, os.urandom))


async def test_no_endpoint_opens_without_its_scope(house: House) -> None:
    """Every key-protected row of the table, each with no key, a wrong one, a revoked one, and one of other scopes."""
    only = {scope: await make_key(house, scope, scope) for scope in (READ, OPERATE, PROVISION, FIELD)}
    revoked = await make_key(house, "gone", READ, OPERATE, PROVISION)
    await house.started.app[STORE].write(lambda tx: keys.revoke(tx, "gone"))
    before = await house.books()
    for endpoint in ENDPOINTS:
        if endpoint.security != BY_KEY:
            continue
        path = placed(endpoint.path)
        for text in ("", "Basic abc", "Bearer", "Bearer guelta_" + "0" * 64, f"Bearer {revoked}", f"Bearer {revoked}x"):
            refused = await house.ask(endpoint.method, path, b"{}", authorization=text, content_type="application/json")
            assert (refused.status, refused.code) == (401, "unauthenticated"), (path, text)
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        for scope, key in only.items():
            if scope not in endpoint.scopes:
                refused = await house.ask(endpoint.method, path, b"{}", authorization=f"Bearer {key}")
                assert (refused.status, refused.code) == (403, "scope_missing"), (path, scope)
    assert await house.books() == before


async def test_health_needs_no_key(house: House) -> None:
    answer = await house.ask("GET", "/healthz")
    assert (answer.status, answer.json["status"], answer.json["now"]) == (200, "ok", "2026-02-21T19:00:00Z")


async def test_keys_are_refused_with_a_remedy(house: House) -> None:
    store = house.started.app[STORE]
    for name, scopes in (
        ("", (READ,)),
        ("x" * 41, (READ,)),
        ("a\n", (READ,)),
        ("b", ()),
        ("c", ("root",)),
        ("test", (READ,)),
    ):
        with pytest.raises(KeyRefused, match=r"name|scope"):
            await store.write(lambda tx, n=name, s=scopes: keys.create(tx, n, s, os.urandom))
    with pytest.raises(KeyRefused, match="no key of that name"):
        await store.write(lambda tx: keys.revoke(tx, "nobody"))


async def test_a_repeated_request_acts_once_and_answers_the_same(house: House) -> None:
    first = await house.post("/v1/tariffs", TARIFF, idempotency_key="publish-1")
    books = await house.books()
    again = await house.post("/v1/tariffs", TARIFF, idempotency_key="publish-1")
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert await house.books() == books


async def test_repetitions_in_flight_act_once(house: House) -> None:
    answers = await asyncio.gather(*(house.post("/v1/tariffs", TARIFF, idempotency_key="publish-1") for _ in range(8)))
    assert {(answer.status, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert len((await house.get("/v1/tariffs")).json["items"]) == 1


async def test_the_same_key_for_another_request_is_refused(house: House) -> None:
    await house.post("/v1/tariffs", TARIFF, idempotency_key="publish-1")
    before = await house.books()
    other = await house.post("/v1/tariffs", {**TARIFF, "title": "Niger 2007"}, idempotency_key="publish-1")
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert await house.books() == before


async def test_two_callers_may_choose_the_same_word(house: House) -> None:
    await house.post("/v1/tariffs", TARIFF, idempotency_key="publish-1")
    second = await make_key(house, "second", OPERATE)
    other = {**TARIFF, "title": "Niger 2007"}
    answer = await house.post("/v1/tariffs", other, idempotency_key="publish-1", authorization=f"Bearer {second}")
    assert answer.status == 201


async def test_a_refused_request_leaves_its_key_free(house: House) -> None:
    plan = {"meter_id": METER, "debt": 100, "instalment": 10, "currency": "XOF", "start_date": "2026-03-01"}
    refused = await house.post("/v1/plans", plan, idempotency_key="plan-number-1")
    assert refused.code == "meter_unknown"
    await house.settle_in()
    assert (await house.post("/v1/plans", plan, idempotency_key="plan-number-1")).status == 201


async def test_a_root_key_rests_wrapped_even_in_a_stored_answer(house: House, tmp_path: Any) -> None:
    await house.post("/v1/tariffs", TARIFF)
    meter = {"meter_id": METER, "holder": "A", "service_point": "B", "tariff_code": "niger"}
    added = await house.post("/v1/meters", meter, idempotency_key="meter-number-1")
    again = await house.post("/v1/meters", meter, idempotency_key="meter-number-1")
    assert again.text == added.text
    root = added.json["root"]
    stolen = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("a.db*"))
    assert root.encode() not in stolen and bytes.fromhex(root) not in stolen
