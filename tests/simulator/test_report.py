"""The report: percentiles of integers, exact money, the file's promises, and a verdict that can be bad."""

import pytest

from simulator.air import Counts
from simulator.checkers import Finding, Reading, Witness
from simulator.report import Ledger, Outcome, as_json, percentile, table

READING = Reading(200, 500_000, 0, 501_500, 0, -1_500, True, 48)
WITNESS = Witness(1, "Fati", 200, True, 500, (("credited",),), 501_500, 0, (), READING, READING)


def outcome(**changes: object) -> Outcome:
    plain = Outcome(
        seed=7,
        days=1,
        interpreters=("micropython 1.29.0.preview",),
        counts=Counts(),
        closures=0,
        reopenings=0,
        topups=1,
        duplicate_callbacks=0,
        meter_kills=1,
        headend_kills=1,
        waits_s=(),
        drain_uplinks={1: 2},
        witnesses=(WITNESS,),
        findings=(),
        ledger=Ledger(True, 3, True),
        left_out=(),
        wall_ms={"live": 1},
    )
    return plain._replace(**changes)


@pytest.mark.parametrize(
    ("values", "p50", "p99"), [([], None, None), ([7], 7, 7), ([9, 1, 5], 5, 9), (list(range(1, 201)), 100, 198)]
)
def test_percentiles_are_values_that_occurred(values: list[int], p50: int | None, p99: int | None) -> None:
    assert (percentile(values, 50), percentile(values, 99)) == (p50, p99)


def test_money_in_the_table_is_exact_also_below_zero() -> None:
    header, meter, books = table(outcome(), "en")
    assert header.split() == ["V", "l", "C", "D", "S", "R", "balance", "valve", "slots"]
    assert table(outcome(), "fr")[0].split()[-3:] == ["solde", "vanne", "demi-heures"]
    assert meter.split() == [
        "1",
        "Fati",
        "meter",
        "200",
        "500.000",
        "0.000",
        "501.500",
        "0.000",
        "-1.500",
        "open",
        "48",
    ]
    assert books.split() == ["books", "200", "500.000", "0.000", "501.500", "0.000", "-1.500", "open", "48"]


def test_a_home_with_a_finding_is_marked_and_counted() -> None:
    wrong = outcome(findings=(Finding("price", 1, "a mill too much"),))
    assert table(wrong, "fr")[1].startswith("≠ 1 Fati")
    assert (wrong.good, wrong.agreeing, as_json(wrong)["divergent_meters"]) == (False, 0, 1)


@pytest.mark.parametrize(
    "ledger", [Ledger(False, 3, True), Ledger(True, 3, False), Ledger(True, 3, True, ("batch 2: hash",))]
)
def test_books_that_do_not_hold_make_a_bad_outcome(ledger: Ledger) -> None:
    assert not outcome(ledger=ledger).good


def test_a_right_world_is_good_and_its_file_says_so() -> None:
    figures = as_json(outcome())
    assert outcome().good
    assert (figures["slots_expected"], figures["slots_stored"], figures["uplinks_to_converge_max"]) == (48, 48, 2)
    assert figures["paid_to_water_s"] == {"p50": None, "p99": None}
    assert figures["bytes_per_uplink_mean"] == 0.0
