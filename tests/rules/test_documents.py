"""The numbers and bytes that the documents print are the ones the rules give."""

import inspect
import re
from pathlib import Path

import pytest

from protocol.rules import decision, policy, rating, reason_codes, tariff
from protocol.rules.tariff import Tariff
from tests.rules.homes import LIFELINE, POLICY
from tests.rules.packs import KIAMBU, MOGALE, NIGER
from tests.rules.test_policy_pack import FEASTS, FULL

ROOT = Path(__file__).resolve().parents[2]
TARIFFS = (ROOT / "docs" / "TARIFFS.md").read_text()
BODIES = {
    "Niger": tariff.encode_body(NIGER),
    "Kiambu": tariff.encode_body(KIAMBU),
    "Mogale": tariff.encode_body(MOGALE),
    "Lifeline": policy.encode_body(LIFELINE),
    "Weekends": policy.encode_body(POLICY),
    "Irish": policy.encode_body(FEASTS),
    "Everything": policy.encode_body(FULL),
}


def section(title: str) -> str:
    return next(part for part in TARIFFS.split("\n## ") if part.startswith(title))


@pytest.mark.parametrize(("title", "priced", "rows"), [("Worked: Niger", NIGER, 6), ("Worked: Kiambu", KIAMBU, 6)])
def test_the_worked_tables_are_right(title: str, priced: Tariff, rows: int) -> None:
    found = re.findall(r"^\| ([\d.]+) \|.*\| ([\d,]+) \|$", section(title), re.MULTILINE)
    assert len(found) == rows
    for cubic_metres, mills in found:
        whole, _, part = cubic_metres.partition(".")
        litres = int(whole) * 1_000 + int(part.ljust(3, "0"))
        state = rating.rate_slot(rating.NEW, priced, priced.from_slot, litres, True)
        assert state.spent_mills == int(mills.replace(",", "")), cubic_metres


def test_the_printed_bodies_are_the_bodies() -> None:
    printed = re.findall(r"^\| (\w+) \| `([0-9a-f ]+)` \| (\d+) \|$", TARIFFS, re.MULTILINE)
    assert [name for name, _, _ in printed] == list(BODIES)
    for name, body, length in printed:
        assert BODIES[name] == bytes.fromhex(body), name
        assert len(bytes.fromhex(body)) == int(length)


def test_the_precedence_table_of_the_readme_is_the_one_in_the_code() -> None:
    readme = (ROOT / "protocol" / "rules" / "README.md").read_text()
    printed = re.findall(r"^\| \d+ \|.*\| (open|closed) \| (\w+) \|$", readme, re.MULTILINE)
    source = inspect.getsource(decision)
    answers = ("closed", "_overruling"), ("open", "_opening"), ("closed", "_closing")
    written = []
    for valve, question in answers:
        body = source.split(f"def {question}(")[1].split("\ndef ")[0]
        written += [(valve, name) for name in re.findall(r"return reason_codes\.(\w+)", body)]
    assert printed == written


def test_each_reason_is_given_in_one_place_and_its_number_says_open_or_closed() -> None:
    given = re.findall(r"return reason_codes\.(\w+)", inspect.getsource(decision))
    codes = [getattr(reason_codes, name) for name in given]
    assert sorted(codes) == sorted(reason_codes.OPEN_REASONS + reason_codes.CLOSED_REASONS)
    assert all(0 < code <= reason_codes.OPEN_MAX for code in reason_codes.OPEN_REASONS)
    assert all(reason_codes.OPEN_MAX < code < 64 for code in reason_codes.CLOSED_REASONS)
