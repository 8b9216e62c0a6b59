"""The checkers find what is wrong: each is shown a right world and planted wrong ones."""

import pytest

from simulator.checkers import Reading, Witness, check_all, divergent

# 200 L at 127 mills, 500 F CFA paid, one day's standing charge of 5 F CFA.
READING = Reading(
    volume_l=200,
    credited_mills=500_000,
    debited_mills=0,
    spent_mills=30_400,
    collected_mills=0,
    balance_mills=469_600,
    valve_open=True,
    slots=48,
)
RIGHT = Witness(
    number=3,
    name="Fati",
    delivered_l=200,
    tap_open=True,
    paid_minor=500,
    answers=(("credited", "duplicate", "duplicate"),),
    priced_mills=30_400,
    corrected_mills=0,
    cases=(),
    meter=READING,
    books=READING,
)


def checks_that_fail(witness: Witness) -> list[str]:
    return sorted({finding.check for finding in check_all([witness])})


def test_a_right_world_has_no_findings() -> None:
    assert check_all([RIGHT, RIGHT._replace(number=4)]) == []


@pytest.mark.parametrize(
    "field", ["volume_l", "credited_mills", "debited_mills", "spent_mills", "collected_mills", "slots"]
)
def test_one_unit_more_on_the_meter_is_found_whatever_the_counter(field: str) -> None:
    wrong = READING._replace(**{field: getattr(READING, field) + 1})
    findings = check_all([RIGHT._replace(meter=wrong)])
    assert "agreement" in {finding.check for finding in findings}
    assert {finding.home for finding in findings} == {3}


def test_meter_and_books_wrong_together_about_water_are_found_by_the_pipe() -> None:
    both = READING._replace(volume_l=199)
    assert checks_that_fail(RIGHT._replace(meter=both, books=both)) == ["water"]


def test_a_balance_that_does_not_follow_from_its_counters_is_found() -> None:
    both = READING._replace(balance_mills=469_601)
    assert checks_that_fail(RIGHT._replace(meter=both, books=both)) == ["money"]


def test_money_paid_and_never_granted_is_found() -> None:
    both = READING._replace(credited_mills=499_999, balance_mills=469_599)
    assert checks_that_fail(RIGHT._replace(meter=both, books=both)) == ["money"]


@pytest.mark.parametrize(
    "answers", [("credited", "credited"), ("duplicate",), (), ("suspense",), ("credited", "duplicate", "suspense")]
)
def test_a_payment_not_credited_exactly_once_is_found(answers: tuple[str, ...]) -> None:
    assert checks_that_fail(RIGHT._replace(answers=(answers,))) == ["exactly_once"]


def test_a_valve_that_is_not_where_both_sides_say_is_found() -> None:
    assert checks_that_fail(RIGHT._replace(tap_open=False)) == ["valve"]


def test_a_valve_the_headend_has_wrong_is_found() -> None:
    assert checks_that_fail(RIGHT._replace(books=READING._replace(valve_open=False))) == ["agreement", "valve"]


def test_a_meter_and_books_wrong_together_by_one_mill_are_found_by_the_price_of_the_pipes_litres() -> None:
    both = READING._replace(spent_mills=30_401, balance_mills=469_599)
    assert checks_that_fail(RIGHT._replace(meter=both, books=both)) == ["price"]


def test_a_late_price_is_right_when_the_correction_makes_up_for_it() -> None:
    """B5, B8: the meter charged 100 mills too much and 100 mills were given back."""
    late = READING._replace(credited_mills=500_100, spent_mills=30_500, balance_mills=469_600)
    assert checks_that_fail(RIGHT._replace(meter=late, books=late, corrected_mills=-100)) == []
    assert checks_that_fail(RIGHT._replace(meter=late, books=late, corrected_mills=-99)) == ["price"]


def test_what_the_headend_itself_found_is_a_finding() -> None:
    assert checks_that_fail(RIGHT._replace(cases=("divergent",))) == ["case"]


def test_divergent_meters_are_counted_once_each() -> None:
    wrong = RIGHT._replace(delivered_l=201, tap_open=False)
    assert divergent([RIGHT._replace(number=1), wrong], check_all([RIGHT._replace(number=1), wrong])) == 1
