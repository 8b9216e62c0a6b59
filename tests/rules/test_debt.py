"""The debt plan: whole instalments out of a positive balance, one a local day, never past the ceiling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import errors
from protocol.errors import RuleRefused
from protocol.rules import debt, rating
from protocol.rules.calendar import local_day
from protocol.rules.debt import NEW, DebtState, Plan, collect, instalment
from tests.rules.packs import NIAMEY, NIGER, at

DAY = at(2026, 11, 1, NIAMEY).day
PLAN = Plan(version=1, ceiling_mills=2_500_000, amount_mills=1_000_000, start_day=DAY)


def test_ct_12_a_debt_of_2500_in_instalments_of_1000_is_gone_after_three_days() -> None:
    """CT-12: ceil(2,500 / 1,000) = 3 days, the last instalment is 500, then it stops."""
    state, taken = NEW, []
    for day in range(DAY, DAY + 6):
        before = state.collected_mills
        state = collect(PLAN, state, 9_000_000, day)
        taken.append(state.collected_mills - before)
    assert taken == [1_000_000, 1_000_000, 500_000, 0, 0, 0]
    assert state == DebtState(2_500_000, 3, DAY + 5)


def test_ct_11_two_plans_debit_two_customers_differently() -> None:
    gentle = PLAN._replace(amount_mills=50_000)
    assert instalment(PLAN, 0, 9_000_000, DAY) == 1_000_000
    assert instalment(gentle, 0, 9_000_000, DAY) == 50_000


@pytest.mark.parametrize(
    ("collected", "balance", "day", "due"),
    [
        (0, 1_000_000, DAY, 1_000_000),  # the balance covers it exactly
        (0, 999_999, DAY, 0),  # never partial
        (0, 0, DAY, 0),
        (0, -5, DAY, 0),  # never out of emergency credit
        (0, 9_000_000, DAY - 1, 0),  # the plan has not started
        (2_000_000, 500_000, DAY, 500_000),  # the last one is what is left, and is covered
        (2_000_000, 499_999, DAY, 0),
        (2_500_000, 9_000_000, DAY, 0),  # the ceiling
        (2_600_000, 9_000_000, DAY, 0),  # a newer plan with a lower ceiling takes nothing and gives nothing back
    ],
)
def test_b7_an_instalment_is_whole_or_not_at_all(collected: int, balance: int, day: int, due: int) -> None:
    assert instalment(PLAN, collected, balance, day) == due


def test_b7_a_day_is_decided_once_whatever_the_clock_does() -> None:
    """B7: forward, back and forward again; a top-up later the same day waits for tomorrow."""
    state = collect(PLAN, NEW, 0, DAY)
    assert state == DebtState(0, 0, DAY)
    assert collect(PLAN, state, 9_000_000, DAY) == state
    state = collect(PLAN, state, 9_000_000, DAY + 1)
    for day in (DAY + 1, DAY, DAY - 30, DAY + 1):
        assert collect(PLAN, state, 9_000_000, day) == state


def test_days_slept_through_are_not_made_up() -> None:
    """A meter that wakes after a week takes one instalment, not seven at once."""
    state = collect(PLAN, NEW, 9_000_000, DAY)
    assert collect(PLAN, state, 9_000_000, DAY + 7).collected_mills == 2_000_000


def test_b7_order_of_a_day_standing_charge_then_instalment_then_litres() -> None:
    """A credit of 1,003 F CFA, 5 a day standing: 998 remain, so the instalment of 1,000 is not taken that day."""
    slot = at(2026, 11, 1, NIAMEY).slot
    tariff = NIGER._replace(standing_day=5_000)
    rated = rating.begin_slot(rating.NEW, tariff, slot, True)
    after_charge_mills = 1_003_000 - rated.spent_mills
    assert after_charge_mills == 998_000
    assert collect(PLAN, NEW, after_charge_mills, local_day(slot, NIAMEY)).collected_mills == 0
    assert collect(PLAN, NEW, 1_005_000 - rated.spent_mills, local_day(slot, NIAMEY)).collected_mills == 1_000_000


@given(st.integers(1, 10**9), st.integers(1, 10**7), st.lists(st.integers(-(10**7), 10**8), max_size=40))
def test_b7_r_follows_from_the_plan_and_the_number_of_instalments(
    ceiling: int, amount: int, balances: list[int]
) -> None:
    """The count names R: R = min(ceiling, count x amount). R never falls and never passes the ceiling."""
    plan, state = Plan(1, ceiling, amount, 0), NEW
    for day, balance in enumerate(balances):
        after = collect(plan, state, balance, day)
        assert state.collected_mills <= after.collected_mills <= max(ceiling, 0)
        assert after.collected_mills - state.collected_mills <= max(balance, 0)
        state = after
    assert state.collected_mills == min(ceiling, state.count * amount)


def test_a_plan_travels_in_one_frame() -> None:
    body = debt.encode_body(PLAN)
    assert body == bytes.fromhex("1000 a0cb9801 c0843d c013")
    assert debt.decode_body(1, 0, body) == PLAN
    largest = Plan(65_535, 2**53 - 1, 2**40 - 1, debt.START_DAY_MAX)
    assert len(debt.encode_body(largest)) <= 19
    assert debt.decode_body(65_535, 0, debt.encode_body(largest)) == largest


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"version": 0}, errors.RULE_OUT_OF_RANGE, "version"),
        ({"ceiling_mills": -1}, errors.RULE_OUT_OF_RANGE, "ceiling_mills"),
        ({"ceiling_mills": 2**53}, errors.RULE_OUT_OF_RANGE, "ceiling_mills"),
        ({"amount_mills": 2**40}, errors.RULE_OUT_OF_RANGE, "amount_mills"),
        ({"amount_mills": 1.0}, errors.RULE_NOT_INTEGER, "amount_mills"),
        ({"start_day": debt.START_DAY_MAX + 1}, errors.RULE_OUT_OF_RANGE, "start_day"),
    ],
)
def test_a_plan_outside_its_limits_is_refused(change: dict[str, object], code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        debt.encode_body(PLAN._replace(**change))
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ("", errors.RULE_TRUNCATED, "format"),
        ("2000 01 01 01", errors.RULE_UNKNOWN_FORMAT, "format"),
        ("1100 01 01 01", errors.RULE_UNKNOWN_FORMAT, "format"),
        ("1001 01 01 01", errors.RULE_UNKNOWN_FLAGS, "flags"),
        ("1000 01 01", errors.RULE_TRUNCATED, "start_day"),
        ("1000 01 01 01 00", errors.RULE_NOT_CANONICAL, "body"),
        ("1000 8100 01 01", errors.RULE_NOT_CANONICAL, "body"),
        ("1000 ffffffffffffff1f 01 01", errors.RULE_OUT_OF_RANGE, "ceiling_mills"),
    ],
)
def test_plan_bodies_that_are_not_the_one_encoding_are_refused(body: str, code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        debt.decode_body(1, 0, bytes.fromhex(body))
    assert (refused.value.code, refused.value.field) == (code, field)
