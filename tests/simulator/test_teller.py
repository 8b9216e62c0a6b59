"""The story's lines: both languages, one terminal line each, and a page that gets what it does not know by itself."""

import re

import pytest

from simulator.clock import at
from simulator.teller import Teller, moment, words
from simulator.texts import SENTENCES, TOLD_BY_THE_HEADEND, TONES, default_language, sentence


def test_every_sentence_has_the_same_facts_in_both_languages() -> None:
    fields = {key: [sorted(set(re.findall(r"{(\w+)}", text))) for text in texts] for key, texts in SENTENCES.items()}
    assert [key for key, (english, french) in fields.items() if english != french] == []
    assert all(english and french for english, french in SENTENCES.values())


def test_tones_and_exceptions_name_sentences_that_exist() -> None:
    assert set(TONES) | set(TOLD_BY_THE_HEADEND) <= set(SENTENCES)


def test_a_line_says_when_who_what_and_why() -> None:
    shown: list[str] = []
    Teller("en", shown.append).tell(at(2, 7, 35, 8), "1 Fati", "pays", amount=500, why=words("why_dry"))
    assert shown == [
        "Tue 31 Mar 07:35:08  1 Fati           500 F CFA paid from a phone, credited at once: the tap is dry"
    ]


def test_a_line_is_kept_in_both_languages_with_its_times_and_words_translated() -> None:
    teller = Teller("fr", lambda _: None)
    line = teller.note(0, words("who_utility"), "tariff_published", midnight=moment(at(3)), before=127, price=121)
    assert line.who == {"en": "utility", "fr": "régie"}
    assert "Wed  1 Apr" in line.what["en"]
    assert "mer  1 avr" in line.what["fr"]


def test_the_page_is_not_told_what_the_headend_tells_by_itself() -> None:
    teller = Teller("en", lambda _: None)
    teller.note(0, "1 Fati", "opens", why="credit")
    teller.note(1, "1 Fati", "meter_killed")
    assert [line.key for line in teller.take_unposted()] == ["meter_killed"]
    assert teller.take_unposted() == []


def test_a_page_that_lost_its_memory_is_told_everything_again() -> None:
    teller = Teller("en", lambda _: None)
    teller.note(0, "1 Fati", "opens", why="credit")
    teller.take_unposted()
    teller.tell_all_again()
    assert [line.key for line in teller.take_unposted()] == ["opens"]


@pytest.mark.parametrize(("lang", "wanted"), [("fr_FR.UTF-8", "fr"), ("en_GB.UTF-8", "en"), ("C", "en"), ("", "en")])
def test_the_language_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, lang: str, wanted: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", lang)
    assert default_language() == wanted


def test_an_unknown_sentence_is_a_programmers_error() -> None:
    with pytest.raises(KeyError):
        sentence("no_such_sentence", "en")
