"""10,000 random histories: the kernel on CPython, the kernel on real MicroPython and an exact oracle agree."""

import json
import random
from pathlib import Path
from typing import Any

from tests.dual.runner import run_dual
from tests.rules import oracle

CASES = 10_000
SEED = 2
YEAR_SLOTS = 17_532


def draw_pack(chance: random.Random) -> list[Any]:
    """Any pack within the limits: free and dear blocks, five scales, offsets from UTC-12 to +14, summer time."""
    scale = chance.randrange(5)
    money_max = 10 ** chance.randrange(1, 8)
    standard_minutes = 15 * chance.randrange(-48, 57)
    transitions: list[list[int]] = []
    if chance.random() < 0.3:
        begin = chance.randrange(100_000, 130_000)
        summer = min(standard_minutes + 60, 840) if standard_minutes < 840 else standard_minutes - 60
        transitions = [[begin, summer], [begin + chance.randrange(1, 9_000), standard_minutes]]
    uptos = sorted(chance.sample(range(1, 60_000), chance.randrange(6)))
    return [
        scale,
        standard_minutes,
        transitions,
        chance.choice((1, 1, 1, 2, 7, 255)),
        chance.choice((0, chance.randrange(money_max))),
        [[upto, chance.randrange(money_max)] for upto in [*uptos, 0]],
        chance.choice((0, chance.randrange(money_max))),
        chance.choice((0, chance.randrange(money_max))),
    ]


def draw_steps(chance: random.Random, packs: int) -> list[list[int]]:
    """Slots mostly forward by hours or weeks, at times back, at times by decades; one in eight unsure."""
    slot = chance.randrange(100_000, 130_000)
    steps = []
    for _ in range(chance.randrange(1, 9)):
        kind = chance.random()
        if kind < 0.7:
            slot += chance.randrange(0, 100)
        elif kind < 0.9:
            slot += chance.randrange(0, 4_000)
        elif kind < 0.97:
            slot = max(slot - chance.randrange(0, 4_000), 1_000)
        else:
            slot += 30 * YEAR_SLOTS
        litres = chance.choice((0, 1, chance.randrange(100), chance.randrange(65_536)))
        steps.append([chance.randrange(packs), slot, litres, int(chance.random() < 0.875)])
    return steps


def draw_case(chance: random.Random) -> list[Any]:
    packs = [draw_pack(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    return [packs, draw_steps(chance, len(packs))]


def expected(case: list[Any]) -> str:
    printed = [oracle.printed(*fields) for fields in case[0]]
    account = oracle.Account()
    for pack, slot, litres, sure in case[1]:
        account = oracle.rate_slot(account, printed[pack], slot, litres, bool(sure))
    mills, remainder = oracle.counters(account)
    return f"{mills} {remainder} {account.position}"


def test_10_000_random_cases_are_equal_on_both_interpreters_and_the_oracle(tmp_path: Path) -> None:
    """CT-07, CT-08, B2, B3, B7, C2: blocks, charges, missed days, unsure slots, steps back, new packs, remainders."""
    chance = random.Random(SEED)
    cases = [draw_case(chance) for _ in range(CASES)]
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))
    rated = run_dual("rating_cases", str(path)).splitlines()
    assert len(rated) == CASES
    wrong = [(case, line) for case, line in zip(cases, rated, strict=True) if line != expected(case)]
    assert wrong[:3] == []


def test_the_oracle_is_able_to_disagree() -> None:
    """One mill of skew in one price is seen, so agreement above means something."""
    case = [[[0, 60, [], 1, 0, [[10_000, 127], [0, 279]], 0, 0]], [[0, 119_806, 12_000, 1]]]
    skewed = json.loads(json.dumps(case))
    skewed[0][0][5][1][1] += 1
    assert expected(case) == "1828000 0 12000"
    assert expected(skewed) == "1830000 0 12000"
