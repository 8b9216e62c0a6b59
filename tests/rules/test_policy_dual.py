"""Valve policy and pack bodies under both interpreters: every decision, and every refusal, is the same."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from protocol.rules import debt, policy, tariff
from protocol.rules import reason_codes as why
from protocol.rules.calendar import slot_of
from tests.dual.runner import run_dual
from tests.rules.homes import LIFELINE, POLICY, STRICT
from tests.rules.packs import KIAMBU, MOGALE, NIGER
from tests.rules.test_debt import PLAN
from tests.rules.test_policy_pack import FEASTS, FULL

CASES = 300
BODIES = 3_000
START_UNIX_S = 1_793_577_600  # 2026-11-02T00:00Z, a Monday
START_SLOT = slot_of(START_UNIX_S)
START_DAY = START_SLOT // 48


def draw_policy(chance: random.Random) -> policy.Policy:
    """Any of the known ones, with any of the relaxations, at times locked or with a stance on tampering and battery."""
    given = chance.choice((POLICY, POLICY, LIFELINE, STRICT))
    if chance.random() < 0.3:
        given = given._replace(lifeline_l_per_day=40, jitter_s=chance.choice((0, 14_400)))
    if given.lifeline_l_per_day and chance.random() < 0.5:
        given = given._replace(pulse_l=chance.randrange(1, 30), pause_s=60 * chance.randrange(1, 200))
    if given.windows and chance.random() < 0.5:
        days = sorted(chance.sample(range(START_DAY, START_DAY + 12), 3))
        given = given._replace(holidays=tuple(days), holiday_end_min=15 * chance.randrange(96))
    if chance.random() < 0.2:
        given = given._replace(vulnerable_until_slot=START_SLOT + chance.randrange(600), vulnerable_l_per_day=80)
    if chance.random() < 0.2:
        given = given._replace(amnesty_until_slot=START_SLOT + chance.randrange(600), amnesty_cap_l=300)
    if chance.random() < 0.4:
        given = given._replace(fire_s=21_600, fire_every_days=chance.randrange(1, 9), fire_cap_l=100)
    return given._replace(flags=chance.choice((0, 0, 0, 1, 2, 4, 8, 16, 21)))


def draw_case(chance: random.Random) -> list[Any]:
    """Days of one meter: a balance that falls and is topped up, litres, a clock that is lost or stepped back, a magnet,
    an empty battery, orders and a customer who presses."""
    now_s, balance = START_UNIX_S + chance.randrange(86_400), chance.randrange(1_000_000)
    moments = []
    for _ in range(60):
        now_s += chance.choice((60, 900, 7_200, 20_000, -600))
        balance -= chance.randrange(150_000)
        if chance.random() < 0.08:
            balance = chance.randrange(800_000)
        order = (
            [chance.randrange(2), chance.randrange(1, 90_000), chance.randrange(200)] if chance.random() < 0.04 else 0
        )
        sure, opened, tampered, critical, press = (int(chance.random() < odds) for odds in (0.9, 0.97, 0.1, 0.05, 0.2))
        moments.append([now_s, sure, opened, balance, chance.randrange(60), tampered, critical, order, press])
    return [list(draw_policy(chance)), 15 * chance.randrange(-48, 57), chance.randrange(65_536), moments]


def test_18_000_decisions_are_equal_on_both_interpreters_and_every_reason_occurs(tmp_path: Path) -> None:
    """B4, CT-01, CT-02, C2, E1: the same allowance, the same decision, the same second it ends."""
    chance = random.Random(3)
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(draw_case(chance)) + "\n" for _ in range(CASES)))
    decisions = run_dual("policy_cases", str(path)).splitlines()
    assert len(decisions) == 60 * CASES
    seen = Counter(int(line.split()[1]) for line in decisions)
    assert set(seen) == set(why.OPEN_REASONS + why.CLOSED_REASONS)
    assert min(seen.values()) >= 10, seen


def draw_body(chance: random.Random) -> str:
    """A real body as it is, with bytes changed, cut, or with a tail."""
    kind, body = chance.choice(
        [("tariff", tariff.encode_body(pack)) for pack in (NIGER, KIAMBU, MOGALE)]
        + [("policy", policy.encode_body(pack)) for pack in (POLICY, LIFELINE, FEASTS, FULL)]
        + [("plan", debt.encode_body(PLAN))]
    )
    mutated = bytearray(body)
    for _ in range(chance.randrange(3)):
        mutated[chance.randrange(len(mutated))] = chance.randrange(256)
    if chance.random() < 0.2:
        mutated = mutated[: chance.randrange(1, len(mutated) + 1)]
    if chance.random() < 0.1:
        mutated += bytes([chance.randrange(256)])
    return f"{kind} {mutated.hex()}"


def test_mutated_bodies_are_refused_alike_on_both_interpreters(tmp_path: Path) -> None:
    """What one side refuses the other must refuse with the same code, or meter and headend would hold other packs."""
    chance = random.Random(4)
    path = tmp_path / "bodies.txt"
    path.write_text("".join(draw_body(chance) + "\n" for _ in range(BODIES)))
    answers = run_dual("pack_cases", str(path)).splitlines()
    accepted = [line for line in answers if line.startswith("[")]
    assert len(answers) == BODIES
    assert all(line.endswith("True") for line in accepted)
    assert 1_000 < len(accepted) < 2_500
