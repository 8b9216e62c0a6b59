"""The verbs of the checklist as they are typed: exit codes, --json, --dry-run, --answers, prompts (CT-33, B9)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fieldtool import commission, exit_codes
from fieldtool.cli import field
from fieldtool.session import Session
from fieldtool.steps import INSTALLATION
from fieldtool.store import JOURNALS, OUTBOX, VARIABLE
from fieldtool.verb import Tool

from .bench_meter import Bench
from .job_in_hand import GOOD, JOB_ID, METER_ID, Laptop, job
from .visit import INSTALLER

Run = Callable[..., Result]


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """A laptop whose cable is in the bench's box, whatever --port says."""
    laptop = Laptop(tmp_path / "home", job(), Bench())
    monkeypatch.setenv(VARIABLE, str(laptop.store.home))
    monkeypatch.setattr(commission, "Clock", lambda: laptop.clock)

    @contextlib.contextmanager
    def session(_tool: Tool) -> Iterator[Session]:
        yield laptop.session()

    monkeypatch.setattr(Tool, "session", session)
    return laptop


@pytest.fixture
def run(laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def typed(*words: object, lines: str | None = None) -> Result:
        return CliRunner().invoke(field, [*map(str, words), "--lang", "en"], input=lines)

    return typed


def pours_when_told(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hands at the tap: what the checklist says is what they do."""
    from fieldtool.hands import Person, Script

    for voice in (Person, Script):
        say = voice.say

        def heard(self: Any, text: str, say: Any = say) -> None:
            say(self, text)
            if "fill the bucket" in text:
                laptop.line.at.pour(10)

        monkeypatch.setattr(voice, "say", heard)


def answers(folder: Path, **changed: Any) -> Path:
    file = folder / "answers.json"
    file.write_text(json.dumps({**GOOD, **changed}))
    return file


def test_a_script_gives_all_answers_in_a_file_and_reads_the_result_as_json(
    run: Run, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pours_when_told(laptop, monkeypatch)
    done = run("commission", "--answers", answers(tmp_path), "--yes", "--json")
    assert done.exit_code == exit_codes.OK, done.stderr
    told = json.loads(done.stdout)
    assert (told["job_id"], told["meter_id"], told["state"]) == (JOB_ID, METER_ID, "recorded")
    assert [step["name"] for step in told["steps"]] == [step.name for step in INSTALLATION]
    again = run("commission", "--answers", answers(tmp_path), "--yes", "--json")
    assert json.loads(again.stdout) == told, "once recorded it stays recorded"
    label = run("label", "--json")
    assert label.exit_code == exit_codes.OK
    pdf = (tmp_path / json.loads(label.stdout)["file"]).read_bytes()
    assert pdf.startswith(b"%PDF-") and run("label", JOB_ID, "-o", "again.pdf").exit_code == 0
    assert (tmp_path / "again.pdf").read_bytes() == pdf


def test_who_never_saw_the_tool_is_led_by_its_questions_alone(
    run: Run, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CT-33: every prompt is answered in the order it comes; wrong answers are asked again with what would be right."""
    pours_when_told(laptop, monkeypatch)
    typed = [
        "x", "WM-0012345",  # too short a number first
        "2", "1",
        "perhaps", "y", "y", "y", "y",
        "",
        "", "y", "ten", "10",
        "", "y", "1", "n",
        "", "radio", "lorawan", "17",
        "sc 0042", "SC-42", "SC-0042", "SC-0042", "y",
        "", "2.1 x", "13.512345 2.112345",
        "y", "Hadiza",
        "y",
    ]  # fmt: skip
    done = run("commission", lines="\n".join(typed) + "\n")
    assert done.exit_code == exit_codes.OK, done.stderr
    assert done.stdout.count("passed") == 13 and "guelta field sync" in done.stdout
    for hint in ("3 to 32 letters", "0.1, 1, 10 or 100", "Answer y or n", "Type litres", "The two numbers differ"):
        assert hint in done.stderr


def test_the_questions_that_the_live_tests_know_are_those_of_the_steps() -> None:
    asked = [step.texts[question.name][0] for step in INSTALLATION for question in step.asks]
    unknown = [text for text in asked if not any(words in text for words in INSTALLER)]
    assert {text.partition(" ")[0] for text in unknown} <= {"Is", "Far"}, unknown


def test_stopped_by_the_end_of_input_it_names_the_other_way_and_goes_on_later(run: Run, laptop: Laptop) -> None:
    done = run("commission", lines="WM-0012345\n")
    assert done.exit_code == exit_codes.USAGE and "--answers" in done.stderr
    planned = run("commission", "--dry-run", "--json")
    steps = json.loads(planned.stdout)["steps"]
    assert [step["outcome"] for step in steps[:2]] == ["passed", None]


def test_a_failed_step_ends_with_5_or_is_repeated_or_stopped_by_the_person(run: Run, laptop: Laptop) -> None:
    done = run("commission", lines="WM-0012345\n10\nq\nr\n10\ns\n")
    assert done.exit_code == exit_codes.NOT_VERIFIED
    assert done.stderr.count("Do not install it") == 2
    assert laptop.store.read(OUTBOX, JOB_ID) is None


def test_a_weak_radio_is_left_so_with_a_reason(run: Run, laptop: Laptop, tmp_path: Path) -> None:
    laptop.store.keep(JOURNALS, JOB_ID, _until("radio", laptop, tmp_path))
    done = run("commission", lines="\nlorawan\n4\nl\nantenna ordered\n")
    assert "Too little: 4 dB" in done.stderr
    kept = [step for step in (laptop.store.read(JOURNALS, JOB_ID) or {})["steps"] if step["name"] == "radio"]
    assert kept[0]["outcome"] == "waived" and kept[0]["values"]["reason"] == "antenna ordered"


def _until(name: str, laptop: Laptop, folder: Path) -> dict[str, Any]:
    """The journal of a checklist that stopped at a step."""
    from fieldtool.refusals import Refusal

    from .job_in_hand import Answers

    with pytest.raises(Refusal):
        laptop.install(Answers(laptop, **{f"{name}__bearer": None}))
    return laptop.store.read(JOURNALS, JOB_ID) or {}


def test_a_dry_run_says_the_plan_and_writes_nothing(run: Run, laptop: Laptop) -> None:
    done = run("commission", "--dry-run")
    assert done.exit_code == exit_codes.OK
    assert done.stdout.startswith("[1/14] Identify the box: next") and "seal.number" in done.stdout
    assert laptop.store.read(JOURNALS, JOB_ID) is None
    planned = json.loads(run("commission", "--dry-run", "--json").stdout)
    named = {name for step in planned["steps"] for name in step["asks"]}
    assert set(GOOD) <= named


@pytest.mark.parametrize("content", ["[1]", "{", '{"seal.number": [1]}', '{"seal.number": null}'])
def test_a_file_of_answers_that_is_none_is_refused(run: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(content)
    done = run("commission", "--answers", file, "--json")
    assert done.exit_code == exit_codes.USAGE
    assert json.loads(done.stdout)["refused"]["code"] == "answers_form"
    assert run("commission", "--answers", tmp_path / "none.json").exit_code == exit_codes.USAGE


def test_a_laptop_that_is_not_enrolled_cannot_sign_and_does_not_begin(run: Run, laptop: Laptop) -> None:
    (laptop.store.home / "tool.key").unlink()
    done = run("commission", "--json")
    assert json.loads(done.stdout)["refused"]["code"] == "not_enrolled"


def test_no_label_without_a_record(run: Run, laptop: Laptop) -> None:
    assert json.loads(run("label", "--json").stdout)["refused"]["code"] == "no_records"
    laptop.store.keep(OUTBOX, JOB_ID, {"record": {}})
    laptop.store.keep(OUTBOX, "j998", {"record": {}})
    assert json.loads(run("label", "--json").stdout)["refused"]["code"] == "several_records"
    for name in (JOB_ID, "j998"):
        laptop.store.drop(OUTBOX, name)
    assert json.loads(run("label", JOB_ID, "--json").stdout)["refused"]["code"] == "no_record"
    laptop.store.keep(JOURNALS, JOB_ID, {"facts": {"customer_number": "1", "service_point": "-"}})
    laptop.store.keep(OUTBOX, JOB_ID, {"record": {"steps": [], "meter_id": METER_ID, "new_meter_id": None}})
    assert json.loads(run("label", JOB_ID, "--json").stdout)["refused"]["code"] == "no_label"
    laptop.store.keep(OUTBOX, JOB_ID, {"record": {"steps": [{"name": "seal"}]}})
    assert json.loads(run("label", JOB_ID, "--json").stdout)["refused"]["code"] == "store_damaged"


def test_a_label_that_cannot_be_written_names_its_option(run: Run, laptop: Laptop, tmp_path: Path) -> None:
    laptop.store.keep(JOURNALS, JOB_ID, {"facts": {"customer_number": "00000195", "service_point": "-"}})
    sealed = {
        "steps": [{"name": "seal", "values": {"number": "SC-0042"}}],
        "meter_id": METER_ID,
        "finished_at": 1_798_761_734,
    }
    laptop.store.keep(OUTBOX, JOB_ID, {"record": {**sealed, "new_meter_id": None}})
    done = run("label", JOB_ID, "--json", "-o", tmp_path / "nowhere" / "label.pdf")
    told = json.loads(done.stdout)["refused"]
    assert (done.exit_code, told["code"]) == (exit_codes.FAILED, "label_unwritable")
    assert "--output" in told["text"] and "GUELTA_FIELD_HOME" not in told["text"]


def test_no_network_is_used(run: Run, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline first: not one socket in commission, swap and decommission."""
    import socket

    def no_socket(*_arguments: object, **_named: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", no_socket)
    pours_when_told(laptop, monkeypatch)
    assert run("commission", "--answers", answers(tmp_path), "--yes").exit_code == exit_codes.OK
