"""What a step came to is told in words and units of the caller's language, never in the record's own names (CT-33)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fieldtool import sync, value_words, volume_test
from fieldtool.outcome import FAILED, PASSED, WAIVED, Outcome
from fieldtool.steps import INSTALLATION, REMOVAL, VISITING

JOB = {"currency": "XOF", "exponent": 0}
FOLDER = Path(value_words.__file__).parent / "steps"


@pytest.mark.parametrize(
    ("result", "en", "fr"),
    [
        (Outcome(PASSED, {"serial": "RIG-1"}), "serial number RIG-1", "numéro de série RIG-1"),
        (Outcome(PASSED, {"ok": 1}), "", ""),
        (Outcome(PASSED, {"mills": 500_000}), "500 XOF", "500 XOF"),
        (
            Outcome(FAILED, {"bucket_ml": 9_850, "error_permille": -12}, {}, "off"),
            "bucket 9.85 L, -1.2 %, bucket and meter differ",
            "seau 9,85 L, -1,2 %, seau et compteur diffèrent",
        ),
        (
            Outcome(PASSED, {"lat_e6": 13_512_345, "lon_e6": -2_112_345, "accuracy_m": 0}),
            "latitude 13.512345, longitude -2.112345",
            "latitude 13.512345, longitude -2.112345",
        ),
        (Outcome(WAIVED, {"at": 0}, {}, "not_yet"), "not heard yet", "pas encore entendue"),
        (Outcome(WAIVED, {}, {}, "the street is dry"), "the street is dry", "the street is dry"),
    ],
)
def test_a_result_in_both_languages(result: Outcome, en: str, fr: str) -> None:
    assert (value_words.words(result, "en", JOB), value_words.words(result, "fr", JOB)) == (en, fr)


def test_every_reason_that_a_step_names_has_words() -> None:
    """Each constant that stands as the reason of an Outcome in steps/, and each verdict of the bucket."""
    named = {volume_test.WRONG_WEIGHT, volume_test.NO_PULSES, volume_test.TOO_COARSE, volume_test.TOO_LITTLE}
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Outcome":
                reason = node.args[3] if len(node.args) > 3 else None
                named |= {reason.value} if isinstance(reason, ast.Constant) else set()
    assert {"plate_differs", "drips"} <= named <= set(value_words.REASONS)


def test_every_finding_kind_and_state_has_words_in_both_languages() -> None:
    for step in (*REMOVAL, *INSTALLATION, *VISITING):
        for ended in ("failed", "waived", "missing"):
            code = f"{step.name}_{ended}"
            told = [sync.finding_text(code, lang) for lang in ("en", "fr")]
            assert told[0] != told[1] and all(step.name in text and text != code for text in told)
    assert sync.finding_text("seal_mismatch", "fr") == "le scellé trouvé n’est pas celui qui fut posé (seal_mismatch)"
    assert sync.finding_text("of_tomorrow", "fr") == "of_tomorrow"
