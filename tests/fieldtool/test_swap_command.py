"""`guelta field swap` and `decommission` as they are typed: the exchange by hand, plans, confirmation (IW-23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fieldtool import commission, decommission, exit_codes, swap
from fieldtool.cli import field
from fieldtool.refusals import Refusal
from fieldtool.store import OUTBOX, VARIABLE
from fieldtool.verb import Tool

from .bench_meter import Bench
from .job_in_hand import JOB_ID, METER_ID, OLD_ID, Laptop
from .test_commission_command import pours_when_told
from .test_swap import is_blank, retiring_laptop, swapping_laptop

Run = Callable[..., Result]
INSTALLED = [
    "WM-2", "1", "y", "y", "y", "y", "", "", "y", "10", "", "y", "1", "n", "", "udp", "20",
    "SC-2", "SC-2", "y", "", "13.512345 2.112345", "y", "Hadiza", "y",
]  # fmt: skip


def at_hand(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The commands on this laptop, whatever --port says."""
    monkeypatch.setenv(VARIABLE, str(laptop.store.home))
    for module in (commission, swap, decommission):
        monkeypatch.setattr(module, "Clock", lambda: laptop.clock)
    monkeypatch.setattr(Tool, "session", lambda _tool: _Session(laptop))

    def typed(*words: object, lines: str | None = None) -> Result:
        return CliRunner().invoke(field, [*map(str, words), "--lang", "en"], input=lines)

    return typed


class _Session:
    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop

    def __enter__(self) -> Any:
        return self._laptop.session()

    def __exit__(self, *_: object) -> None:
        """The cable stays."""


@pytest.fixture
def swapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Laptop, Run]:
    laptop = swapping_laptop(tmp_path)
    pours_when_told(laptop, monkeypatch)
    return laptop, at_hand(laptop, monkeypatch)


def test_the_hands_exchange_the_meters_when_the_command_says_so(
    swapping: tuple[Laptop, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, run = swapping
    say, told = Tool.say, []

    def heard(self: Tool, key: str, **facts: object) -> None:
        say(self, key, **facts)
        told.append(key)
        if told.count("exchange") == 2 and key == "exchange":
            laptop.line.at = Bench()

    monkeypatch.setattr(Tool, "say", heard)
    done = run("swap", lines="\n".join(["", "y", "", "", *INSTALLED]) + "\n")
    assert done.exit_code == exit_codes.OK, done.stderr
    assert told == ["exchange", "still_old", "exchange"] and METER_ID in done.stderr
    assert "keeps its keys until" in done.stdout and laptop.store.read(OUTBOX, JOB_ID) is not None
    again = run("swap", "--json")
    assert json.loads(again.stdout)["opened"] is False
    assert "waits for its OPENING" in run("swap").stdout


def test_the_end_of_input_at_the_exchange_names_the_new_meter(swapping: tuple[Laptop, Run]) -> None:
    run = swapping[1]
    done = run("swap", "--json", lines="\ny\n")
    assert done.exit_code == exit_codes.INCOMPLETE
    assert json.loads(done.stdout)["refused"]["code"] == "plug_new"
    plan = json.loads(run("swap", "--dry-run", "--json").stdout)["steps"]
    assert [step["outcome"] for step in plan[:2]] == ["passed", None] and len(plan) == 15


def test_after_the_record_only_the_new_meter_is_spoken_to(
    swapping: tuple[Laptop, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, run = swapping
    laptop.store.keep(OUTBOX, JOB_ID, {"record": {}})
    refused = json.loads(run("swap", "--json").stdout)["refused"]
    assert refused["code"] == "other_meter" and OLD_ID in refused["text"]


def test_a_retirement_asks_before_it_erases_and_its_plan_names_the_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = retiring_laptop(tmp_path)
    run = at_hand(laptop, monkeypatch)
    planned = run("decommission", "--dry-run")
    assert planned.exit_code == 0 and f"Erase meter {OLD_ID} for good" in planned.stdout
    early = run("decommission", lines="\ny\n")
    assert early.exit_code == exit_codes.INCOMPLETE and "--erase-now" in early.stderr
    assert not is_blank(laptop.line.at)

    def no(_tool: Tool, key: str = "", **_facts: object) -> None:
        assert key == "sure"
        raise Refusal("not_confirmed")

    with monkeypatch.context() as patched:
        patched.setattr(Tool, "confirm", no)
        assert run("decommission", "--erase-now").exit_code == exit_codes.FAILED
    assert not is_blank(laptop.line.at)
    done = run("decommission", "--erase-now", "--yes")
    assert done.exit_code == exit_codes.OK and "guelta field sync" in done.stdout
    assert is_blank(laptop.line.at)
