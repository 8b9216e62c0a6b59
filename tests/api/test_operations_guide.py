"""docs/OPERATIONS.md is executed line by line: a real headend, a real MicroPython meter over UDP, in wall time.

The only things changed are the two addresses, so that the guide's own ports may be in use.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guide import ROOT, Terminal, blocks, on_free_ports


@pytest.fixture
def guide() -> list[tuple[str, str]]:
    """The guide with two free ports in the place of its own."""
    return on_free_ports("OPERATIONS.md")


@pytest.fixture
def terminals(tmp_path: Path, guide: list[tuple[str, str]]) -> Iterator[dict[str, Terminal]]:
    begins = guide[0][1]
    opened = {who: Terminal(tmp_path, begins) for who in ("desk", "headend", "meter")}
    yield opened
    for one in opened.values():
        one.close(patience_s=0.2)


@pytest.mark.slow
def test_from_an_empty_folder_to_the_first_paid_litre(
    tmp_path: Path, guide: list[tuple[str, str]], terminals: dict[str, Terminal]
) -> None:
    """CT-01 by hand: dry, paid, open, one litre for 127 mills; the repeated callback credits nothing (CT-07)."""
    desk, headend, meter = terminals["desk"], terminals["headend"], terminals["meter"]
    steps = iter(guide[1:])

    def step(who: str, terminal: Terminal, until: str = "the step is done") -> str:
        typist, text = next(steps)
        assert typist == who
        terminal.type(text if who in ("headend", "meter", "typed") else f"{text}echo the step is done\n")
        return terminal.said(until)

    step("desk", desk)
    step("headend", headend, '"ready": true')
    assert "the valve closes" in step("meter", meter, "Water is off")
    answers = step("desk", desk)
    assert [answers.count(f'"outcome": "{word}"') for word in ("credited", "duplicate")] == [1, 1]
    assert "balance 1000.000" in meter.said("the valve is open")
    read = step("typed", meter, "volume_l")
    assert '"volume_l": 1' in read and '"spent_mills": 127' in read
    seen = step("desk", desk)
    assert '"valve": "open"' in seen, seen
    assert '"balance": {\n    "amount": 1000,\n    "currency": "XOF"\n  }' in seen, seen
    assert "books are good" in seen and "schema is current" in seen
    kept = step("desk", desk)
    assert "books are good" in kept and "opens all: " in kept and "guelta key create" in kept, kept
    meter.type("quit\n")
    meter.close()
    assert meter.process.returncode == 0, "the rig ends by itself"
    headend.close(patience_s=0.2)
    done = step("stopped", desk)
    assert "moved on by 8192" in done and "secrets wrapped anew" in done and "books are good" in done, done
    daily = step("stopped", desk)
    assert '"order":"open"' in daily and '"state":"suspended"' in daily and "asked for key epoch 1" in daily, daily
    assert "radio 70b3d57ed0000001" in step("stopped", desk)
    work = step("stopped", desk)
    assert "NE000100 to NE000199: 100" in work and "j1: cancelled" in work, work
    assert next(steps, None) is None

    folder = tmp_path / "guelta-first"
    secret_files = (
        "meter.json",
        "renewed.json",
        "wave.secret",
        "desk.key",
        "technician.key",
        "job.json",
        "meter.flash",
        "guelta.db",
        "guelta.db.kek",
    )
    assert {(folder / name).stat().st_mode & 0o077 for name in secret_files} == {0}
    root = json.loads((folder / "meter.json").read_text())["root"]
    assert root not in read and root not in seen


def test_both_languages_give_the_same_commands() -> None:
    english = blocks("OPERATIONS.md")
    typists = ["each", "desk", "headend", "meter", "desk", "typed", "desk", "desk", *["stopped"] * 4]
    assert [who for who, _ in english] == typists
    assert blocks("OPERATIONS.fr.md") == english


def test_every_command_and_file_that_the_guide_names_exists() -> None:
    """A guide that names a file that was moved is wrong before anyone runs it."""
    for page in ("OPERATIONS.md", "OPERATIONS.fr.md"):
        text = (ROOT / "docs" / page).read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / "docs" / target).exists(), target
        for name in re.findall(r"`((?:tests|firmware)/[\w/.]+)`", text):
            assert (ROOT / name).exists(), name
    assert all(shlex.split(line) for _, text in blocks("OPERATIONS.md") for line in text.splitlines())
