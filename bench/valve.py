"""`guelta bench valve`: how soon a meter notices that its valve, its pipe or its battery fails, and how often it errs.

The firmware's own code on homes of the household data in virtual time. Detection: each fault on as many homes as asked
for. False alarms: lives of healthy homes that run out of credit, pay, press the button for no reason, drip through the
night, travel, and whose water jitters backwards a little.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from bench.latency import percentile
from bench.latency_report import provenance
from bench.valve_faults import CREDIT_L, FAULTS, Trial
from bench.valve_scene import Home
from protocol.wire import event_codes as codes
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simulator.household import Household, load
from simulator.prng import Stream

# What says that something is wrong with valve, pipe or battery. BLOCKED is right of a pipe and wrong of a traveller.
ALARMS = {
    codes.VALVE_STUCK: "VALVE_STUCK",
    codes.VALVE_STUCK_OPEN: "VALVE_STUCK_OPEN",
    codes.VALVE_LEAK_BY: "VALVE_LEAK_BY",
    codes.LEAK_BY_RATE: "LEAK_BY_RATE",
    codes.NO_WATER: "NO_WATER",
    codes.BLOCKED: "BLOCKED",
    codes.AIR: "AIR",
    codes.BACKFLOW: "BACKFLOW",
    codes.BATTERY_CRITICAL: "BATTERY_CRITICAL",
}
DAYS_A_YEAR = 365
DOCUMENT = """# What a meter notices of its valve and pipe, and how soon

Written by `{command} --document docs/VALVE.md` (seed {seed}, {interpreter}); nothing in the tables is typed by hand.
The meter is the firmware's own code on homes of the household data, in virtual time; valve, motor, pipe and people are
models (`simulator/valve.py`, `bench/valve_faults.py`): no real valve was broken for this page.

Detection is counted from the instant at which the fault first contradicts what is commanded to the meter's own event;
how soon the event is heard is the radio's matter (firmware/events.py lists those that are sent at once).

{tables}

A home counts as travelling for four days of each fortnight; every third day a home runs out of credit and pays hours
later; every day somebody presses the button twice for no reason, and a litre runs backwards; every fourth home has a
cistern that drips through the night. A pipe that nobody uses for three days is told as BLOCKED: that is no fault of
the pipe. The first closing of a valve that is stuck open is noticed when somebody draws water.
The last two faults are no matter of noticing: what counts there is how often the motor started, on two calendar days.
"""
AWAY_EVERY = 10  # homes: one of so many is away for four days of each fortnight


def healthy_life(household: Household, stream: Stream, number: int, days: int) -> Counter[int]:
    """The alarms of a home without a fault, by code."""
    home = Home(household, stream)
    home.pay(CREDIT_L)
    for day in range(days):
        home.at_home = number % AWAY_EVERY != 0 or day % 14 < 10
        if number % 4 == 0:
            _drip(home)
        home.world.after(stream.below(DAY_US), home.run_back, 1)
        home.world.after(stream.below(DAY_US), _press, home)
        if day % 3 == 2:
            _run_dry_and_pay(home, stream)
        home.run((day + 1) * DAY_US - home.world.now_us)
    return Counter(one.code for one in home.noticed if one.code in ALARMS)


def _drip(home: Home) -> None:
    """A cistern that never closes: a litre in every half-hour of the night."""
    for half_hour in range(12):
        home.world.after(half_hour * 30 * MINUTE_US + 7 * MINUTE_US, home.draw, 1)


def _press(home: Home) -> None:
    """Somebody looks at the balance, twice in half an hour."""
    home.press()
    home.world.after(25 * MINUTE_US, home.press)


def _run_dry_and_pay(home: Home, stream: Stream) -> None:
    """At some moment of the day the credit ends; hours later it is paid for."""

    def end() -> None:
        home.end_credit()
        home.world.after(HOUR_US + stream.below(8 * HOUR_US), home.pay, CREDIT_L)

    home.world.after(stream.below(12 * HOUR_US), end)


def detection(homes: int, seed: int) -> list[dict[str, Any]]:
    """A row per fault."""
    return [_row(name, trials(name, homes, seed)) for name in FAULTS]


def trials(name: str, homes: int, seed: int) -> list[Trial]:
    """One fault on so many homes."""
    households = load()
    return [
        FAULTS[name].run(households[number * 7 % len(households)], Stream(seed, f"{name}/{number}"))
        for number in range(homes)
    ]


def _row(name: str, found: list[Trial]) -> dict[str, Any]:
    times = [trial.detected_us for trial in found if trial.detected_us is not None]
    return {
        "fault": name,
        "told": FAULTS[name].told,
        "trials": len(found),
        "detected": len(times),
        "median_s": percentile(times, 50) // SECOND_US if times else None,
        "max_s": max(times) // SECOND_US if times else None,
        "bound_s": FAULTS[name].bound_us // SECOND_US,
        "litres_max": max(trial.litres for trial in found),
        "motor_starts_max": max(trial.motor_starts for trial in found),
        "argument": [min(trial.argument for trial in found), max(trial.argument for trial in found)],
    }


def false_alarms(homes: int, days: int, seed: int) -> dict[str, Any]:
    """Alarms of healthy homes, a meter-year; travellers apart, because a pipe that nobody uses looks blocked."""
    found, of_travellers = Counter[int](), Counter[int]()
    households = load()
    for number in range(homes):
        life = healthy_life(households[number * 7 % len(households)], Stream(seed, f"life/{number}"), number, days)
        (found if number % AWAY_EVERY else of_travellers).update(life)
    years = homes * days / DAYS_A_YEAR
    total = found + of_travellers
    return {
        "homes": homes,
        "days": days,
        "meter_years": round(years, 2),
        "per_meter_year": {name: round(total[code] / years, 2) for code, name in ALARMS.items()},
        "of_travellers": {ALARMS[code]: count for code, count in sorted(of_travellers.items())},
        "of_the_others": {ALARMS[code]: count for code, count in sorted(found.items())},
    }


def as_markdown(result: dict[str, Any]) -> str:
    """The tables of docs/VALVE.md."""
    lines = [
        "| fault | trials | detected | median | max | promised | litres against the command | motor starts |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in result["faults"]:
        times = [_time(row[name]) for name in ("median_s", "max_s", "bound_s")]
        counts = (row["trials"], row["detected"], *times, row["litres_max"], row["motor_starts_max"])
        told = f": {row['told']}" if row["told"] else ""
        lines.append(f"| **{row['fault']}**{told} | " + " | ".join(map(str, counts)) + " |")
    false = result["false_alarms"]
    lines += [
        "",
        f"{false['homes']} healthy homes, {false['days']} days each ({false['meter_years']} meter-years):",
        "",
        "| alarm | a meter-year | of travellers | of the others |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, rate in false["per_meter_year"].items():
        lines.append(
            f"| {name} | {rate} | {false['of_travellers'].get(name, 0)} | {false['of_the_others'].get(name, 0)} |"
        )
    return "\n".join(lines)


def as_document(result: dict[str, Any], command: str) -> str:
    """docs/VALVE.md."""
    return DOCUMENT.format(
        command=command, tables=as_markdown(result), seed=result["seed"], interpreter=result["interpreter"]
    )


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "never"
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@click.command()
@click.option("--homes", default=12, show_default=True, type=click.IntRange(1, 100), help="Trials of each fault.")
@click.option("--lives", default=40, show_default=True, type=click.IntRange(1, 100), help="Healthy homes.")
@click.option("--days", default=14, show_default=True, type=click.IntRange(1), help="Days of each healthy life.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another sample.")
@click.option("--document", type=click.Path(dir_okay=False, path_type=Path), help="Write docs/VALVE.md, say.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the tables.")
def valve(homes: int, lives: int, days: int, seed: int, document: Path | None, as_json: bool) -> None:
    """Break valves, pipes and batteries; measure when the meter notices, and how often it errs on healthy homes."""
    result = {"faults": detection(homes, seed), "false_alarms": false_alarms(lives, days, seed), **provenance(seed)}
    if document is not None:
        command = f"guelta bench valve --homes {homes} --lives {lives} --days {days} --seed {seed}"
        document.write_text(as_document(result, command), encoding="utf-8")
    click.echo(json.dumps(result, indent=2) if as_json else as_markdown(result))
