"""Real tariffs to the last mill (FEATURES B5), over whole local months, every expected number worked by hand."""

import pytest

from protocol.rules import rating
from protocol.rules.tariff import Tariff
from tests.rules.packs import JOHANNESBURG, KIAMBU, MOGALE, NAIROBI, NIAMEY, NIGER, at

# November 2026 has 30 days of 48 slots; the shares below spread a month's litres unevenly over them.
SLOTS = 30 * 48


def month_mills(tariff: Tariff, litres: int, first_slot: int, state: rating.RatingState = rating.NEW) -> int:
    """S after a whole November in which `litres` flow, most of them in the evenings, the rest at the month's end."""
    before = state.spent_mills
    evening = litres // 1000 * 30
    left = litres
    for number in range(SLOTS):
        flowing = min(left, evening) if number % 48 == 38 else 0
        if number == SLOTS - 1:
            flowing = left
        left -= flowing
        state = rating.rate_slot(state, tariff, first_slot + number, flowing, True)
    assert left == 0
    assert state.remainder == 0
    return int(state.spent_mills - before)


@pytest.mark.parametrize(
    ("litres", "mills"),
    [
        (0, 0),
        (6_000, 762_000),  # 6 x 127 = 762 F CFA
        (6_400, 812_800),  # 6.4 x 127 = 812.8
        (7_000, 889_000),  # 7 x 127 = 889
        (10_000, 1_270_000),  # 10 x 127 = 1,270: litre 10,000 is the last at 127
        (10_001, 1_270_279),  # one litre at 279 per m³ is 0.279
        (40_000, 9_640_000),  # 1,270 + 30 x 279 = 1,270 + 8,370 = 9,640
        (40_001, 9_640_448),  # one litre at 448 per m³
        (41_000, 10_088_000),  # 9,640 + 448
        (100_000, 36_520_000),  # 9,640 + 60 x 448 = 9,640 + 26,880
    ],
)
def test_ct_08_niger_blocks(litres: int, mills: int) -> None:
    """CT-08, CT-07: 0-10 at 127, 11-40 at 279, above at 448 F CFA per m³ and month."""
    assert month_mills(NIGER, litres, at(2026, 11, 1, NIAMEY).slot) == mills


@pytest.mark.parametrize(
    ("litres", "mills"),
    [
        (0, 57_750_000),  # the minimum: (330 + 75 %) = 577.50 KSh, owed without a drop
        (6_000, 57_750_000),  # the minimum covers all of (0, 6]
        (6_001, 57_761_375),  # 577.50 + 0.065 x 1.75 = 577.50 + 0.11375 (6.001 belongs to block 2, D05)
        (6_400, 62_300_000),  # (330 + 0.4 x 65) x 1.75 = 356 x 1.75 = 623.00
        (7_000, 69_125_000),  # (330 + 65) x 1.75 = 395 x 1.75 = 691.25
        (10_000, 103_250_000),  # (330 + 4 x 65) x 1.75 = 590 x 1.75 = 1,032.50
        (10_001, 103_261_375),  # + 0.11375
        (20_000, 217_000_000),  # (330 + 14 x 65) x 1.75 = 1,240 x 1.75 = 2,170.00
        (40_000, 497_000_000),  # (1,240 + 20 x 80) x 1.75 = 2,840 x 1.75 = 4,970.00
        (41_000, 511_000_000),  # (2,840 + 80) x 1.75 = 5,110.00
        (50_000, 637_000_000),  # (1,240 + 30 x 80) x 1.75 = 3,640 x 1.75 = 6,370.00
        (100_000, 1_512_000_000),  # (3,640 + 50 x 100) x 1.75 = 8,640 x 1.75 = 15,120.00
        (300_000, 5_712_000_000),  # (8,640 + 200 x 120) x 1.75 = 32,640 x 1.75 = 57,120.00
        (301_000, 5_736_500_000),  # (32,640 + 140) x 1.75 = 57,365.00
    ],
)
def test_ct_08_kiambu_minimum_block_and_sewer(litres: int, mills: int) -> None:
    """CT-08, D04, D05, D09: 0-6 m³ for a fixed 330 KSh, then per m³; sewer is 75 % of every water charge.

    The printed "sewer 75 % of consumption" is read as 75 % of the water charge, the minimum included.
    """
    assert month_mills(KIAMBU, litres, at(2026, 11, 1, NAIROBI).slot) == mills


@pytest.mark.parametrize(
    ("litres", "mills"),
    [
        (0, 0),
        (6_000, 0),  # the first 6 kl are free
        (6_001, 1_850),  # 0.001 x 18.50 rand = 1.85 cents
        (6_400, 740_000),  # 0.4 x 18.50 = 7.40 rand
        (7_000, 1_850_000),  # 18.50 rand
        (10_000, 7_400_000),  # 4 x 18.50 = 74.00
        (10_001, 7_401_850),
        (40_000, 62_900_000),  # 34 x 18.50 = 629.00
        (41_000, 64_750_000),  # 35 x 18.50 = 647.50
    ],
)
def test_ct_08_mogale_free_block(litres: int, mills: int) -> None:
    """CT-08, D06: the first 6 kl of a month are free."""
    assert month_mills(MOGALE, litres, at(2026, 11, 1, JOHANNESBURG).slot) == mills


def test_d06_the_free_block_returns_on_the_first_and_is_not_banked() -> None:
    """D06: 2 kl used of 6 in November leave 6, not 10, in December; each begins at local midnight."""
    november, december = at(2026, 11, 1, JOHANNESBURG).slot, at(2026, 12, 1, JOHANNESBURG).slot
    state = rating.rate_slot(rating.NEW, MOGALE, november, 2_000, True)
    state = rating.rate_slot(state, MOGALE, december - 1, 0, True)
    assert state.position_l == 2_000
    state = rating.rate_slot(state, MOGALE, december, 6_000, True)
    assert (state.spent_mills, state.position_l) == (0, 6_000)
    assert rating.spend(state, MOGALE, 1).spent_mills == 1_850


def test_two_months_cost_twice_one() -> None:
    november, december = at(2026, 11, 1, NAIROBI), at(2026, 12, 1, NAIROBI)
    state = rating.rate_slot(rating.NEW, KIAMBU, november.slot, 7_000, True)
    state = rating.rate_slot(state, KIAMBU, december.slot, 7_000, True)
    assert state.spent_mills == 2 * 69_125_000


def test_d08_four_households_share_blocks_four_times_as_wide() -> None:
    """D08: 40 m³ for four homes on one tap cost four times what 10 m³ cost one home: 4 x 1,270 = 5,080 F CFA."""
    shared = NIGER._replace(households=4)
    slot = at(2026, 11, 1, NIAMEY).slot
    assert month_mills(shared, 40_000, slot) == 5_080_000
    assert month_mills(shared, 40_001, slot) == 5_080_279


def test_d17_a_social_month_is_a_block_at_no_price() -> None:
    """B1: free water is a tariff block. With the first 10 m³ free, 41 m³ cost 10,088 - 1,270 = 8,818 F CFA."""
    social = NIGER._replace(version=2, blocks=((10_000, 0), (40_000, 279), (0, 448)))
    assert month_mills(social, 41_000, at(2026, 11, 1, NIAMEY).slot) == 8_818_000
