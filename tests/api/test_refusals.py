"""Every field of every endpoint, wrong in every way its schema knows: refused by name, in both languages, no change.

The requests are made from the OpenAPI document (wrong_requests.py), so an endpoint that is added is tried at once.
"""

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from headend.api.field_words import pattern_words
from headend.api.openapi import document
from headend.api.routes import ENDPOINTS
from headend.api.store import STORE
from headend.storage import tables
from tests.api.conftest import House, Reply, payment
from tests.api.wrong_requests import Asked, Operation, limits_missing, operations, wrong_requests

OPERATIONS = operations(document(ENDPOINTS))
# Words that only an English sentence has; a French answer must have none beside what it quotes.
ENGLISH = re.compile(r"\b(Expected|expected|with|and|must|missing|unknown|the|matching|length|give|leave|stands)\b")


def by_name(operations: list[Operation]) -> Any:
    return [pytest.param(operation, id=operation.name) for operation in operations]


async def everything(house: House) -> str:
    """A digest of every row of every table."""

    def digest(connection: Any) -> str:
        found = hashlib.sha256()
        for table in tables.metadata.sorted_tables:
            found.update(repr((table.name, connection.execute(table.select()).all())).encode())
        return found.hexdigest()

    return await house.started.app[STORE].read(digest)


def log_of(house: House) -> Path:
    """The write-ahead log of its database."""
    reader = house.started.app[STORE].reader
    return Path(reader.read(lambda connection: connection.exec_driver_sql("PRAGMA database_list").one()[2]) + "-wal")


def written(log: Path) -> tuple[int, int]:
    """Where the log stands: a commit that changes anything moves it."""
    return log.stat().st_size, log.stat().st_mtime_ns


async def send(house: House, operation: Operation, asked: Asked, language: str) -> Reply:
    """The request as its operation is secured: by key, by signature, or not at all."""
    headers: dict[str, str] = {"accept_language": language}
    if operation.security == "billerSignature":
        headers |= house.signed(asked.raw if asked.raw is not None else asked.path.encode())
    if operation.security == "apiKey":
        headers["authorization"] = f"Bearer {house.api_key}"
        if asked.idempotency_key is not None:
            headers["idempotency_key"] = asked.idempotency_key
    if asked.raw is not None:
        headers["content_type"] = asked.content_type or operation.media_type
    # aiohttp's client warns of long bytes, not of a long stream.
    sent: Any = io.BytesIO(asked.raw) if asked.raw is not None and len(asked.raw) > 2**20 else asked.raw
    return await house.ask(operation.method.upper(), asked.path, sent, **headers)


def is_english(text: str) -> bool:
    return ENGLISH.search(re.sub(r"`.*?`", "", text, flags=re.DOTALL)) is not None


def fault(asked: Asked, english: Reply, french: Reply) -> str | None:
    """What is not as it should be about the two answers to one wrong request."""
    if english.headers["Content-Type"] != "application/problem+json" or not 400 <= english.status < 500:
        return f"answered {english.status} {english.text[:200]}"
    if (english.code, french.code) != (asked.code, asked.code):
        return f"refused as {english.code}, not {asked.code}: {english.text[:300]}"
    if english.json["detail"] == french.json["detail"] or is_english(french.json["detail"]):
        return f"says in French: {french.json['detail']}"
    if asked.place is None:
        return None
    [error], [erreur] = english.json["errors"], french.json["errors"]
    if error["pointer"] != asked.place and not error["pointer"].startswith(asked.place + "/"):
        return f"points at {error['pointer']!r}, not {asked.place!r}"
    if "matching regex" in error["detail"] or error["detail"] == erreur["detail"] or is_english(erreur["detail"]):
        return f"says {error['detail']!r} and {erreur['detail']!r}"
    return None


@pytest.mark.parametrize("operation", by_name(OPERATIONS))
async def test_every_wrong_field_is_refused_by_name_and_changes_nothing(house: House, operation: Operation) -> None:
    await house.settle_in()
    await house.notify(payment(account="99999999"))
    log = log_of(house)
    before, stood = await everything(house), written(log)
    faults = []
    for asked in wrong_requests(operation):
        english, french = [await send(house, operation, asked, language) for language in ("en", "fr")]
        found = fault(asked, english, french)
        if written(log) != stood:
            stood = written(log)
            found = found or ("changed the books" if await everything(house) != before else None)
        if found is not None:
            faults.append(f"{asked.what} at {asked.place}: {found}")
    assert faults == []
    assert await everything(house) == before


def test_the_requests_are_many_and_reach_every_field() -> None:
    """The control: a generator that makes nothing would let everything pass."""
    tariffs = next(operation for operation in OPERATIONS if operation.name == "POST /v1/tariffs")
    asked = list(wrong_requests(tariffs))
    places = {one.place for one in asked}
    assert {"/code", "/valid_from", "/prices/blocks", "/prices/blocks/0/upto_l", "/prices/tax1/roles/0"} <= places
    assert {one.code for one in asked} == {
        "invalid_query", "invalid_body", "malformed_json", "unsupported_media_type", "body_too_large",
        "idempotency_key_missing",
    }  # fmt: skip
    assert len(asked) > 200


async def test_a_server_that_takes_everything_is_caught(house: House) -> None:
    """The control of the check itself: an answer of 200, of 500, in one language or at another field is a fault."""
    asked = Asked("wrong", "invalid_body", "/title", "/v1/tariffs", b"{}")
    good = await house.post("/v1/tariffs", {"code": "x", "title": 1})
    french = await house.post("/v1/tariffs", {"code": "x", "title": 1}, accept_language="fr")
    assert fault(asked, good, french) is None
    taken = await house.get("/v1/meters")
    assert "answered 200" in str(fault(asked, taken, taken))
    assert "says in French" in str(fault(asked, good, good))
    other = await house.post("/v1/tariffs", {"code": 1})
    autre = await house.post("/v1/tariffs", {"code": 1}, accept_language="fr")
    assert "points at '/code'" in str(fault(asked, other, autre))


def test_every_field_that_comes_in_has_limits() -> None:
    """A text of any length or a number of any size is a door that nobody watches."""
    found = []
    for operation in OPERATIONS:
        found += [f"{operation.name} {place}" for place in limits_missing(operation.body or {})]
        for parameter in operation.of("path") + operation.of("query"):
            found += [f"{operation.name} ?{parameter['name']}" for _ in limits_missing(parameter["schema"])]
    assert found == []


def test_every_pattern_has_words_in_both_languages() -> None:
    """A person is told what to write, never a regular expression."""

    def patterns(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
            return here + [found for value in node.values() for found in patterns(value)]
        return [found for value in node for found in patterns(value)] if isinstance(node, list) else []

    incoming = [(operation.body, operation.of("path"), operation.of("query")) for operation in OPERATIONS]
    for pattern in {found for parts in incoming for part in parts for found in patterns(part)}:
        english, french = pattern_words(pattern)
        assert english and french and english != french, pattern
