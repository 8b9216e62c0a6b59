"""Payment to water in lock-step: the targets on a small sample, the same figures again, and real MicroPython meters."""

import json

import pytest
from click.testing import CliRunner

from bench.cli import bench
from bench.latency import Cell, percentile, run
from bench.latency_report import CHECKED
from bench.lockstep_check import Differs, check, compare

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
STROKE_US = 8 * SECOND_US


@pytest.mark.slow
def test_the_button_at_sf10_and_ten_per_cent_loss() -> None:
    """p50 ≤ 10 s and p99 ≤ 33 s from the commit to the end-stop, 8 s of which is the stroke."""
    latencies = run(Cell("lora_daily-button", 10, 100), 100, 1).latencies_us
    print(f"button, SF10, 10 %: p50 {percentile(latencies, 50)} us, p99 {percentile(latencies, 99)} us")
    assert min(latencies) > STROKE_US
    assert percentile(latencies, 50) <= 10 * SECOND_US
    assert percentile(latencies, 99) <= 33 * SECOND_US


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "minutes", "trials"), [("gprs30-passive", 31, 10), ("gprs30-ladder", 16, 20)])
def test_half_hourly_reports_over_gprs(profile: str, minutes: int, trials: int) -> None:
    """p95 ≤ 31 min by the reports alone, ≤ 16 min with the ladder's polls between them."""
    latencies = run(Cell(profile, 0, 0), trials, 1).latencies_us
    print(f"{profile}: p50 {percentile(latencies, 50)} us, p95 {percentile(latencies, 95)} us")
    assert percentile(latencies, 95) <= minutes * MINUTE_US


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    cell = Cell("lora_daily-ladder", 12, 300)
    first = run(cell, 2, 5)
    assert run(cell, 2, 5) == first
    assert run(cell, 2, 6).trace != first.trace


def test_a_lossless_button_waits_for_nothing_but_air_and_stroke() -> None:
    """Airtime of POLL and STATEMENT, the first window, the stroke: the same each time, more at a higher factor."""
    by_factor = [set(run(Cell("lora_daily-button", factor, 0), 2, 1).latencies_us) for factor in (7, 10, 12)]
    assert [len(latencies) for latencies in by_factor] == [1, 1, 1]
    assert STROKE_US + SECOND_US < max(by_factor[0]) < max(by_factor[1]) < max(by_factor[2])


@pytest.mark.slow
def test_real_micropython_meters_say_the_same_at_the_same_instants() -> None:
    compared = check(CHECKED[1:], 1, 2)
    print(f"frames equal on both interpreters: {compared['frames_equal']}")
    assert compared["frames_equal"] > 20


def test_a_frame_that_differs_is_found() -> None:
    frames = run(CHECKED[0], 1, 1).trace
    with pytest.raises(Differs, match="frame 1"):
        compare(CHECKED[0], frames, (frames[0], (frames[1][0] + 1, *frames[1][1:]), *frames[2:]))
    with pytest.raises(Differs, match="frames on MicroPython"):
        compare(CHECKED[0], frames, frames[:-1])


def test_the_command_tells_what_a_figure_needs_to_be_made_again() -> None:
    options = ("--trials", "2", "--profile", "lora_daily-button", "--sf", "10", "--loss", "10", "--micropython", "0")
    done = CliRunner().invoke(bench, ["latency", *options, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    (row,) = told["rows"]
    assert (row["profile"], row["spreading_factor"], row["loss_each_way_percent"], row["trials"]) == (
        "lora_daily-button",
        10,
        10.0,
        2,
    )
    assert row["p50_s"] <= row["p95_s"] <= row["p99_s"] == row["max_s"]
    assert told["seed"] == 1 and told["assumed"] and told["interpreter"].startswith("CPython")


def test_the_command_refuses_what_is_no_choice() -> None:
    done = CliRunner().invoke(bench, ["latency", "--sf", "6"])
    assert done.exit_code == 2
    assert "7<=x<=12" in done.output
