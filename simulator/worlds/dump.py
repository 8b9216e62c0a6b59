"""What a failed world leaves for a person: the story in lines, and a file with the meters, frames and rows involved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..clock import local_text
from .life import Life
from .scenario import Scenario

_LINES = 30
_TABLES = ("meter_state", "meter_link", "statement", "payment", "entry", "transfer", "uplink", "segment", "case_file")
_ROWS_MAX = 500


def story(scenario: Scenario) -> list[str]:
    """The world in a few lines: what was drawn, and each fault that is left, when and to whom."""
    lines = [f"{len(scenario.homes)} meters, {scenario.days} days, profile {scenario.profile}, seed {scenario.seed}"]
    for fault in scenario.faults:
        who = f"meter {fault.home}" if fault.home else "all"
        lines.append(f"{local_text(fault.at_us, 'en')}  {who}: {fault.kind} ({fault.a}, {fault.b}, {fault.c})")
    return lines


def last_lines(life: Life) -> list[str]:
    """The last things that happened."""
    return [
        f"{local_text(now_us, 'en')}  {home or 'all'}  {what}  {data.hex()[:80]}"
        for now_us, home, what, data in life.trace.lines[-_LINES:]
    ]


def write_dump(life: Life, findings: list[str], file: Path) -> None:
    """Everything at hand: scenario, meters' consoles, what happened last, and rows of the books, as JSON."""
    content = {
        "scenario": life.scenario._asdict(),
        "findings": findings,
        "trace": life.trace.digest,
        "saw": dict(sorted(life.saw.items())),
        "meters": {home.number: _console(life, home.number) for home in life.homes},
        "payments": [vars(payment) for payment in life.till.payments],
        "happened": [[now_us, home, what, data.hex()] for now_us, home, what, data in life.trace.lines],
        "books": _books(life),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1, default=str) + "\n")


def _console(life: Life, number: int) -> Any:
    home = life.homes[number - 1]
    try:
        return home.read() if home.meter.running else "without power"
    except (ValueError, KeyError) as failure:  # a meter in safe mode answers less
        return f"answers {failure}"


def _books(life: Life) -> Any:
    if not life.office.up:
        return "the headend is down"
    return {
        table: [_plain(row) for row in life.office.rows(f"SELECT * FROM {table} ORDER BY 1 DESC LIMIT {_ROWS_MAX}")]
        for table in _TABLES
    }


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [value.hex() if isinstance(value, bytes) else value for value in row]
