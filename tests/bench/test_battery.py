"""CT-29: ten years on a C cell, by the energy model; who does not reach them; where each figure comes from."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import battery, energy, processor
from bench.battery_homes import PROFILES, live, sample
from bench.battery_report import battery as command
from bench.energy import CELLS, PC_PER_MAH, Hardware, Work
from bench.processor import IMAGE, CannotMeasure, Processor, ready
from simulator.lorawan import Exchange

# As measured on the image, and rounded up: `guelta bench battery` measures it anew.
BUSY = Processor("for the test", processor.Load(400_000_000, 300, 1_600), processor.Load(1_500_000_000, 200, 1_000))
BUSY_HALF_HOURLY = Processor("for the test", processor.Load(900_000_000, 400, 2_200), BUSY.cubic_metre)
ONCE_A_WEEK = Fraction(1)


def test_one_report_a_day_at_sf12_lasts_ten_years_on_a_c_cell() -> None:
    """CT-29, DESIGN §8: every household, one valve cycle a week."""
    lives = battery.run("lora_daily", 12, 4, 28, 1, BUSY, ONCE_A_WEEK)
    row = battery.row(lives, "C", Hardware(), energy.NORMAL_C)
    print(f"lora_daily, SF12, C: {row['years']} years, {row['mah_per_year']}")
    verdict = battery.verdict([row])
    assert verdict is not None and verdict["reached"] and verdict["largest_consumer"] == "floor"
    assert row["years"]["min"] >= 10
    assert 0.5 <= lives.closures_per_week <= 1.5  # the frames are those of a customer who runs dry


def test_who_speaks_every_half_hour_does_not_reach_them() -> None:
    """CT-29: the model refuses. At SF12 with a floor of 42 µA the C cell falls short, where SF7 reaches its years; over
    GPRS it does not last one."""
    years = {}
    for name, factor in (("lora30", 12), ("lora30", 7), ("gprs30", 0)):
        lives = battery.run(name, factor, 1, 8, 1, BUSY_HALF_HOURLY, ONCE_A_WEEK)
        years[name, factor] = battery.row(lives, "C", Hardware(floor_ua=42), energy.NORMAL_C)["years"]["min"]
    print(years)
    assert years["lora30", 12] < battery.TARGET_YEARS < years["lora30", 7]
    assert years["gprs30", 0] < 1
    assert battery.verdict([{"profile": "lora30", "spreading_factor": 12, "cell": "C"}]) is None


def test_a_target_that_is_missed_is_said_to_be_missed_and_by_what() -> None:
    lives = battery.run("lora_daily", 12, 1, 7, 1, BUSY, Fraction(40))
    verdict = battery.verdict([battery.row(lives, "C", Hardware(), energy.NORMAL_C)])
    assert verdict is not None and not verdict["reached"] and verdict["largest_consumer"] == "valve"


@pytest.mark.slow
def test_the_image_does_no_more_than_these_tests_take_it_to_do(tmp_path: Path) -> None:
    """CT-29: instructions, erases and programs of two days on the real image, a dry one and one of a family."""
    ready(IMAGE)
    counted = processor.measure(IMAGE, processor.images(IMAGE, tmp_path / "built"), "lora_daily", 1, 1)
    print(counted)
    for measured, taken in ((counted.day, BUSY.day), (counted.cubic_metre, BUSY.cubic_metre)):
        assert all(taken_one // 4 < one <= taken_one for one, taken_one in zip(measured, taken, strict=True))


# The model ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("factor", "uah"), [(7, 0.85), (9, 2.82), (10, 5.04), (12, 20.2)])
def test_an_uplink_of_51_bytes_takes_what_its_airtime_says(factor: int, uah: float) -> None:
    """26 mA for 118.0, 390.1, 698.4 and 2,793.5 ms."""
    sent_pc, _ = energy.exchange_pc(Exchange(51), factor, Hardware())
    assert sent_pc * 1000 / PC_PER_MAH == pytest.approx(uah, rel=0.005)


def test_a_window_that_hears_is_open_for_the_frame_and_the_next_stays_shut() -> None:
    """RX1 at the uplink's factor, RX2 at SF12; a window in which nothing comes takes eight symbols and 10 ms."""
    empty, first, second = (
        energy.exchange_pc(exchange, 10, Hardware())[1]
        for exchange in (Exchange(11), Exchange(11, 1, 23), Exchange(11, 2, 23))
    )
    per_us = Hardware().rx_ua
    assert empty == per_us * (8 * 8192 + 10_000 + 8 * 32_768 + 10_000)
    assert first == per_us * (493_568 + 20_000)
    assert second == per_us * (8 * 8192 + 10_000 + 1_974_272 + 20_000)


def test_every_consumer_is_its_current_times_its_time() -> None:
    work = Work(1, {}, 12, 0, 0, 0, 1_000_000, 10, 100, Fraction(2, 7))
    found = energy.consumers(work, Hardware())
    assert round(float(found["floor"])) == 245  # 28 µA for 8,766 h
    assert round(float(found["valve"]), 1) == 18.6  # 52.18 cycles of two strokes of 178 µAh
    assert found["sending"] == found["listening"] == found["modem"] == 0
    assert found["cpu"] == Fraction(72 * 2_000_000) * energy.YEAR_DAYS / PC_PER_MAH
    assert found["flash"] == Fraction(15_000 * (10 * 60_000 + 100 * 1_400)) * energy.YEAR_DAYS / PC_PER_MAH


def test_the_budgets_of_the_reference_come_out() -> None:
    """8.5 Ah lasts 16 years at 42 µA and 10 years at 73 µA; 19 Ah lasts 16 years at 94 µA."""
    for cell, microamperes, years in (("C", 42, 16), ("C", 73, 10), ("D", 94, 16)):
        mah = Fraction(microamperes * 8766, 1000)
        assert abs(energy.years(mah, CELLS[cell], energy.climate(20)) - years) < Fraction(1, 5)


def test_heat_shortens_a_cells_life_and_cold_does_not_lengthen_it() -> None:
    """CT-31: the battery model at 70 °C."""
    assert energy.climate(20) == energy.climate(-10) == (85, 10)
    assert energy.climate(30) == (85, 20)
    assert energy.climate(70) == (75, 320)
    lives = [energy.years(Fraction(300), CELLS["C"], energy.climate(degrees)) for degrees in (20, 30, 45, 70)]
    assert lives == sorted(lives, reverse=True) and lives[-1] < 3


def test_twice_the_frames_take_twice_the_charge() -> None:
    """What was lived is what is priced: nothing is a constant of the profile."""
    (lived,) = live(PROFILES["lora_daily"], 12, sample(1), 7, 1)
    twice = lived._replace(exchanges={exchange: 2 * times for exchange, times in lived.exchanges.items()})
    once, more = (energy.consumers(battery.price(one, 12, BUSY, ONCE_A_WEEK), Hardware()) for one in (lived, twice))
    assert once["sending"] > 0 and more["sending"] == 2 * once["sending"] and more["listening"] == 2 * once["listening"]
    assert more["cpu"] == once["cpu"]


# The command --------------------------------------------------------------------------------------------------------
def test_a_figure_given_by_hand_is_labelled_as_given(tmp_path: Path) -> None:
    page = tmp_path / "BATTERY.md"
    options = ["--profile", "lora_daily", "--meters", "1", "--days", "4", "--cpu-us-per-day", "20000000"]
    done = CliRunner().invoke(command, [*options, "--erases-per-day", "240", "--document", str(page), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert {one["source"] for one in told["processor"].values()} == {"given by hand, not measured"}
    assert told["processor"]["every 48 half-hours"]["day_without_water"]["instructions"] == 625_000_000
    assert len(told["rows"]) == 2 * 6 and told["sensitivity_of_lora_daily_sf12_c"][0]["changed"] == "nothing"
    assert "given by hand, not measured" in page.read_text() and "| lora_daily | SF12 | C |" in page.read_text()


def test_without_an_image_or_qemu_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotMeasure, match=r"apt-get install .*qemu-system-arm"):
        ready(tmp_path / "meter.elf")
    emulator = tmp_path / "qemu-system-arm"
    emulator.touch(0o755)
    with pytest.raises(CannotMeasure, match="make firmware"):
        ready(tmp_path / "meter.elf")
    emulator.unlink()
    done = CliRunner().invoke(command, ["--profile", "lora_daily"])
    assert done.exit_code == 1 and "--cpu-us-per-day" in done.output
