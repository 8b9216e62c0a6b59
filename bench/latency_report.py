"""The command of bench/latency.py: which cells, how often, and what the table is worth."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import click

from bench.latency import GIVEN_UP_US, PROFILES, Cell, Outcome, cells, percentile, run
from bench.lockstep_check import Differs, check
from firmware.build import BuildFailed
from simulator.meter_process import MeterFailed

ROOT = Path(__file__).resolve().parent.parent
SECOND_US = 1_000_000
PERCENTS = (50, 95, 99)
ASSUMED = (
    "the valve's stroke takes 8 s; the meter computes in no time",
    "loss is independent per frame and direction, no collisions with other meters",
    "LoRaWAN class A in EU868: RX1 1 s after the uplink at its spreading factor, RX2 2 s after it at SF12",
    "1 % airtime in any hour for the meter and for the gateway in RX1, 10 % in RX2 (ETSI EN 300 220)",
    "the network server reads its queue 300 ms after an uplink; a payment puts its statement there at its commit",
    "the headend's answer stands in the queue 60 ms after the uplink was published",
    "GPRS: 2 to 6 s to attach, 0.3 to 0.7 s one way, the modem listens for 30 s after the last datagram",
)
CHECKED = (Cell("gprs30-ladder", 0, 100), Cell("lora_daily-ladder", 10, 100), Cell("lora_daily-button", 12, 300))


def row(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    """One cell of the table, in seconds."""
    latencies = outcome.latencies_us
    return {
        "profile": cell.profile,
        "spreading_factor": cell.spreading_factor or None,
        "loss_each_way_percent": cell.loss_permille / 10,
        "trials": len(latencies),
        **{f"p{percent}_s": round(percentile(latencies, percent) / SECOND_US, 1) for percent in PERCENTS},
        "max_s": round(max(latencies) / SECOND_US, 1),
        "given_up": sum(latency >= GIVEN_UP_US for latency in latencies),
    }


def provenance(seed: int) -> dict[str, Any]:
    """What a figure needs to be made again: seed, commit, interpreter."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
        commit = done.stdout.strip() or None
    except OSError:
        commit = None
    return {
        "seed": seed,
        "commit": commit,
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    """The rows for a person."""
    for item in rows:
        factor = f"SF{item['spreading_factor']}" if item["spreading_factor"] else ""
        times = "  ".join(f"{name} {item[f'{name}_s']:>8}" for name in ("p50", "p95", "p99", "max"))
        click.echo(f"{item['profile']:18} {factor:5} {item['loss_each_way_percent']:>4} %  {times} s")


@click.command()
@click.option("--trials", default=100, show_default=True, type=click.IntRange(1), help="Payments per row.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another sample.")
@click.option("--profile", "profiles", multiple=True, type=click.Choice(list(PROFILES)), help="Only this; repeatable.")
@click.option("--sf", "factors", multiple=True, type=click.IntRange(7, 12), help="Spreading factor. [7, 10, 12]")
@click.option("--loss", "losses", multiple=True, type=click.IntRange(0, 90), help="Per cent each way. [0, 10, 30]")
@click.option("--micropython", "checked", default=3, show_default=True, help="Payments also run on real MicroPython.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def latency(
    trials: int,
    seed: int,
    profiles: tuple[str, ...],
    factors: tuple[int, ...],
    losses: tuple[int, ...],
    checked: int,
    as_json: bool,
) -> None:
    """Measure from a committed payment to the valve's end-stop, by radio, button and ladder."""
    losses_permille = [10 * loss for loss in losses or (0, 10, 30)]
    wanted = cells(profiles or tuple(PROFILES), factors or (7, 10, 12), losses_permille)
    rows = [row(cell, run(cell, trials, seed)) for cell in wanted]
    try:
        compared = check(CHECKED, checked, seed) if checked else None
    except (Differs, MeterFailed, BuildFailed) as failure:
        raise click.ClickException(str(failure)) from failure
    if not as_json:
        print_table(rows)
        return
    told = {name: profile.told for name, profile in PROFILES.items()}
    result = {"rows": rows, "profiles": told, "assumed": ASSUMED, "micropython": compared, **provenance(seed)}
    click.echo(json.dumps(result, indent=2))
