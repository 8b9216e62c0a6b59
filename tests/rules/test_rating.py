"""The rating kernel by example: order in a day, missed days, unsure slots, clock steps, remainder, decomposition."""

import pytest

from protocol.errors import RULE_COUNTER_FULL, RULE_NOT_INTEGER, RULE_OUT_OF_RANGE, RuleRefused
from protocol.rules import rating
from protocol.rules.rating import MINIMUM, NEW, STANDING_DAY, STANDING_MONTH, WATER, Line, RatingState
from protocol.wire.limits import MILLS_MAX
from tests.rules.packs import KATHMANDU, KIAMBU, NAIROBI, NIAMEY, NIGER, at, pack

NOVEMBER = at(2026, 11, 1, NIAMEY)
RENT = pack(((0, 0),), standing_day=5_000, standing_month=300_000)


def test_b7_the_first_slot_of_a_day_accrues_the_standing_charge_and_the_others_nothing() -> None:
    """B7: 5 F CFA a day; the first slot ever also owes its month."""
    state = NEW
    for slot in range(NOVEMBER.slot, NOVEMBER.slot + 48):
        state = rating.begin_slot(state, RENT, slot, True)
        assert state.spent_mills == 305_000
    assert rating.begin_slot(state, RENT, NOVEMBER.slot + 48, True).spent_mills == 310_000


def test_ct_09_a_monthly_charge_comes_once_a_local_month_though_the_meter_was_off() -> None:
    """CT-09 (the part without proration): off from 5 November to 9 January owes December and January, once each."""
    rent = pack(((0, 0),), standing_month=300_000)
    state = rating.begin_slot(NEW, rent, at(2026, 11, 5, NIAMEY).slot, True)
    assert state.spent_mills == 300_000
    state = rating.begin_slot(state, rent, at(2027, 1, 9, NIAMEY).slot, True)
    assert state.spent_mills == 900_000
    assert rating.begin_slot(state, rent, at(2027, 1, 31, NIAMEY).slot, True).spent_mills == 900_000


def test_b7_a_meter_that_slept_five_days_owes_five_days() -> None:
    state = rating.begin_slot(NEW, RENT, at(2026, 11, 1, NIAMEY).slot, True)
    woken = rating.begin_slot(state, RENT, at(2026, 11, 6, NIAMEY).slot + 17, True)
    assert woken.spent_mills - state.spent_mills == 5 * 5_000


def test_b7_no_clock_step_accrues_a_day_twice() -> None:
    """B7: forward to the 9th, back to the 3rd, forward again: eight days after the 1st, not fourteen."""
    state = rating.begin_slot(NEW, RENT, at(2026, 11, 1, NIAMEY).slot, True)
    for day_of_month in (9, 3, 4, 8, 9, 1, 9):
        state = rating.begin_slot(state, RENT, at(2026, 11, day_of_month, NIAMEY).slot, True)
    assert state.spent_mills == 305_000 + 8 * 5_000


def test_a_step_back_into_last_month_neither_charges_it_again_nor_restores_its_blocks() -> None:
    december = at(2026, 12, 1, NAIROBI).slot
    state = rating.rate_slot(NEW, KIAMBU, december, 6_500, True)
    back = rating.begin_slot(state, KIAMBU, december - 1, True)
    assert back == state
    assert rating.begin_slot(back, KIAMBU, december, True) == state


def test_c2_an_unsure_slot_executes_no_boundary() -> None:
    """C2: over a month's end litres go on in the old month's block; the first sure slot makes up day and month."""
    november, december = at(2026, 11, 30, NAIROBI).slot, at(2026, 12, 1, NAIROBI).slot
    state = rating.rate_slot(NEW, KIAMBU, november, 19_999, True)
    unsure = rating.rate_slot(state, KIAMBU, december, 2, False)
    assert unsure.spent_mills - state.spent_mills == 11_375 + 14_000
    assert (unsure.month, unsure.position_l) == (state.month, 20_001)
    sure = rating.begin_slot(unsure, KIAMBU, december + 1, True)
    assert sure.spent_mills - unsure.spent_mills == 57_750_000
    assert (sure.month, sure.position_l) == (state.month + 1, 0)


@pytest.mark.parametrize("years", [30, 900])
def test_a_clock_decades_ahead_costs_a_year_at_most_and_at_once(years: int) -> None:
    """The jump is one multiplication, capped at 366 days and 12 months; coming home charges nothing."""
    state = rating.begin_slot(NEW, RENT, NOVEMBER.slot, True)
    far = rating.begin_slot(state, RENT, NOVEMBER.slot + years * 17_532, True)
    assert far.spent_mills - state.spent_mills == 366 * 5_000 + 12 * 300_000
    home = rating.begin_slot(far, RENT, NOVEMBER.slot + 48, True)
    assert home == far


def test_a_clock_decades_behind_charges_nothing() -> None:
    state = rating.begin_slot(NEW, RENT, NOVEMBER.slot, True)
    assert rating.begin_slot(state, RENT, 0, True) == state


def test_a_year_of_absence_is_still_charged_in_full() -> None:
    """366 days in a leap year: the longest absence charged day by day."""
    state = rating.begin_slot(NEW, RENT, at(2027, 11, 1, NIAMEY).slot, True)
    back = rating.begin_slot(state, RENT, at(2028, 11, 1, NIAMEY).slot, True)
    assert back.spent_mills - state.spent_mills == 366 * 5_000 + 12 * 300_000


def test_b2_the_slot_over_midnight_at_utc_plus_5_45_is_priced_in_the_old_month() -> None:
    """B2, D01: at UTC+5:45 a month's last slot begins at 23:45 and runs into the new month."""
    nepal = KIAMBU._replace(offsets=KATHMANDU)
    over = at(2026, 12, 1, KATHMANDU).slot - 1
    state = rating.rate_slot(NEW, nepal, over, 6_001, True)
    assert state.spent_mills == 57_750_000 + 11_375
    assert rating.rate_slot(state, nepal, over + 1, 6_000, True).spent_mills == 2 * 57_750_000 + 11_375


def test_b2_litres_of_one_slot_are_split_exactly_at_every_edge_they_cross() -> None:
    """B2, CT-07: 41 m³ in one half-hour cost what they cost drop by drop."""
    lines = rating.charge_lines(NEW, NIGER, NOVEMBER.slot, 41_000, True)
    assert lines == [
        Line(WATER, 0, 10_000, 10_000 * 127 * 10_000),
        Line(WATER, 1, 30_000, 30_000 * 279 * 10_000),
        Line(WATER, 2, 1_000, 1_000 * 448 * 10_000),
    ]


def test_d05_exactly_at_an_edge_the_next_litre_is_the_next_block_and_no_line_is_empty() -> None:
    """D05: 10 m³ used; the full block leaves no line of 0 litres behind."""
    state = rating.rate_slot(NEW, NIGER, NOVEMBER.slot, 10_000, True)
    assert rating.charge_lines(state, NIGER, NOVEMBER.slot, 5, True) == [Line(WATER, 1, 5, 5 * 279 * 10_000)]
    assert rating.charge_lines(state, NIGER, NOVEMBER.slot, 0, True) == []


def test_b2_a_pack_may_change_inside_a_month_and_the_block_position_stays() -> None:
    """B2: 10 m³ used under the old pack are 10 m³ used; the dearer second block of the new one begins at once."""
    dearer = NIGER._replace(version=2, blocks=((10_000, 130), (40_000, 300), (0, 500)))
    state = rating.rate_slot(NEW, NIGER, NOVEMBER.slot, 10_000, True)
    assert rating.rate_slot(state, dearer, NOVEMBER.slot + 96, 1, True).spent_mills == 1_270_000 + 300


def test_a_minimum_that_a_new_pack_brings_falls_due_with_the_next_month() -> None:
    plain, with_minimum = KIAMBU._replace(minimum=0), KIAMBU._replace(version=2)
    state = rating.begin_slot(NEW, plain, at(2026, 11, 1, NAIROBI).slot, True)
    state = rating.begin_slot(state, with_minimum, at(2026, 11, 15, NAIROBI).slot, True)
    assert state.spent_mills == 0
    assert rating.begin_slot(state, with_minimum, at(2026, 12, 1, NAIROBI).slot, True).spent_mills == 57_750_000


def test_b3_the_remainder_below_a_mill_crosses_packs_slots_and_months() -> None:
    """B3: three litres at 0.3333 mill are 0.9999; one at scale 1 for 0.1 mill completes the mill in December."""
    fine = pack(((0, 3_333),), scale=4)
    coarse = pack(((0, 1),), scale=1, version=2)
    state = NEW
    for number in range(3):
        state = rating.rate_slot(state, fine, NOVEMBER.slot + number, 1, True)
    assert (state.spent_mills, state.remainder) == (0, 9_999)
    state = rating.rate_slot(state, coarse, at(2026, 12, 1, NIAMEY).slot, 1, True)
    assert (state.spent_mills, state.remainder) == (1, 999)


def test_d10_a_thousand_single_litres_cost_one_cubic_metre() -> None:
    fine = pack(((700, 12_345), (0, 67_891)), scale=4)
    drops = rating.begin_slot(NEW, fine, NOVEMBER.slot, True)
    at_once = rating.spend(drops, fine, 1_000)
    for _ in range(1_000):
        drops = rating.spend(drops, fine, 1)
    assert drops == at_once


def test_charge_lines_name_every_charge_and_sum_to_the_rise_of_s() -> None:
    tariff = KIAMBU._replace(standing_day=5_000, standing_month=300_000)
    slot = at(2026, 11, 1, NAIROBI).slot
    lines = rating.charge_lines(NEW, tariff, slot, 6_001, True)
    assert [(line.kind, line.block, line.quantity) for line in lines] == [
        (STANDING_DAY, 0, 1),
        (STANDING_MONTH, 0, 1),
        (MINIMUM, 0, 1),
        (WATER, 0, 6_000),
        (WATER, 1, 1),
    ]
    after = rating.rate_slot(NEW, tariff, slot, 6_001, True)
    assert sum(line.amount for line in lines) == after.spent_mills * rating.MILL + after.remainder


def test_b1_b8_rating_has_no_way_to_see_balance_valve_or_arrival() -> None:
    """B1: the state that rating reads is S, its remainder, the calendar and the block position, nothing more."""
    assert RatingState._fields == ("spent_mills", "remainder", "day", "month", "position_l")


@pytest.mark.parametrize(
    ("litres", "code"), [(-1, RULE_OUT_OF_RANGE), (True, RULE_NOT_INTEGER), (1.5, RULE_NOT_INTEGER)]
)
def test_litres_that_are_no_count_are_refused(litres: int, code: int) -> None:
    with pytest.raises(RuleRefused) as refused:
        rating.spend(NEW, NIGER, litres)
    assert (refused.value.code, refused.value.field) == (code, "litres")


def test_s_stops_at_its_limit_with_a_refusal_and_not_with_a_wrap() -> None:
    """A1: counters stay below 2^53."""
    full = RatingState(MILLS_MAX - 127, 0, NOVEMBER.day, 2026 * 12 + 10, 0)
    assert rating.spend(full, NIGER, 1).spent_mills == MILLS_MAX
    with pytest.raises(RuleRefused) as refused:
        rating.spend(full, NIGER, 2)
    assert (refused.value.code, refused.value.field) == (RULE_COUNTER_FULL, "spent_mills")
