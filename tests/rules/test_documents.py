"""The numbers and bytes that the documents print are the ones the rules give."""

import re
from pathlib import Path

import pytest

from protocol.rules import rating, reason_codes
from protocol.rules.policy import RULES
from protocol.rules.tariff import Tariff, encode_body
from tests.rules.packs import KIAMBU, MOGALE, NIGER

ROOT = Path(__file__).resolve().parents[2]
TARIFFS = (ROOT / "docs" / "TARIFFS.md").read_text()
PACKS = {"Niger": NIGER, "Kiambu": KIAMBU, "Mogale": MOGALE}


def section(title: str) -> str:
    return next(part for part in TARIFFS.split("\n## ") if part.startswith(title))


@pytest.mark.parametrize(("title", "tariff", "rows"), [("Worked: Niger", NIGER, 6), ("Worked: Kiambu", KIAMBU, 6)])
def test_the_worked_tables_are_right(title: str, tariff: Tariff, rows: int) -> None:
    found = re.findall(r"^\| ([\d.]+) \|.*\| ([\d,]+) \|$", section(title), re.MULTILINE)
    assert len(found) == rows
    for cubic_metres, mills in found:
        whole, _, part = cubic_metres.partition(".")
        litres = int(whole) * 1_000 + int(part.ljust(3, "0"))
        state = rating.rate_slot(rating.NEW, tariff, tariff.from_slot, litres, True)
        assert state.spent_mills == int(mills.replace(",", "")), cubic_metres


def test_the_printed_bodies_are_the_bodies() -> None:
    printed = re.findall(r"^\| (\w+) \| `([0-9a-f ]+)` \| (\d+) \|$", TARIFFS, re.MULTILINE)
    assert [name for name, _, _ in printed] == list(PACKS)
    for name, body, length in printed:
        assert encode_body(PACKS[name]) == bytes.fromhex(body)
        assert len(bytes.fromhex(body)) == int(length)


def test_the_precedence_table_of_the_readme_is_the_one_in_the_code() -> None:
    readme = (ROOT / "protocol" / "rules" / "README.md").read_text()
    printed = re.findall(r"^\| \d+ \|.*\| (open|closed) \| (\w+) \|$", readme, re.MULTILINE)
    assert printed == [("open" if is_open else "closed", name_of(code)) for _, is_open, code in RULES]


def name_of(code: int) -> str:
    return next(name for name, value in vars(reason_codes).items() if name.isupper() and value == code)
