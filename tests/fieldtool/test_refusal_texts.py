"""Every refusal of the tool: raised somewhere, said in both languages with its remedy, and with a known exit code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from fieldtool import exit_codes, session
from fieldtool.refusals import Refusal, table
from protocol.wire import console, console_codes

ROOM = Path(__file__).resolve().parents[2] / "fieldtool"
CODES = {value for name, value in vars(exit_codes).items() if name.isupper()}


def raised() -> set[str]:
    """The codes that the room's own files name: in Refusal("code", …), and in the tables of what a meter says."""
    found = set(session._PORT.values()) | set(session._COMMAND.values())
    for file in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                found |= {
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value
                }
            named = node.value if isinstance(node, ast.keyword) and node.arg == "silent" else None
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                found.add(named.value)
    return found


def test_every_code_that_is_raised_has_its_sentences_and_no_sentence_is_idle() -> None:
    assert raised() == set(table())


@pytest.mark.parametrize("code", sorted(table()))
def test_a_refusal_says_the_same_facts_in_both_languages(code: str) -> None:
    exit_code, (en, fr) = table()[code]
    assert exit_code in CODES - {exit_codes.OK, exit_codes.INTERRUPTED}
    assert en != fr and len(en) > 20
    facts = [sorted({name for _, name, _, _ in Formatter().parse(text) if name}) for text in (en, fr)]
    assert facts[0] == facts[1]
    told = Refusal(code, **dict.fromkeys(facts[0], "x"))
    assert told.exit_code == exit_code
    assert told.sentence("fr") != told.sentence("en") and str(told).startswith(f"{code}: ")


def test_every_refusal_of_the_port_and_of_a_command_is_known() -> None:
    """Codes of both ends stand side by side; a new one of the protocol without a sentence of ours fails here."""
    port = {
        value
        for name, value in vars(console).items()
        if name.isupper() and isinstance(value, int) and name in _refused_names()
    }
    assert set(session._PORT) == port
    commands = {
        value
        for name, value in vars(console_codes).items()
        if name.isupper()
        and isinstance(value, int)
        and name not in ("OWNER", "READER", "TECHNICIAN", "MAINTAINER", "RETIRER")
    }
    assert commands <= set(session._COMMAND)


def _refused_names() -> set[str]:
    """The constants of console.py below its comment on codes of REFUSED."""
    text = (ROOM.parent / "protocol/wire/console.py").read_text().split("# Codes of REFUSED")[1].split("\n\n")[0]
    return set(re.findall(r"^([A-Z_]+) = const", text, re.MULTILINE))
