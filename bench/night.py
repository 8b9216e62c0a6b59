"""`make worlds` again and again until the time is over, with other dice each round, and the sum of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from bench.trust import added_up, shortcomings, speed, table
from simulator.worlds.cli import Span

ROOT = Path(__file__).resolve().parent.parent
_NIGHTS = ROOT / "build" / "night"
_WORLDS = 220  # a round: as many as make worlds plays


@click.command()
@click.option("--for", "lasts_s", type=Span(), default="8h", show_default=True, help="How long: 90m, 8h.")
@click.option("--from", "first", type=click.IntRange(1), default=1, show_default=True, help="The first round.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Tests at once.")
def night(lasts_s: int, first: int, jobs: int) -> None:
    """Play rounds of `make worlds`, each with its own seeds; a round that fails ends the night with exit code 1."""
    until_s = time.monotonic() + lasts_s
    folders: list[Path] = []
    number, failed = first, False
    while not failed and (not folders or time.monotonic() < until_s):
        folders.append(_NIGHTS / str(number))
        click.echo(f"round {number}")
        failed = _round(number, folders[-1], jobs) != 0
        number += 1
    figures = added_up(folders)
    click.echo("\n".join([f"{len(folders)} rounds", *table(figures), speed(figures)]))
    for line in shortcomings(figures):
        click.echo(line, err=True)
    if failed:
        click.echo(f"round {number - 1} failed; guelta bench night --from {number - 1} plays it again", err=True)
        sys.exit(1)


def _round(number: int, figures: Path, jobs: int) -> int:
    """One swarm and one run of the tests; the exit code of what failed first."""
    environment = {**os.environ, "WORLDS_ROUND": str(number), "WORLDS_FIGURES": str(figures)}
    seeds = ["--from", str(1 + number * _WORLDS), "--worlds", str(_WORLDS), "--for", "4h"]
    swarm = ["guelta", "sim", "swarm", *seeds, "--jobs", str(jobs), "--figures", str(figures / "worlds" / "swarm.json")]
    tests = ["pytest", "-n", str(jobs), "--dist", "loadgroup", "-m", "worlds", "tests", "hil_tests"]
    for module in (swarm, tests):
        done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            return done.returncode
    return 0
