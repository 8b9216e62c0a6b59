"""Bits that flip in a living meter's flash: right, or told; never an error that nobody sees (hil_tests/cuts)."""

import pytest

from hil_tests.cuts import runner
from hil_tests.cuts.flips import OUTCOMES

FLIPS_MIN = 20_000
EACH = -(-runner.FLIPS // len(runner.flipped()))


def test_the_flips_are_as_many_as_is_said() -> None:
    assert EACH * len(runner.flipped()) >= FLIPS_MIN


@pytest.mark.slow
@pytest.mark.parametrize("name", runner.flipped())
def test_a_flipped_bit_is_harmless_or_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """M4, M5, A4: what is spoilt in one copy is outvoted and told, or the meter is unopened in a new log, or in safe
    mode; after the next uplink no counter and no amount is wrong unseen. Both interpreters judge alike."""
    found = runner.flip_everywhere(name, EACH, runner.seed_of(name) + 1)
    jobs = [job for by in found.values() for job in by]
    wrong = [what for job in jobs for what in job["wrong"]]
    assert wrong == []
    assert [job["formats"] for job in jobs] == [0, 0, 0]
    even, (odd, again) = found["micropython"][0], found["cpython"]
    assert len(even["sums"]) + len(odd["sums"]) == EACH
    assert again["sums"] and all(even["sums"][number] == value for number, value in again["sums"].items())
    outcomes = {outcome: even["outcomes"].get(outcome, 0) + odd["outcomes"].get(outcome, 0) for outcome in OUTCOMES}
    assert sum(outcomes.values()) == EACH
    assert outcomes["outvoted and told"] > 0  # else nothing that lives was hit
    with capsys.disabled():
        print(f"\n{name}: " + ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count))
