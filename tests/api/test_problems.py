"""Each refusal that the code raises can be said: its sentence has every word it needs, in both languages."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.api.problem_catalogue import CATALOGUE
from tests.api.conftest import House

HEADEND = Path(__file__).resolve().parents[2] / "headend"


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """(where, code, fields) of each `Problem("code", …, field=…)`."""
    for file in sorted(HEADEND.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != "Problem":
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                fields = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
                yield f"{file.name}:{node.lineno}", node.args[0].value, fields


def needed(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_each_refusal_gives_the_words_that_its_sentence_needs() -> None:
    found = list(raised())
    assert len(found) > 30
    for where, code, fields in found:
        kind = CATALOGUE[code]
        assert needed(kind.detail_en) == needed(kind.detail_fr) == fields, f"{where}: {code}"


@pytest.mark.parametrize(("language", "words"), [("en", "No tariff 'nope'"), ("fr", "Aucun tarif « nope »")])
async def test_a_tariff_that_never_was_is_said_so(house: House, language: str, words: str) -> None:
    """CT-10: asked as of a day, a code that nobody published is refused by name."""
    answer = await house.ask(
        "GET", "/v1/tariffs/nope", authorization=f"Bearer {house.api_key}", accept_language=language
    )
    assert (answer.status, answer.code) == (404, "tariff_not_known")
    assert words in answer.json["detail"]
