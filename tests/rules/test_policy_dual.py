"""Valve policy and pack bodies under both interpreters: every decision, and every refusal, is the same."""

import json
import random
from pathlib import Path
from typing import Any

from protocol.rules import debt, policy, tariff
from protocol.rules import reason_codes as why
from tests.dual.runner import run_dual
from tests.rules.homes import LIFELINE, POLICY, STRICT
from tests.rules.packs import KIAMBU, MOGALE, NIGER
from tests.rules.test_debt import PLAN

CASES = 300
BODIES = 3_000
START_UNIX_S = 1_793_577_600  # 2026-11-02T00:00Z, a Monday


def draw_case(chance: random.Random) -> list[Any]:
    """Days of one meter: a balance that falls and is topped up, litres, at times an unsure clock or a step back."""
    base = chance.choice((POLICY, POLICY, POLICY._replace(lifeline_l_per_day=40, flags=2), LIFELINE, STRICT))
    now_s, balance = START_UNIX_S + chance.randrange(86_400), chance.randrange(1_000_000)
    moments = []
    for _ in range(60):
        now_s += chance.choice((60, 900, 7_200, 20_000, -600))
        balance -= chance.randrange(150_000)
        if chance.random() < 0.08:
            balance = chance.randrange(800_000)
        moments.append([now_s, int(chance.random() < 0.9), int(chance.random() < 0.97), balance, chance.randrange(60)])
    return [list(base), 15 * chance.randrange(-48, 57), chance.randrange(65_536), moments]


def test_18_000_decisions_are_equal_on_both_interpreters_and_every_reason_occurs(tmp_path: Path) -> None:
    """CT-01, CT-02, C2, E1: the same allowance, the same decision, the same second it ends."""
    chance = random.Random(3)
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(draw_case(chance)) + "\n" for _ in range(CASES)))
    decisions = run_dual("policy_cases", str(path)).splitlines()
    assert len(decisions) == 60 * CASES
    seen = {int(line.split()[1]) for line in decisions}
    assert seen == {
        why.CREDIT,
        why.EMERGENCY,
        why.FRIENDLY_HOURS,
        why.FRIENDLY_ENDING,
        why.LIFELINE,
        why.INSTALLATION,
        *why.CLOSED_REASONS[:4],
    }


def draw_body(chance: random.Random) -> str:
    """A real body as it is, with bytes changed, cut, or with a tail."""
    kind, body = chance.choice(
        [("tariff", tariff.encode_body(pack)) for pack in (NIGER, KIAMBU, MOGALE)]
        + [("policy", policy.encode_body(pack)) for pack in (POLICY, LIFELINE)]
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
