"""What must occur at least once in a swarm (FEATURES B10): the list is whole, and what is missing is named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from simulator.worlds import faults
from simulator.worlds.evidence import judge
from simulator.worlds.sometimes import EVENTS, EVENTS_MET, REASONS, expected, missing
from tests.worlds.judged import judged_world


def test_each_kind_of_fault_is_expected_and_what_never_occurred_is_named() -> None:
    assert {f"fault {name}" for name in faults.KINDS} <= set(expected())
    counts = Counter(expected())
    assert missing(counts) == []
    counts["refused 202"] = 0
    del counts["reason CREDIT"]
    assert missing(counts) == ["refused 202", "reason CREDIT"]
    assert missing({}) == list(expected())


def test_every_reason_and_event_that_is_expected_exists() -> None:
    assert len(REASONS) == 22
    assert set(EVENTS_MET) <= set(EVENTS.values())
    assert len(set(expected())) == len(expected())


def test_a_world_counts_what_occurs_in_it(tmp_path: Path) -> None:
    """Once more judged is not once more occurred."""
    life = judged_world(tmp_path)
    judge(life)
    first = Counter(life.saw)
    judge(life)
    life.close()
    assert life.saw == first
    for name in ("reason CREDIT", "answered credited", "answered duplicate", "answered suspense", "event VALVE_OPENED"):
        assert first[name] > 0, name
    assert "fault rekey" not in missing(first)
