"""What a run says when it is over: the table of meters and books, and the file.

The same seed gives the same file apart from the object `wall`, which holds everything that depends on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .air import Counts
from .checkers import MILLS_PER_MINOR, Finding, Reading, Witness, divergent
from .texts import sentence


class Ledger(NamedTuple):
    """What the headend's own check says of its books."""

    balanced: bool
    entries: int
    chain_ok: bool
    faults: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Nothing wrong at all."""
        return self.balanced and self.chain_ok and not self.faults


class Outcome(NamedTuple):
    """Everything a run has to tell. Times that depend on the machine are in `wall`, in milliseconds."""

    seed: int
    days: int
    interpreters: tuple[str, ...]
    counts: Counts
    closures: int
    reopenings: int
    topups: int
    duplicate_callbacks: int
    meter_kills: int
    headend_kills: int
    waits_s: tuple[int, ...]
    drain_uplinks: dict[int, int]
    witnesses: tuple[Witness, ...]
    findings: tuple[Finding, ...]
    ledger: Ledger
    left_out: tuple[tuple[str, str], ...]
    wall_ms: dict[str, int]

    @property
    def agreeing(self) -> int:
        """Meters without a finding."""
        return len(self.witnesses) - divergent(self.witnesses, self.findings)

    @property
    def good(self) -> bool:
        """Whether every meter and its books agree, and the books themselves hold."""
        return not self.findings and self.ledger.good


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The nearest-rank percentile of integers; None of nothing."""
    if not values:
        return None
    rank = max(-(-len(values) * percent // 100), 1)
    return sorted(values)[rank - 1]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The object that --json writes."""
    counts = outcome.counts
    return {
        "seed": outcome.seed,
        "meters": len(outcome.witnesses),
        "interpreter": ", ".join(sorted(set(outcome.interpreters))),
        "virtual_days": outcome.days,
        "uplinks": counts.uplinks,
        "uplinks_lost": counts.uplinks_lost,
        "downlinks": counts.downlinks,
        "downlinks_lost": counts.downlinks_lost,
        "bytes_per_uplink_mean": _two_decimals(counts.uplink_bytes, counts.uplinks),
        "closures": outcome.closures,
        "reopenings": outcome.reopenings,
        "topups": outcome.topups,
        "duplicate_callbacks": outcome.duplicate_callbacks,
        "meter_kills": outcome.meter_kills,
        "headend_kills": outcome.headend_kills,
        "paid_to_water_s": {"p50": percentile(outcome.waits_s, 50), "p99": percentile(outcome.waits_s, 99)},
        "slots_expected": sum(one.meter.slots for one in outcome.witnesses),
        "slots_stored": sum(one.books.slots for one in outcome.witnesses),
        "uplinks_to_converge_max": max(outcome.drain_uplinks.values(), default=0),
        "divergent_meters": divergent(outcome.witnesses, outcome.findings),
        "findings": [finding._asdict() for finding in outcome.findings],
        "ledger": outcome.ledger._asdict(),
        "left_out": [event for event, _ in outcome.left_out],
        "wall": outcome.wall_ms,
    }


def table(outcome: Outcome, lang: str) -> list[str]:
    """Each meter read over its console, beside the headend's REST, as lines of a terminal. Money in F CFA."""
    rows: list[tuple[str, ...]] = [("", "", *sentence("columns", lang).split("|"))]
    for one in outcome.witnesses:
        wrong = any(finding.home == one.number for finding in outcome.findings)
        name = f"{'≠ ' if wrong else ''}{one.number} {one.name}"
        rows.append((name, *_cells("side_meter", one.meter, lang)))
        rows.append(("", *_cells("side_books", one.books, lang)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_aligned(cell, widths[n], n < 2) for n, cell in enumerate(row)).rstrip() for row in rows]


def _cells(side: str, reading: Reading, lang: str) -> tuple[str, ...]:
    """One side of a home as cells: which side, then the columns."""
    money = (
        reading.credited_mills,
        reading.debited_mills,
        reading.spent_mills,
        reading.collected_mills,
        reading.balance_mills,
    )
    valve = sentence("open" if reading.valve_open else "closed", lang)
    return (
        sentence(side, lang),
        str(reading.volume_l),
        *(_francs(mills) for mills in money),
        valve,
        str(reading.slots),
    )


def _aligned(cell: str, width: int, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def _francs(mills: int) -> str:
    """Mills as francs with three decimals, exactly: -1500 → "-1.500"."""
    whole, rest = divmod(abs(mills), MILLS_PER_MINOR)
    return f"{'-' if mills < 0 else ''}{whole}.{rest:03}"


def _two_decimals(numerator: int, denominator: int) -> float:
    return round(numerator / denominator, 2) if denominator else 0.0
