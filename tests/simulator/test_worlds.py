"""Whole worlds: real MicroPython meters, a real headend, real kills. Every world must end in agreement."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.radio import RadioOptions
from simulator.report import Outcome, as_json

Play = Callable[..., tuple[Outcome, list[str]]]

LOSSY = RadioOptions(loss_up_permille=500, loss_down_permille=500, duplicate_permille=300, reorder_permille=300)


def without_wall(outcome: Outcome) -> dict[str, Any]:
    return {name: value for name, value in as_json(outcome).items() if name != "wall"}


def assert_agrees(outcome: Outcome) -> None:
    assert outcome.findings == ()
    assert outcome.ledger.good
    assert outcome.good
    figures = as_json(outcome)
    assert figures["slots_stored"] == figures["slots_expected"] > 0
    assert figures["divergent_meters"] == 0


@pytest.mark.slow
@pytest.mark.xdist_group("world-1")
def test_the_same_seed_is_the_same_world_though_two_processes_were_killed_in_it(play: Play) -> None:
    """Two days, three homes: a dry night, three callbacks, a cut in mid-write, a dead headend, a late price, a leak."""
    (first, first_lines), (second, second_lines) = (play(seed=11, meters=3, days=2) for _ in range(2))
    assert_agrees(first)
    assert without_wall(first) == without_wall(second)
    assert first_lines == second_lines
    assert (first.meter_kills, first.headend_kills, first.duplicate_callbacks) == (1, 1, 2)
    assert first.closures >= 1 and first.reopenings >= 1 and first.waits_s
    assert first.left_out == ()


@pytest.mark.slow
@pytest.mark.xdist_group("world-2")
@pytest.mark.parametrize(("seed", "meters", "days"), [(1, 1, 1), (2, 3, 1), (3, 1, 2)])
def test_odd_sizes_make_worlds_that_agree(play: Play, seed: int, meters: int, days: int) -> None:
    outcome, shown = play(seed=seed, meters=meters, days=days)
    assert_agrees(outcome)
    assert as_json(outcome)["interpreter"].startswith("micropython ")
    assert (len(outcome.witnesses), outcome.days) == (meters, days)
    assert outcome.headend_kills == 1
    assert any("micro" not in line and "seed" not in line for line in shown)


@pytest.mark.slow
@pytest.mark.xdist_group("world-2")
def test_a_lossy_world_converges_within_twenty_uplinks_once_the_faults_stop(play: Play) -> None:
    """Half of the frames lost each way, three in ten doubled, three in ten late and out of order; 8 homes, 2 days."""
    outcome, _ = play(seed=5, meters=8, days=2, radio=LOSSY)
    assert_agrees(outcome)
    counts = outcome.counts
    assert 0.4 < counts.uplinks_lost / counts.uplinks < 0.65
    assert 0.4 < counts.downlinks_lost / counts.downlinks < 0.6
    assert set(outcome.drain_uplinks) == set(range(1, 9))
    assert max(outcome.drain_uplinks.values()) <= 20


@pytest.mark.slow
@pytest.mark.xdist_group("world-1")
def test_a_meter_provisioned_wrong_by_one_mill_is_found(play: Play) -> None:
    """--skew 1: the pack in the meter charges one mill more; pipe, headend and daily check each say so."""
    outcome, _ = play(seed=1, meters=2, days=1, skew_mills=1)
    assert not outcome.good
    assert outcome.agreeing == 1
    assert {finding.home for finding in outcome.findings} == {2}
    assert {finding.check for finding in outcome.findings} >= {"price", "case"}
