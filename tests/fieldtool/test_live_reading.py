"""`read`, `test` and `log` on a real meter at the end of a cable, under grants of the office."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest

from fieldtool import exit_codes
from fieldtool.fields import NAMES
from firmware.console_fields import FIELDS
from protocol.wire.messages import VALVE_MOVING

from .grants_in_hand import TECHNICIAN, has_grant
from .office import Office
from .table_meter import TableMeter
from .tool import FieldTool


@pytest.fixture
def tool(tmp_path: Path) -> FieldTool:
    return FieldTool(tmp_path / "laptop")


def test_the_names_are_those_of_the_meter() -> None:
    assert NAMES == FIELDS


def test_a_blank_board_says_that_it_is_one(blank_meter: TableMeter, tool: FieldTool) -> None:
    told = tool.does("read", "--port", blank_meter.port)
    assert told["meter_id"] is None and told["values"]["safe_mode"] == 3
    assert "never provisioned" in tool.run("read", "--port", blank_meter.port).stdout
    assert tool.does("test", "--port", blank_meter.port)["passed"]
    refused = tool.run("log", "--port", blank_meter.port, "--json")
    assert refused.returncode == exit_codes.FAILED
    assert json.loads(refused.stdout)["refused"]["code"] == "blank_meter"


def test_a_meter_is_read_with_units_in_both_languages(meter: TableMeter, tool: FieldTool, headend: Office) -> None:
    assert meter.added is not None
    has_grant(tool, meter.added)
    headend.pay(meter.added["customer_number"], 1000)
    meter.waits_for(lambda: meter.valve_is_open)
    meter.pour(3)
    told = tool.does("read", "--port", meter.port)
    values = told["values"]
    assert told["meter_id"] == meter.added["meter_id"] and told["generation"] == 1
    assert values["volume_l"] == 3 and values["credited_mills"] == 1_000_000 and values["pulses"] == 3
    assert values["balance_mills"] == 1_000_000 - values["spent_mills"]
    english = tool.run("read", "--port", meter.port).stdout
    assert "water counted in all" in english and "3 L" in english and "Water is on" in english
    tool.lang = "fr"
    french = tool.run("read", "--port", meter.port).stdout
    assert "eau comptée en tout" in french and "L’eau est ouverte" in french and "ouverte" in french


def test_a_meter_in_order_passes_its_check_and_a_stuck_valve_fails_it(
    meter: TableMeter, tool: FieldTool, headend: Office
) -> None:
    assert meter.added is not None
    has_grant(tool, meter.added)
    meter.waits_for(lambda: not meter.valve_is_open)
    told = tool.does("test", "--port", meter.port)
    assert told["passed"] and {check["name"] for check in told["checks"]} >= {
        "answers", "mode", "clock_sure", "clock", "battery", "valve", "leak_by", "bad_copies", "tampered", "alarms",
    }  # fmt: skip
    assert "All checks passed" in tool.run("test", "--port", meter.port).stdout
    meter.stick()
    headend.pay(meter.added["customer_number"], 1000)
    meter.waits_for(lambda: tool.does("read", "--port", meter.port)["values"]["valve"] == VALVE_MOVING)
    tool.lang = "fr"
    said = tool.run("test", "--port", meter.port, "--wait", "1")
    assert said.returncode == exit_codes.NOT_VERIFIED
    assert "NON   vanne : en mouvement (permis : ouverte, fermée)" in said.stdout and "→" in said.stdout


def test_the_log_is_a_table_csv_or_json(meter: TableMeter, tool: FieldTool) -> None:
    """A meter of today has closed no half-hour yet, or one; the forms are what is looked at."""
    assert meter.added is not None
    has_grant(tool, meter.added)
    meter.waits_for(lambda: meter.face is not None)
    told = tool.does("log", "--port", meter.port)
    assert told["meter_id"] == meter.added["meter_id"] and isinstance(told["slots"], list)
    rows = list(csv.DictReader(tool.run("log", "--port", meter.port, "--csv", "--days", "2").stdout.splitlines()))
    assert len(rows) == len(told["slots"])
    assert "spent by then" in tool.run("log", "--port", meter.port, "--from", "2026-01-01").stdout
    assert tool.run("log", "--port", meter.port, "--days", "93").returncode == exit_codes.USAGE


# Refusals -------------------------------------------------------------------------------------------------------------
def refusal(tool: FieldTool, *words: object) -> tuple[int, str]:
    done = tool.run(*words, "--json")
    return done.returncode, json.loads(done.stdout)["refused"]["code"]


def test_who_has_no_grant_or_a_wrong_one_reads_nothing(meter: TableMeter, tool: FieldTool) -> None:
    assert meter.added is not None
    now = int(time.time())
    read = ("read", "--port", meter.port)
    assert refusal(tool, *read) == (exit_codes.FAILED, "no_grant")
    has_grant(tool, {**meter.added, "meter_id": "00000000000000ff"})
    assert refusal(tool, *read) == (exit_codes.FAILED, "no_grant")
    has_grant(tool, meter.added, 1, from_s=now - 7200, until_s=now - 3600)
    assert refusal(tool, *read) == (exit_codes.FAILED, "grant_expired")
    has_grant(tool, meter.added, 1, from_s=now + 7200, until_s=now + 10800)
    assert refusal(tool, *read) == (exit_codes.FAILED, "grant_not_yet")
    has_grant(tool, {**meter.added, "root": "00" * 16})
    assert refusal(tool, *read) == (exit_codes.FAILED, "grant_foreign")
    has_grant(tool, {**meter.added, "generation": 2})
    assert refusal(tool, *read) == (exit_codes.FAILED, "grant_foreign")
    has_grant(tool, meter.added, 1, uses=1)
    tool.does(*read)
    assert refusal(tool, *read) == (exit_codes.FAILED, "grant_spent")


def test_five_wrong_keys_lock_the_port_and_the_tool_says_for_how_long(meter: TableMeter, tool: FieldTool) -> None:
    assert meter.added is not None
    has_grant(tool, {**meter.added, "root": "00" * 16})
    for _ in range(5):
        tool.run("read", "--port", meter.port)
    done = tool.run("read", "--port", meter.port, "--json")
    told = json.loads(done.stdout)["refused"]
    assert (done.returncode, told["code"]) == (exit_codes.FAILED, "port_locked")
    assert any(word.isdigit() and 0 < int(word) <= 3600 for word in told["text"].split())


def test_of_two_grants_the_lower_number_is_used_first_and_the_next_when_it_is_spent(
    meter: TableMeter, tool: FieldTool
) -> None:
    """A meter takes no lower number than it has seen: the higher one is saved until it is needed."""
    assert meter.added is not None
    has_grant(tool, meter.added, 1, uses=1)
    has_grant(tool, meter.added, 2)
    assert tool.does("read", "--port", meter.port)["values"]["grant"] == 1
    assert tool.does("read", "--port", meter.port)["values"]["grant"] == 2


def test_a_statement_that_waits_is_handed_over_by_who_may_carry_it(
    meter: TableMeter, tool: FieldTool, headend: Office
) -> None:
    """A frame that is none of this meter's is not taken, and is not tried for ever."""
    assert meter.added is not None
    has_grant(tool, meter.added, 1)
    folder = tool.home / "frames"
    folder.mkdir(mode=0o700)
    waiting = folder / f"{meter.added['meter_id']}.json"
    waiting.write_text(json.dumps({"frames": ["78" + "00" * 20]}))
    done = tool.run("read", "--port", meter.port)
    assert "1 statement(s)" in done.stderr and "--deliver" in done.stderr and waiting.exists()
    assert refusal(tool, "read", "--port", meter.port, "--deliver") == (exit_codes.FAILED, "no_grant")
    has_grant(tool, meter.added, 2, role=TECHNICIAN)
    assert "Would hand over 1" in tool.run("read", "--port", meter.port, "--deliver", "--dry-run").stderr
    assert waiting.exists()
    assert tool.does("read", "--port", meter.port, "--deliver")["delivered"] == [0]
    assert not waiting.exists()


def test_a_cable_pulled_out_in_the_middle_is_named(meter: TableMeter, tool: FieldTool) -> None:
    assert meter.added is not None
    has_grant(tool, meter.added)
    meter.unplug()
    assert refusal(tool, "read", "--port", meter.port)[0] == exit_codes.NO_DEVICE
    meter.plug()
    tool.does("read", "--port", meter.port)
