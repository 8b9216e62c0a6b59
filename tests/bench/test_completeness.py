"""A month of daily reports over bad air: complete, and at its price in frames, on a smaller sample of homes."""

import json

import pytest
from click.testing import CliRunner

from bench.cli import bench
from bench.completeness import DAYS, Complete, run
from simulator.clock import SLOTS_PER_DAY
from simulator.lorawan import LoraOptions

BAD_AIR = LoraOptions(10, 300, 300)
SETTLING_DAYS = 14


@pytest.fixture(scope="module")
def month() -> Complete:
    return run(6, 1, BAD_AIR, SETTLING_DAYS)


@pytest.mark.slow
@pytest.mark.xdist_group("completeness")
def test_thirty_per_cent_loss_each_way_costs_no_half_hour(month: Complete) -> None:
    """At least 99.98 % of the month's half-hours, two weeks after its end."""
    print({days: month.percent(days) for days in month.missing})
    assert month.slots == 6 * DAYS * SLOTS_PER_DAY
    assert month.missing[0] > 0
    assert month.percent(SETTLING_DAYS) >= 99.98


@pytest.mark.slow
@pytest.mark.xdist_group("completeness")
def test_it_costs_less_than_one_and_a_half_frames_up_and_four_tenths_down(month: Complete) -> None:
    """At most 1.42 uplinks and 0.38 downlinks a day over many homes; a few homes scatter by some hundredths."""
    uplinks, downlinks = month.uplinks / month.meter_days, month.downlinks / month.meter_days
    print(f"uplinks a day {uplinks:.3f}, downlinks a day {downlinks:.3f}, {month.frames_by_type}")
    assert uplinks <= 1.42 + 0.05
    assert downlinks <= 0.38 + 0.04
    assert sum(count for name, count in month.frames_by_type.items() if name.startswith("up")) == month.uplinks


def test_clean_air_needs_no_repair() -> None:
    """One frame a day, the counters and versions of the start, and nobody asks for anything again."""
    clean = run(1, 1, LoraOptions(), 1)
    assert clean.missing[1] == 0
    assert "down NACK" not in clean.frames_by_type
    assert clean.frames_by_type["up DAY"] + clean.frames_by_type.get("up RANGE", 0) == DAYS + 1


def test_the_command_tells_its_assumptions() -> None:
    done = CliRunner().invoke(bench, ["completeness", "--meters", "1", "--settling", "0", "--loss", "0", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["meters"], told["days"], told["settling_days"], told["loss_each_way_percent"]) == (1, 30, 0, 0.0)
    assert told["complete_percent_by_settling_days"] == {"0": told["complete_percent"]}
