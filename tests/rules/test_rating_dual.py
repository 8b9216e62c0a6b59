"""100,000 random histories: the kernel on CPython, the kernel on real MicroPython and an exact oracle agree.

Drawn in shares, so that the cores take turns; `-s` prints what each share cost in seconds of one core.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.dual.runner import run_dual
from tests.rules import oracle
from tests.rules.histories import history

CASES = 100_000
SHARES = 8


def expected(case: list[Any]) -> str:
    printed = [oracle.printed(*fields) for fields in case[0]]
    account = oracle.Account()
    for pack, slot, litres, sure in case[1]:
        account.rate_slot(printed[pack], slot, litres, bool(sure))
    mills, remainder = account.counters()
    return f"{mills} {remainder} {account.position}"


def core_s() -> float:
    """Seconds of a core used so far, by this process and those it ran."""
    return sum(os.times()[:4])


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_100_000_random_cases_are_equal_on_both_interpreters_and_the_oracle(share: int, tmp_path: Path) -> None:
    """CT-07, CT-08, B2, B3, B4, B7, C2: blocks, minimum, standing charges, missed days, unsure slots, steps back, late
    packs, clock changes, households, five scales and the remainder below a mill."""
    began_s = core_s()
    chance = random.Random(share)
    cases = [history(chance) for _ in range(CASES // SHARES)]
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case, separators=(",", ":")) + "\n" for case in cases))
    drawn_s = core_s()
    rated = run_dual("rating_cases", str(path)).splitlines()
    rated_s = core_s()
    assert len(rated) == len(cases)
    wrong = [(case, line) for case, line in zip(cases, rated, strict=True) if line != expected(case)]
    assert wrong[:3] == []
    judged_s = core_s()
    print(
        f"share {share}: {len(cases):,} cases, {sum(len(case[1]) for case in cases):,} slots; drawn in "
        f"{drawn_s - began_s:.1f} s, rated twice in {rated_s - drawn_s:.1f} s, judged in {judged_s - rated_s:.1f} s"
    )


def test_the_histories_hold_what_they_are_meant_to() -> None:
    """Kathmandu, every scale, minimum blocks, households, months crossed, late packs, unsure slots, clock changes."""
    chance = random.Random(0)
    cases = [history(chance) for _ in range(1_000)]
    packs = [pack for packs, _ in cases for pack in packs]
    assert {pack[0] for pack in packs} == set(range(5))
    assert sum(pack[1] == 345 for pack in packs) > 100
    assert sum(pack[3] > 1 for pack in packs) > 500
    assert sum(pack[4] > 0 for pack in packs) > 500
    crossed = unsure = late = stepped = 0
    for packs, steps in cases:
        first, last = steps[0], steps[-1]
        crossed += last[1] - first[1] > 2 * 1_488
        unsure += any(not sure for _, _, _, sure in steps)
        late += last[0] > first[0]
        stepped += any(first[1] < slot <= last[1] for pack in packs for slot, _ in pack[2])
    assert min(crossed, unsure, late, stepped) > 100


def test_the_oracle_is_able_to_disagree() -> None:
    """One mill of skew in one price is seen, so agreement above means something."""
    case = [[[0, 60, [], 1, 0, [[10_000, 127], [0, 279]], 0, 0]], [[0, 119_806, 12_000, 1]]]
    skewed = json.loads(json.dumps(case))
    skewed[0][0][5][1][1] += 1
    assert expected(case) == "1828000 0 12000"
    assert expected(skewed) == "1830000 0 12000"
