"""docs/FIELD_GUIDE.md is carried out line by line: a real headend, real meters at pseudo-terminals, the real tool at
a terminal, its questions answered as the guide's tables say (CT-33, IW-23, FEATURES B9).

Only the headend's two ports are changed, so that those of the guide may be in use.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pexpect
import pytest

from fieldtool import exit_codes, texts
from fieldtool.hands import ASKING
from fieldtool.steps import INSTALLATION, REMOVAL
from tests.guide import ROOT, Terminal, blocks, on_free_ports

from .visit import PROMPT, Reply

PAGES = ("FIELD_GUIDE.md", "FIELD_GUIDE.fr.md")
ROW = re.compile(r"^\| ([^|\n]+?) \| ([^|\n]*?) ?\|$", re.MULTILINE)
READY = "ready@ "
TOKEN = r"Token of job (\w+) .*: $"
POURS = re.compile(r"`(pour \d+)`")


def answers(page: str) -> dict[str, str]:
    """Question → answer, of the tables whose head says so."""
    text = (ROOT / "docs" / page).read_text()
    found: dict[str, str] = {}
    for part in re.split(r"\n\n", text):
        rows = ROW.findall(part)
        if rows and rows[0] in (("it asks", "you answer"), ("il demande", "vous répondez")):
            found |= dict(rows[2:])
    return found


class Technician:
    """Terminal 4: a shell at a real terminal, since the tool asks its questions there."""

    def __init__(self, home: Path, begins: str) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "PS1": READY}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads; it execs at once
            self.shell: pexpect.spawn[str] = pexpect.spawn(
                "bash", ["--noprofile", "--norc", "--noediting"], cwd=str(ROOT), env=environment, encoding="utf-8",
                timeout=120, dimensions=(50, 200), echo=False,
            )  # fmt: skip
        self.shell.expect_exact(READY)
        for line in begins.splitlines():
            self.types(line, {}, {})

    def types(self, line: str, replies: Mapping[str, Reply], tokens: Mapping[str, str], until: str = "\x00") -> str:
        """One command to its end, its questions answered; at `until` it is interrupted. What was said."""
        self.shell.sendline(line)
        said, broken_off = "", False
        while True:
            came = self.shell.expect([re.escape(READY) + "$", PROMPT, TOKEN, until])
            assert isinstance(self.shell.after, str) and isinstance(self.shell.match, re.Match)
            said += self.shell.before + self.shell.after
            if came == 0:
                return said
            if came == 3:
                self.shell.sendintr()
                broken_off = True
            elif broken_off:
                pass  # the question that Ctrl-C is the answer to; a second one would go to the shell
            elif came == 2:
                self.shell.sendline(tokens[self.shell.match.group(1)])
            else:
                self.shell.sendline(self._reply(self.shell.match.group(1), replies, said))

    @staticmethod
    def _reply(asked: str, replies: Mapping[str, Reply], said: str) -> str:
        titles = re.findall(r"\[\d+/\d+\] ([^:\r\n]*)\r", said)
        if "w: leave this step out" in asked and titles and titles[-1] in replies:
            asked = titles[-1]
        known = [reply for words, reply in replies.items() if words in asked]
        assert len(known) == 1, f"the guide does not say what to answer: {asked!r} after {said}"
        return known[0] if isinstance(known[0], str) else known[0]()


@pytest.fixture
def guide() -> list[tuple[str, str]]:
    """The guide with two free ports in the place of its own."""
    return on_free_ports("FIELD_GUIDE.md", " --lang en")


@pytest.fixture
def terminals(tmp_path: Path, guide: list[tuple[str, str]]) -> Iterator[dict[str, Terminal]]:
    opened = {who: Terminal(tmp_path, guide[0][1]) for who in ("office", "headend", "box", "spare")}
    yield opened
    for one in opened.values():
        one.close(patience_s=0.2)


@pytest.fixture
def technician(tmp_path: Path, guide: list[tuple[str, str]]) -> Iterator[Technician]:
    at_work = Technician(tmp_path, guide[0][1])
    yield at_work
    at_work.shell.close(force=True)


class Reading:
    """The guide, block by block: whoever is to type the next one types it."""

    def __init__(
        self, folder: Path, guide: list[tuple[str, str]], terminals: dict[str, Terminal], technician: Technician
    ) -> None:
        self.folder = folder
        self._steps = iter(guide[1:])
        self._terminals, self._technician = terminals, technician

    def office(self) -> str:
        return self._types("office", "the step is done", "echo the step is done\n")

    def starts(self, who: str, until: str) -> str:
        return self._types(who, until, "")

    def technician(self, tap: str = "box", until: str = "\x00", leaves: str = "\x00") -> list[str]:
        """What each of his commands said. `tap`: at which terminal water is drawn; `until`: where he breaks off;
        `leaves`: the title of a step that he leaves out."""
        lines = self._next("technician").splitlines()
        replies = {**self._replies(tap), leaves: "w", "Why?": "shown already"}
        return [self._technician.types(line, replies, self._tokens(), until) for line in lines]

    def is_over(self) -> bool:
        return next(self._steps, None) is None

    def _types(self, who: str, until: str, then: str) -> str:
        self._terminals[who].type(self._next(who) + then)
        return self._terminals[who].said(until)

    def _next(self, who: str) -> str:
        typist, text = next(self._steps)
        assert typist == who
        return text

    def _replies(self, tap: str) -> dict[str, Reply]:
        replies: dict[str, Reply] = dict(answers("FIELD_GUIDE.md"))
        for question, told in answers("FIELD_GUIDE.md").items():
            if pours := POURS.search(told):
                replies[question] = self._pours(tap, pours.group(1), told.partition(",")[0])
        return replies

    def _pours(self, tap: str, word: str, then: str) -> Callable[[], str]:
        def pour() -> str:
            self._terminals[tap].type(f"{word}\n")
            self._terminals[tap].said(f"in the bucket: {word.split()[1]} L")
            return then

        return pour

    def _tokens(self) -> dict[str, str]:
        """What the office told him: the tokens of the jobs made so far."""
        jobs = [json.loads(file.read_text()) for file in self.folder.glob("*.json")]
        return {job["job_id"]: job["token"] for job in jobs if "token" in job}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_box_to_a_meter_its_update_and_its_successor(
    tmp_path: Path, guide: list[tuple[str, str]], terminals: dict[str, Terminal], technician: Technician
) -> None:
    """The guide as it stands: enrol, sync, commission, label, pay, flash, swap, decommission."""
    folder = tmp_path / "guelta-field"
    reading = Reading(folder, guide, terminals, technician)
    reading.office()
    reading.starts("headend", '"ready": true')
    assert "box.port" in reading.starts("box", "the meter is on")
    assert "technician-1" in reading.technician()[0]
    reading.office()
    token = json.loads((folder / "job.json").read_text())["token"]
    (taken,) = reading.technician()
    assert "ready until" in taken and token not in taken
    (commissioned,) = reading.technician()
    assert "The meter attests the record" in commissioned and "guelta field sync" in commissioned
    sent, label, read = reading.technician()
    assert "sent, done" in sent, sent
    assert (folder / "label.pdf").read_bytes().startswith(b"%PDF") and "label.pdf" in label
    assert "00000000000000c1" in read
    paid = reading.office()
    assert '"outcome": "credited"' in paid and '"first_uplink_at": "20' in paid
    terminals["box"].said("there is credit left")

    reading.office()
    _, flashed, now = reading.technician()
    assert "runs 0.2.0" in flashed and "On trial" in flashed and "credited in all           1000.000" in now, flashed

    reading.office()
    assert "spare.port" in reading.starts("spare", "the meter is on")
    _, left = reading.technician(until="Unplug the cable")
    assert "Final index" in left
    swapped, moved, opened, erased = reading.technician(tap="spare", leaves="The closed valve holds")
    assert "attests" in swapped and "sent, done" in moved, swapped + moved
    assert "has its OPENING" in opened and "blank board now" in erased, opened + erased
    assert reading.is_over()
    terminals["spare"].said("there is credit left")

    secret = ("release.key", "office.key", "wave.secret", "job.json", "box.flash", "laptop/tool.key")
    assert {(folder / name).stat().st_mode & 0o077 for name in secret} == {0}
    assert not (folder / "technician.key").exists()


def test_both_languages_give_the_same_commands_and_answers() -> None:
    english, french = (blocks(page) for page in PAGES)
    assert [who for who, _ in english] == [who for who, _ in french]
    assert english == french
    in_english, in_french = (answers(page) for page in PAGES)
    assert len(in_english) == len(in_french) > 20
    neutral = {"y": "o", "n": "n"}
    for one, other in zip(in_english.values(), in_french.values(), strict=True):
        assert neutral.get(one[:1] if "pour" in one else one, one)[:20] in other[:20]


@pytest.mark.parametrize(("page", "at"), [(PAGES[0], 0), (PAGES[1], 1)])
def test_the_questions_of_the_guide_are_those_of_the_tool_in_that_language(page: str, at: int) -> None:
    steps = (*REMOVAL, *INSTALLATION)
    said = [text[at] for step in steps for text in step.texts.values()] + [text[at] for text in ASKING.values()]
    for question in answers(page):
        assert any(question in text for text in said), question


@pytest.mark.parametrize("page", PAGES)
def test_the_guide_names_every_exit_code_every_step_and_no_file_that_is_not_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes
    for step in INSTALLATION:
        assert re.search(rf"\b{step.name}\b", text) or step.name in ("grace",), step.name
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target
    for name in re.findall(r"`((?:tests|firmware)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name
    for _, block in blocks(page):
        assert all(shlex.split(line) for line in block.splitlines())
    assert set(texts.LANGUAGES) == {"en", "fr"}
