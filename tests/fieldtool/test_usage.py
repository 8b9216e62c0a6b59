"""What is typed wrongly ends with 2, names the word and what may stand there, in the caller's language."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fieldtool import exit_codes
from guelta.cli import main


@pytest.mark.parametrize(
    ("words", "en", "fr"),
    [
        ("reed", "No such command 'reed'", "Le verbe reed n’existe pas"),
        ("--nope", "No such option '--nope'", "L’option --nope n’existe pas"),
        ("read --prot x", "--port", "Vouliez-vous dire --port"),
        ("read --port", "--port", "L’option --port attend une valeur"),
        ("log --days 99", "99", "--days : valeur refusée. Permis : un nombre entier de 1 à 92"),
        ("log --days x", "x", "--days : valeur refusée. Permis : un nombre entier de 1 à 92"),
        ("log --from x", "x", "--from : valeur refusée. Permis : un jour, AAAA-MM-JJ"),
        ("flash", "FILE", "Il manque FILE"),
        ("read --lang de", "de", "--lang : valeur refusée. Permis : en, fr"),
        ("read extra", "extra", "Mot de trop, ou mal placé : extra"),
    ],
)
def test_a_wrong_word_is_named_in_both_languages(words: str, en: str, fr: str) -> None:
    for lang, text in (("en", en), ("fr", fr)):
        done = CliRunner(env={"LC_ALL": f"{lang}_XX.UTF-8"}).invoke(main, ["field", *words.split()])
        assert done.exit_code == exit_codes.USAGE and done.stdout == ""
        assert text in done.stderr and "--help" in done.stderr, done.stderr


def test_a_program_is_told_too() -> None:
    done = CliRunner().invoke(main, ["field", "log", "--json", "--days", "99"])
    told = json.loads(done.stdout)["refused"]
    assert (done.exit_code, told["code"], told["exit"]) == (exit_codes.USAGE, "usage", exit_codes.USAGE)


def test_no_word_at_all_shows_the_help() -> None:
    done = CliRunner().invoke(main, ["field"])
    assert "commission" in done.output and done.exit_code == exit_codes.USAGE
