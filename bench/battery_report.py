"""The command of bench/battery.py, and docs/BATTERY.md, which it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from bench.battery import ASSUMED, Lives, row, run, sensitivity, verdict
from bench.battery_document import text
from bench.battery_homes import PROFILES
from bench.energy import CELLS, NORMAL_C, Hardware
from bench.latency_report import provenance
from bench.processor import IMAGE, CannotMeasure, Processor, given, images, measure, ready
from firmware.build import BuildFailed
from headend.ingest.received import Bearer
from simulator.clock import SLOTS_PER_DAY
from simulator.meter_process import MeterFailed

MEASURED_DAYS = 1
DAILY_FACTORS = (7, 8, 9, 10, 11, 12)
HALF_HOURLY_FACTORS = (7, 10, 12)


def factors(profile: str) -> tuple[int, ...]:
    """The spreading factors worth a row; 0 over GPRS."""
    if PROFILES[profile].bearer is not Bearer.LORAWAN:
        return (0,)
    return DAILY_FACTORS if PROFILES[profile].report_slots == SLOTS_PER_DAY else HALF_HOURLY_FACTORS


def measured(seed: int) -> dict[int, Processor]:
    """What the image did, by half-hours from report to report."""
    ready(IMAGE)
    by_period = {PROFILES[name].report_slots: name for name in ("lora_daily", "lora30")}
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        make = images(IMAGE, Path(folder))
        return {slots: measure(IMAGE, make, name, MEASURED_DAYS, seed) for slots, name in by_period.items()}


def lives_of(
    names: tuple[str, ...], meters: int, days: int, seed: int, processors: dict[int, Processor], cycles: Fraction
) -> Iterator[Lives]:
    """Every profile at every factor."""
    for name in names:
        for factor in factors(name):
            processor = processors[PROFILES[name].report_slots]
            yield run(name, factor, meters, days, seed, processor, cycles)


def report(
    names: tuple[str, ...], meters: int, days: int, seed: int, processors: dict[int, Processor], cycles: Fraction
) -> dict[str, Any]:
    """The figures of a run and how they came about."""
    rows, sensitive = [], None
    for lives in lives_of(names, meters, days, seed, processors, cycles):
        rows += [row(lives, cell, Hardware(), NORMAL_C) for cell in CELLS]
        if (lives.profile, lives.spreading_factor) == ("lora_daily", 12):
            sensitive = sensitivity(lives, "C")
    return {
        "verdict": verdict(rows),
        "rows": rows,
        "sensitivity_of_lora_daily_sf12_c": sensitive,
        "valve_cycles_per_week": float(cycles),
        "processor": {
            f"every {slots} half-hours": {
                "source": one.source,
                "day_without_water": one.day._asdict(),
                "per_cubic_metre": one.cubic_metre._asdict(),
            }
            for slots, one in sorted(processors.items())
        },
        "profiles": {name: PROFILES[name].told for name in names},
        "cells": {name: cell._asdict() for name, cell in CELLS.items()},
        "hardware": Hardware()._asdict(),
        "assumed": ASSUMED,
        **provenance(seed),
    }


def print_lines(result: dict[str, Any]) -> None:
    """The rows for a person."""
    for item in result["rows"]:
        factor = f"SF{item['spreading_factor']}" if item["spreading_factor"] else ""
        years = "  ".join(f"{name} {value:>6}" for name, value in item["years"].items())
        click.echo(
            f"{item['profile']:10} {factor:5} {item['cell']}  {years} years"
            f"  {item['mah_per_year_total']:>8} mAh/y  {item['frames_per_day']:>6} frames a day"
        )
    for item in result["sensitivity_of_lora_daily_sf12_c"] or ():
        click.echo(f"{item['changed']:32} {item['years']['min']:>6} {item['years']['median']:>6} y")


@click.command()
@click.option("--meters", default=10, show_default=True, type=click.IntRange(1, 100), help="Homes of the data.")
@click.option("--days", default=28, show_default=True, type=click.IntRange(4), help="Days; half-hourly: a quarter.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another sample.")
@click.option("--profile", "profiles", multiple=True, type=click.Choice(list(PROFILES)), help="Only this; repeatable.")
@click.option("--valve-cycles", default=1.0, show_default=True, type=click.FloatRange(0), help="Closings a week.")
@click.option("--cpu-us-per-day", type=click.IntRange(0), help="Given, not measured: at one instruction per 32 ns.")
@click.option("--erases-per-day", default=0, show_default=True, type=click.IntRange(0), help="With --cpu-us-per-day.")
@click.option("--programs-per-day", default=0, show_default=True, type=click.IntRange(0), help="With --cpu-us-per-day.")
@click.option("--document", type=click.Path(path_type=Path, dir_okay=False), help="Write docs/BATTERY.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def battery(
    meters: int,
    days: int,
    seed: int,
    profiles: tuple[str, ...],
    valve_cycles: float,
    cpu_us_per_day: int | None,
    erases_per_day: int,
    programs_per_day: int,
    document: Path | None,
    as_json: bool,
) -> None:
    """Tell how many years a cell lasts, from the frames that were sent and the instructions that were executed."""
    try:
        if cpu_us_per_day is None:
            processors = measured(seed)
        else:
            processors = dict.fromkeys((1, SLOTS_PER_DAY), given(cpu_us_per_day, erases_per_day, programs_per_day))
    except (CannotMeasure, MeterFailed, BuildFailed) as failure:
        raise click.ClickException(str(failure)) from failure
    cycles = Fraction(valve_cycles).limit_denominator(1000)
    result = report(profiles or tuple(PROFILES), meters, days, seed, processors, cycles)
    if document is not None:
        document.write_text(text(result), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        print_lines(result)
