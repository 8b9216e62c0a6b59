"""`guelta sim`: one world by its seed, or a swarm. Exit codes: 0 nothing wrong, 1 a finding, 2 wrong options."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from . import faults
from .draw import ALL, CALM, draw
from .dump import last_lines, story, write_dump
from .life import Life
from .played import Played, fails, play
from .shrink import shrunk
from .sometimes import missing
from .swarm import Sum, swarm

PROFILES = (ALL, CALM, *faults.KINDS)
_DUMPS = Path("build/worlds")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
SEED = click.IntRange(0, 2**63 - 1)


class Span(click.ParamType):
    """A time: 90s, 5m, 8h."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", str(value))
        if found is None:
            self.fail(f"{value!r} is no time: write 90s, 5m or 8h", param, ctx)
        return int(found[1]) * _SECONDS[found[2]]


@click.group()
def sim() -> None:
    """Play whole worlds of faults: the real firmware and the real headend, judged by models of their own."""


@sim.command()
@click.option("--seed", type=SEED, required=True, help="One seed is one world.")
@click.option("--meters", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option("--days", type=click.IntRange(1, 400), default=14, show_default=True, help="Days before the faults stop.")
@click.option("--faults", "profile", type=click.Choice(PROFILES), default=ALL, show_default=True)
@click.option("--dump", type=click.Path(dir_okay=False, path_type=Path), help="Where a failure is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def world(seed: int, meters: int, days: int, profile: str, dump: Path | None, as_json: bool) -> None:
    """Play one world; on failure tell the shortest story that fails too, and dump what is involved."""
    scenario = draw(seed, meters, days, profile)
    if not as_json:
        click.echo(f"seed {seed}, commit {commit()}: {meters} meters, {days} days, {len(scenario.faults)} faults")
    played = play(scenario)
    if as_json:
        click.echo(json.dumps(_as_json(played), indent=1))
    else:
        lived = played.meter_days // meters
        click.echo(f"lived {lived} days with what it took to settle; trace {played.digest}")
    if not played.findings:
        if not as_json:
            click.echo("nothing is wrong")
        return
    file = dump or _DUMPS / f"{seed}-{meters}-{days}-{profile}.json"
    _tell_failure(played, file)
    sys.exit(1)


@sim.command("swarm")
@click.option("--for", "lasts_s", type=Span(), default="5m", show_default=True, help="How long: 90s, 5m, 8h.")
@click.option("--worlds", type=click.IntRange(1), help="End after so many worlds.")
@click.option("--from", "first", type=SEED, default=1, show_default=True, help="The first seed.")
@click.option("--faults", "profile", type=click.Choice(PROFILES), default=ALL, show_default=True)
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--figures", type=click.Path(dir_okay=False, path_type=Path), help="Write what bench trust adds up here.")
def swarm_command(
    lasts_s: int, worlds: int | None, first: int, profile: str, jobs: int, as_json: bool, figures: Path | None
) -> None:
    """Play world after world until the time is over; a fault kind that never occurred is a failure too."""
    seeds = itertools.count(first) if worlds is None else range(first, first + worlds)
    if not as_json:
        click.echo(f"from seed {first}, commit {commit()}")
    total = swarm(seeds, jobs, time.monotonic() + lasts_s, lambda played: _progress(played, as_json), profile)
    never = missing(total.saw) if profile == ALL else []
    if figures is not None:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(json.dumps(_counts(total, never)) + "\n")
    if as_json:
        click.echo(json.dumps(_figures(total, never), indent=1))
    else:
        for line in _summary(total, never):
            click.echo(line)
    for played in total.failed[:3]:
        scenario = played.scenario
        name = f"{scenario.seed}-{len(scenario.homes)}-{scenario.days}-{profile}.json"
        _tell_failure(played, _DUMPS / name)
    sys.exit(1 if total.failed or never else 0)


def commit() -> str:
    """The commit that is played, or what to say without one."""
    here = Path(__file__).parent
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip()[:12] or "unknown"


def _progress(played: Played, quiet: bool) -> None:
    scenario = played.scenario
    if not quiet:
        verdict = "ok" if not played.findings else f"{len(played.findings)} findings"
        size = f"{len(scenario.homes)} meters, {scenario.days} days, {len(scenario.faults)} faults"
        click.echo(f"seed {scenario.seed}: {size}: {verdict}")


def _tell_failure(played: Played, file: Path) -> None:
    """The findings, the shortest story, how to see it again, and the dump."""
    scenario = played.scenario
    for finding in played.findings[:10]:
        click.echo(f"WRONG: {finding}", err=True)
    click.echo("looking for the shortest story that fails too…", err=True)
    shortest = shrunk(scenario, fails)

    def dump(life: Life, findings: tuple[str, ...]) -> None:
        write_dump(life, list(findings), file)
        for line in (*story(shortest), "the last that happened:", *last_lines(life), *findings[:10]):
            click.echo(f"  {line}", err=True)

    play(shortest, dump)
    again = f"--seed {scenario.seed} --meters {len(scenario.homes)} --days {scenario.days} --faults {scenario.profile}"
    click.echo(f"again: guelta sim world {again}   dump: {file}", err=True)


def _as_json(played: Played) -> dict[str, Any]:
    scenario = played.scenario
    return {
        "seed": scenario.seed,
        "commit": commit(),
        "meters": len(scenario.homes),
        "days": scenario.days,
        "profile": scenario.profile,
        "faults": len(scenario.faults),
        "trace": played.digest,
        "meter_days": played.meter_days,
        "findings": list(played.findings),
        "saw": played.saw,
    }


def _figures(total: Sum, never: list[str]) -> dict[str, Any]:
    return {
        "commit": commit(),
        "worlds": total.worlds,
        "meter_days": total.meter_days,
        "meter_days_per_cpu_s": round(total.meter_days_per_cpu_s),
        "failed_seeds": [played.scenario.seed for played in total.failed],
        "never_occurred": never,
        "saw": dict(sorted(total.saw.items())),
    }


def _counts(total: Sum, never: list[str]) -> dict[str, int]:
    """What bench/trust.py adds up."""
    return {
        "worlds": total.worlds,
        "meter_days": total.meter_days,
        "faults": sum(count for what, count in total.saw.items() if what.startswith("fault ")),
        "cpu_ms": int(total.cpu_s * 1000),
        "violations": len(total.failed) + len(never),
    }


def _summary(total: Sum, never: list[str]) -> list[str]:
    speed = f"{total.meter_days_per_cpu_s:.0f} a second of one processor"
    lines = [f"{total.worlds} worlds, {total.meter_days} meter-days ({speed}), {len(total.failed)} failed"]
    if never:
        lines.append(f"never occurred: {', '.join(never)}")
    return lines
