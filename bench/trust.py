"""What `make worlds` counted, added up: held against the least that is promised, and written into docs/TRUST.md.

Each test of it leaves its counts in build/trust (tests/figures.py). A part that is missing, a count below its least or
a single violation fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from bench.latency_report import provenance

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "build" / "trust"
BEGIN, END = "<!-- figures: guelta bench trust --write -->", "<!-- end of figures -->"


class Count(NamedTuple):
    """One figure: the part that counts it, its name there, the least that is promised, and what it is."""

    part: str
    name: str
    least: int
    what: str


COUNTS = (
    Count("worlds", "worlds", 200, "worlds, each drawn from its seed"),
    Count("worlds", "meter_days", 50_000, "days that their meters lived"),
    Count("worlds", "faults", 10_000, "faults that struck in them"),
    Count("cuts", "cuts", 100_000, "power cuts, at every operation on the flash"),
    Count("cuts", "cuts_of_recoveries", 20_000, "of them in the boot that follows a cut"),
    Count("crash", "images", 20_000, "crash images of the ledger's database"),
    Count("crash", "failed_operations", 1_500, "writes, syncs and openings that failed, one at a time"),
    Count("crash", "failed_allocations", 100, "allocations that failed, one at a time"),
    Count("kills", "kills", 200, "SIGKILLs of the headend under load"),
    Count("kills", "acknowledged", 1_000, "acknowledgements that had to survive them"),
    Count("restores", "meters", 400, "meters that met a restored headend"),
    Count("clones", "clones", 200, "cloned meters, told within two uplinks"),
    Count("fuzz", "mutated", 1_000_000, "frames changed after they were sealed, none of them taken"),
    Count("fuzz", "executions", 50_000, "inputs of a coverage-guided fuzzer"),
    Count("fuzz", "targets", 30, "parsers that it searched"),
    Count("mutants", "planted", 30, "bugs planted on purpose"),
    Count("mutants", "killed", 30, "of them found"),
)
PARTS = tuple(dict.fromkeys(count.part for count in COUNTS))

Figures = dict[str, dict[str, int]]


def added_up(folders: Iterable[Path]) -> Figures:
    """The counts of every part, over all of its chunks in all the folders."""
    total: Figures = {}
    for folder in folders:
        for file in sorted(folder.glob("*/*.json")):
            part = total.setdefault(file.parent.name, {})
            for name, count in json.loads(file.read_text()).items():
                part[name] = part.get(name, 0) + count
    return total


def shortcomings(figures: Figures) -> list[str]:
    """Everything that keeps these figures from being what is promised."""
    found = [f"{part}: nothing was counted; run make worlds" for part in PARTS if part not in figures]
    for count in COUNTS:
        have = figures.get(count.part, {}).get(count.name, 0)
        if count.part in figures and have < count.least:
            found.append(f"{count.part}: {have} {count.what}; {count.least} are promised")
    for part, counts in sorted(figures.items()):
        if counts.get("violations", 0):
            found.append(f"{part}: {counts['violations']} violations")
    mutants = figures.get("mutants", {})
    if mutants.get("killed", 0) < mutants.get("planted", 0):
        found.append(f"mutants: {mutants['planted'] - mutants.get('killed', 0)} planted bugs were not found")
    return found


def table(figures: Figures) -> list[str]:
    """The figures as rows of Markdown."""
    lines = ["| what | at least | counted |", "| --- | ---: | ---: |"]
    for count in COUNTS:
        have = figures.get(count.part, {}).get(count.name, 0)
        lines.append(f"| {count.what} | {count.least:,} | {have:,} |")
    violations = sum(counts.get("violations", 0) for counts in figures.values())
    return [*lines, f"| **violations** | none | **{violations}** |"]


def speed(figures: Figures) -> str:
    """Days of one meter that a second of one processor plays."""
    worlds = figures.get("worlds", {})
    if not worlds.get("cpu_ms"):
        return "not measured"
    return f"{worlds['meter_days'] * 1000 // worlds['cpu_ms']} days of a meter in a second of one processor"


def written_into(document: str, figures: Figures) -> str:
    """The document with these figures between its marks. Raises ValueError where the marks are missing."""
    if BEGIN not in document or END not in document:
        raise ValueError(f"the document has no place for figures: put {BEGIN} and {END} into it")
    before, rest = document.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    made = "\n".join([*table(figures), "", f"Speed: {speed(figures)}. Counted at commit {_commit()}."])
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def _commit() -> str:
    return (provenance(0)["commit"] or "unknown")[:12]


@click.command()
@click.option(
    "--figures", "folder", type=click.Path(file_okay=False, path_type=Path), default=FIGURES, help="What was counted."
)
@click.option("--write", "document", type=click.Path(dir_okay=False, path_type=Path), help="Write them into this page.")
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
def trust(folder: Path, document: Path | None, as_json: bool) -> None:
    """Add up what `make worlds` counted; exit code 1 when it is less than promised, or anything was violated."""
    figures = added_up([folder])
    if as_json:
        click.echo(json.dumps({"commit": _commit(), **figures}, indent=1, sort_keys=True))
    else:
        click.echo("\n".join([*table(figures), speed(figures)]))
    found = shortcomings(figures)
    for line in found:
        click.echo(line, err=True)
    if document is not None and not found:
        document.write_text(written_into(document.read_text(encoding="utf-8"), figures), encoding="utf-8")
    sys.exit(1 if found else 0)
