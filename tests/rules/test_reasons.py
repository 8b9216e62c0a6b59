"""Every reason has a French and an English sentence, and a closed valve always says what opens it."""

import pytest

from protocol.rules import reason_codes
from protocol.rules.reasons import LANGUAGES, SENTENCES, sentence


def test_every_reason_is_spoken_in_both_languages_and_no_two_alike() -> None:
    assert set(SENTENCES) == set(reason_codes.OPEN_REASONS + reason_codes.CLOSED_REASONS)
    spoken = [sentence(code, language) for code in SENTENCES for language in LANGUAGES]
    assert all(spoken)
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize("code", reason_codes.FIRE_OPENS)
def test_a_valve_closed_for_want_of_money_says_that_a_payment_opens_it(code: int) -> None:
    assert "Un paiement la rouvre" in sentence(code, "fr")
    assert "A payment opens it" in sentence(code, "en")


@pytest.mark.parametrize("code", sorted(set(reason_codes.CLOSED_REASONS) - set(reason_codes.FIRE_OPENS)))
def test_a_valve_that_no_payment_opens_says_who_to_ask(code: int) -> None:
    assert "paiement" not in sentence(code, "fr")
    assert "votre service des eaux" in sentence(code, "fr")
    assert "payment" not in sentence(code, "en")
    assert "your water utility" in sentence(code, "en")


def test_an_unknown_number_or_language_is_not_answered_with_another() -> None:
    with pytest.raises(KeyError):
        sentence(99, "fr")
    with pytest.raises(KeyError):
        sentence(reason_codes.CREDIT, "de")


def test_the_meter_does_not_carry_the_sentences() -> None:
    """Texts stay at home: no file the meter runs imports them."""
    from pathlib import Path

    rules = Path(__file__).resolve().parents[2] / "protocol" / "rules"
    users = [path.name for path in rules.glob("*.py") if "reasons import" in path.read_text()]
    assert users == []
