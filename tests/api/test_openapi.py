"""The contract: OpenAPI 3.1 read off the handlers, valid, committed and current."""

import json
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from headend.api.endpoint import BY_KEY
from headend.api.openapi import codes, document, encoded
from headend.api.problem_catalogue import CATALOGUE
from headend.api.routes import ENDPOINTS
from tests.api.conftest import House

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


async def test_the_served_document_is_valid_openapi_3_1(house: House) -> None:
    served = (await house.ask("GET", "/openapi.json")).json
    assert served["openapi"] == "3.1.0"
    validate(served)


def test_the_committed_document_is_current() -> None:
    """Renew it with: python -m headend.api.openapi > docs/openapi.json."""
    assert COMMITTED.read_bytes() == encoded(ENDPOINTS)


def test_every_row_of_the_table_is_in_the_document() -> None:
    paths = document(ENDPOINTS)["paths"]
    assert {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS} == {
        (path, method) for path, methods in paths.items() for method in methods
    }


def test_every_refusal_named_exists_and_every_operation_names_its_own() -> None:
    for endpoint in ENDPOINTS:
        assert set(codes(endpoint)) <= set(CATALOGUE), endpoint.path
        operation = document((endpoint,))["paths"][endpoint.path][endpoint.method.lower()]
        assert operation["description"] and operation["summary"]
        if endpoint.security == BY_KEY:
            assert operation["security"] == [{"apiKey": [scope]} for scope in endpoint.scopes]


def test_every_pattern_refuses_a_trailing_line_feed() -> None:
    """`$` in Python lets "abc\\n" pass; a pattern of ours ends with a look-ahead that means the same everywhere."""

    def patterns(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
            return here + [found for value in node.values() for found in patterns(value)]
        return [found for value in node for found in patterns(value)] if isinstance(node, list) else []

    found = patterns(json.loads(encoded(ENDPOINTS)))
    assert len(found) > 10
    assert [pattern for pattern in found if not pattern.endswith(r"(?![\s\S])")] == []


def test_money_is_an_integer_with_a_currency() -> None:
    money = document(ENDPOINTS)["components"]["schemas"]["Money"]
    assert money["properties"]["amount"] == {"type": "integer"}
    assert money["required"] == ["amount", "currency"]
    assert '"type": "number"' not in encoded(ENDPOINTS).decode()
