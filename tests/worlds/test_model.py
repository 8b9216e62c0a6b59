"""The judges' own price of water (I16), against what docs/TARIFFS.md works by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from simulator.worlds.model import Bill, Half, Prices, known_at, prices_of

NIGER: dict[str, Any] = {"blocks": [[10_000, 127], [40_000, 279], [0, 448]], "utc_offset_minutes": 60}
MIDNIGHT = 46  # 23:00 UTC, the first slot of 2020-01-02 in Niamey


def prices(**members: Any) -> Prices:
    found = prices_of({**NIGER, **members})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("litres", "mills"),
    [
        (6_000, 762_000),
        (6_400, 812_800),
        (10_000, 1_270_000),
        (10_001, 1_270_279),
        (40_000, 9_640_000),
        (41_000, 10_088_000),
    ],
)
def test_a_month_of_niger_costs_what_is_worked_by_hand(litres: int, mills: int) -> None:
    """I16: in one half-hour or litre by litre."""
    at_once, in_drops = Bill(), Bill()
    at_once.charge(Half(0, litres, prices()))
    for slot in range(10):
        in_drops.charge(Half(slot, litres // 10 + (litres % 10 if slot == 9 else 0), prices()))
    assert at_once.spent_mills == in_drops.spent_mills == mills


def test_twenty_litres_at_the_edge_of_a_block_are_split_there() -> None:
    bill = Bill(position_l=9_990, month=2020 * 12, day=0)
    bill.charge(Half(0, 20, prices()))
    assert bill.spent_mills == 4_060


def test_days_and_months_are_charged_once_and_those_slept_through_are_made_up() -> None:
    """I16, B7: a half-hour belongs to the local day of its first second; a step back charges nothing again."""
    bill, daily = Bill(), prices(standing_day=20, standing_month=300)
    bill.charge(Half(MIDNIGHT - 1, 0, daily))
    assert bill.spent_mills == 320_000
    bill.charge(Half(MIDNIGHT, 0, daily))
    assert bill.spent_mills == 340_000
    for slot in (MIDNIGHT + 1, MIDNIGHT - 20, MIDNIGHT + 47):
        bill.charge(Half(slot, 0, daily))
    assert bill.spent_mills == 340_000
    bill.charge(Half(MIDNIGHT + 10 * 48, 0, daily))
    assert bill.spent_mills == 540_000
    bill.charge(Half(MIDNIGHT + 48 * 30, 0, daily))
    assert bill.spent_mills == 540_000 + 20 * 20_000 + 300_000


def test_the_blocks_begin_again_with_the_local_month_and_an_unsure_half_hour_begins_nothing() -> None:
    """C2: its litres go on in the old month's block."""
    bill, february = Bill(), 31 * 48 - 2
    bill.charge(Half(february - 1, 10_000, prices()))
    bill.charge(Half(february, 10, prices(), sure=False))
    assert bill.spent_mills == 1_270_000 + 2_790
    bill.charge(Half(february + 1, 10, prices()))
    assert bill.spent_mills == 1_270_000 + 2_790 + 1_270


def test_nothing_is_rounded() -> None:
    """B3: thirds of a mill that a price list cannot hold are refused; ten-thousandths are carried."""
    bill = Bill()
    fine = prices(blocks=[[0, "0.3333"]])
    for slot in range(3):
        bill.charge(Half(slot, 1, fine))
    assert (bill.mills, bill.spent_mills) == (Fraction(9_999, 10_000), 0)
    bill.charge(Half(3, 1, prices(blocks=[[0, "0.1"]])))
    assert bill.spent_mills == 1
    assert prices_of({**NIGER, "blocks": [[0, "127/3"]]}) is None
    assert prices_of({**NIGER, "sewer_percent": 75}) is None


def test_a_minimum_is_the_first_block_of_the_month() -> None:
    """Kiambu without its sewer: 330 KSh for 6 m³, 65 KSh a cubic metre above."""
    kiambu = prices(blocks=[[6_000, 0], [0, 6_500]], minimum=33_000)
    bill = Bill()
    bill.charge(Half(0, 6_400, kiambu))
    assert bill.spent_mills == (33_000 + 2_600) * 1000


def test_of_what_is_known_the_latest_start_counts_and_of_those_the_newest_knowledge() -> None:
    """B5."""
    one, two, three = (prices(standing_day=day) for day in (1, 2, 3))
    known = [(0, one), (100, two), (50, three), (100, three)]
    assert [known_at(known, slot) for slot in (-1, 0, 49, 50, 99, 100)] == [None, one, one, three, three, three]
    assert known_at([(100, three), (100, two)], 100) == two


def test_a_stretch_without_detail_costs_what_the_meter_says() -> None:
    """C4."""
    bill = Bill()
    bill.charge(Half(0, 10, prices(standing_day=20)))
    bill.lost(MIDNIGHT + 5, 60_960, Fraction(1, 2), 490, prices())
    assert bill.mills == 21_270 + 60_960 + Fraction(1, 2)
    bill.charge(Half(MIDNIGHT + 6, 10, prices(standing_day=20)))
    assert bill.spent_mills == 21_270 + 60_960 + 1_270
