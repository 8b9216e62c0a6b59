"""`guelta bench cuts`: every flash operation of every scenario cut, and live bits flipped, under both interpreters.

The sweep itself is hil_tests/cuts: it stands in a checkout, not in an installed package, and needs littlefs-python.
"""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import click

from bench.latency_report import provenance


def _runner() -> Any:
    try:
        import_module("littlefs")
        return import_module("hil_tests.cuts.runner")
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"the sweep needs '{missing.name}': run it in a checkout with the development packages "
            "(python -m pip install -e '.[dev]')"
        ) from missing


class Clock:
    """Seconds since it was made: by the wall, and of all processes that ended since."""

    def __init__(self) -> None:
        self.wall_s, self.cpu_s = time.monotonic(), self._cpu()

    @staticmethod
    def _cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def figures(self) -> dict[str, float]:
        return {
            "seconds": round(time.monotonic() - self.wall_s, 1),
            "processor_seconds": round(self._cpu() - self.cpu_s, 1),
        }


def _all(workers: int, work: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda given: work(*given), arguments))


def sweep(runner: Any, workers: int) -> dict[str, Any]:
    """The figures of all cuts."""
    clock = Clock()
    parts = runner.parts()
    found = _all(workers, runner.cut_everywhere, parts)
    operations, erases, boots, further, formats = Counter(), 0, 0, 0, 0
    wrong: list[Any] = []
    cuts = different = 0
    for (name, _, _), by in zip(parts, found, strict=True):
        one, other = (by[where] for where in runner.INTERPRETERS)
        different += sum(a != b for a, b in zip(one["sums"], other["sums"], strict=True))
        different += one["journal"] != other["journal"]
        operations[name] += len(one["sums"]) // 2
        erases += one["erases"]
        for each in (one, other):
            cuts += len(each["sums"])
            boots += each["boots"]
            further += each["further"]
            formats += each["formats"]
            wrong += [[name, *what] for what in each["wrong"]]
    return {
        "cuts": cuts,
        "scenarios": len(operations),
        "operations": sum(operations.values()),
        "operations_by_scenario": dict(operations),
        "erases": erases,
        "flashes_that_differ_in_what_a_boot_looks_at": boots,
        "boots_without_pulse_counter_and_lives_that_went_on": further,
        "verdicts_that_differ_between_interpreters": different,
        "formats": formats,
        "violations": len(wrong),
        "violations_first": wrong[:5],
        **clock.figures(),
    }


def flips(runner: Any, workers: int, count: int, seed: int) -> dict[str, Any]:
    """The figures of all flips."""
    clock = Clock()
    names = runner.flipped()
    each = -(-count // len(names))
    found = _all(workers, runner.flip_everywhere, [(name, each, seed + runner.seed_of(name)) for name in names])
    kinds: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    formats = different = shared = 0
    wrong: list[Any] = []
    for name, by in zip(names, found, strict=True):
        here, again = by["micropython"][0], by["cpython"][1]
        shared += len(again["sums"])
        different += sum(here["sums"].get(number) != value for number, value in again["sums"].items())
        for half in (here, by["cpython"][0]):
            kinds.update(half["kinds"])
            outcomes.update(half["outcomes"])
        for job in (*by["micropython"], *by["cpython"]):
            formats += job["formats"]
            wrong += [[name, *what] for what in job["wrong"]]
    return {
        "flips": sum(kinds.values()),
        "by_kind": dict(kinds),
        "by_outcome": dict(outcomes),
        "judged_under_both_interpreters": shared,
        "verdicts_that_differ_between_interpreters": different,
        "formats": formats,
        "violations": len(wrong),
        "violations_first": wrong[:5],
        **clock.figures(),
    }


@click.command()
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes at a time.")
@click.option("--flips", "count", default=20_000, show_default=True, type=click.IntRange(1), help="Places to spoil.")
@click.option("--seed", default=1, show_default=True, help="Another seed spoils other places.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def cuts(workers: int, count: int, seed: int, as_json: bool) -> None:
    """Cut the power at every flash operation, flip bits, boot the real firmware on what is left, and judge it."""
    runner = _runner()
    result = {"cut": sweep(runner, workers), "flipped": flips(runner, workers, count, seed), **provenance(seed)}
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        for part in ("cut", "flipped"):
            click.echo(f"{part}:")
            for name, value in result[part].items():
                click.echo(f"  {name.replace('_', ' '):50} {value}")
    faults = ("violations", "formats", "verdicts_that_differ_between_interpreters")
    if any(result[part][fault] for part in ("cut", "flipped") for fault in faults):
        raise SystemExit(1)
