"""FEATURES B7: the published matrix on a smaller sample: each fault within its promise, healthy homes without one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.valve import ALARMS, as_markdown, detection, healthy_life, trials, valve
from bench.valve_faults import FAULTS, closing
from protocol.wire import event_codes
from simulator.household import load
from simulator.prng import Stream

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_noticed_within_what_is_promised(name: str) -> None:
    found = trials(name, 2, seed=7)
    assert all(trial.detected_us is not None for trial in found)
    assert max(trial.detected_us or 0 for trial in found) <= FAULTS[name].bound_us


def test_the_rate_of_a_leak_by_is_right_within_a_tenth() -> None:
    assert all(4_500 <= trial.argument <= 5_500 for trial in trials("leak-by 5 L/h, its rate", 3, seed=7))


@pytest.mark.parametrize(("name", "starts"), [("flapping contact", 48), ("brown-out at each start", 26)])
def test_no_condition_makes_the_motor_run_more_than_its_budget(name: str, starts: int) -> None:
    """Two days are touched: twelve moves of each, and what opens again."""
    assert all(0 < trial.motor_starts <= starts for trial in trials(name, 2, seed=7))


def test_healthy_homes_raise_no_alarm_but_a_travellers_pipe() -> None:
    for number in (1, 4, 10):
        alarms = healthy_life(load()[number], Stream(7, f"life/{number}"), number, 14)
        assert set(alarms) <= {event_codes.BLOCKED, event_codes.NO_WATER}
        assert sum(alarms.values()) <= 1


def test_the_command_prints_what_the_document_holds(tmp_path: Path) -> None:
    document = tmp_path / "VALVE.md"
    arguments = ["--homes", "1", "--lives", "1", "--days", "1", "--json", "--document", str(document)]
    done = CliRunner().invoke(valve, arguments)
    assert done.exit_code == 0, done.output
    result = json.loads(done.output)
    assert [row["fault"] for row in result["faults"]] == list(FAULTS)
    assert set(result["false_alarms"]["per_meter_year"]) == set(ALARMS.values())
    assert as_markdown(result) in document.read_text()


def test_the_published_page_keeps_its_promises() -> None:
    """docs/VALVE.md is the command's: every fault is in it, and was detected in every trial."""
    lines = (ROOT / "docs/VALVE.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| **")]
    assert [cell[0].split("**")[1] for cell in cells] == list(FAULTS)
    assert all(row[1] == row[2] != "0" for row in cells)


def test_a_fault_that_nobody_notices_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix can fail: a valve that is whole is not told to be stuck."""
    whole = closing(lambda home: home.valve.heal(), event_codes.VALVE_STUCK)
    monkeypatch.setattr("bench.valve.FAULTS", {"seized": FAULTS["seized"]._replace(run=whole)})
    row = detection(1, 7)[0]
    assert (row["detected"], row["max_s"]) == (0, None)
