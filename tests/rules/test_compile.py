"""From the printed tariff to the pack and its split: the real tariffs, French taxes, rounding, refusals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.billing.compile import (
    PrintedBlock,
    PrintedTariff,
    Roles,
    Tax,
    compile_tariff,
    roles_of_line,
)
from protocol.errors import RULE_NOT_ASCENDING, RULE_NOT_INTEGER, RULE_OUT_OF_RANGE, RuleRefused
from protocol.rules import rating
from protocol.rules.calendar import Offsets
from protocol.rules.tariff import encode_body
from tests.rules.packs import JOHANNESBURG, KIAMBU, MOGALE, NAIROBI, NIAMEY, NIGER

PRINTED_NIGER = PrintedTariff((PrintedBlock(10_000, 127), PrintedBlock(40_000, 279), PrintedBlock(0, 448)), NIAMEY)
# In cents of a shilling.
PRINTED_KIAMBU = PrintedTariff(
    blocks=(
        PrintedBlock(6_000, 0),
        PrintedBlock(20_000, 6_500),
        PrintedBlock(50_000, 8_000),
        PrintedBlock(100_000, 10_000),
        PrintedBlock(300_000, 12_000),
        PrintedBlock(0, 14_000),
    ),
    offsets=NAIROBI,
    minimum=33_000,
    sewer_percent=75,
)
PRINTED_MOGALE = PrintedTariff((PrintedBlock(6_000, 0), PrintedBlock(0, 1_850)), JOHANNESBURG)


@pytest.mark.parametrize(
    ("printed", "pack"),
    [(PRINTED_NIGER, NIGER), (PRINTED_KIAMBU, KIAMBU), (PRINTED_MOGALE, MOGALE)],
    ids=["niger", "kiambu", "mogale"],
)
def test_ct_07_the_printed_tariffs_compile_to_the_packs_of_the_tests(
    printed: PrintedTariff, pack: rating.Tariff
) -> None:
    compiled = compile_tariff(printed, pack.version, pack.from_slot)
    assert compiled.tariff == pack
    assert compiled.is_exact


def test_d09_kiambu_sewer_is_three_sevenths_of_every_price() -> None:
    """D09: 330 KSh of water carry 247.50 of sewer; 65 carry 48.75."""
    split = compile_tariff(PRINTED_KIAMBU, 1, 0).split
    assert split.minimum == Roles(33_000_000, 24_750_000, 0, 0, 0, 0)
    assert split.blocks[1] == Roles(6_500, 4_875, 0, 0, 0, 0)


def test_d09_water_and_sewer_taxed_apart() -> None:
    """D09, France: water 2.00, sewer 1.80, levy 0.42 per m³ at 5.5 % (water, levy) and 10 % (sewer); rent 4.00 a month.

    In cents: 200 + 180 + 42 + 5.5 % x 242 = 13.31 + 10 % x 180 = 18 → 453.31 per m³ = 453.31 mills per litre, scale 2.
    """
    printed = PrintedTariff(
        blocks=(PrintedBlock(0, 200),),
        offsets=Offsets(60, ()),
        sewer_per_m3="180",
        levy_per_m3=42,
        standing_month=400,
        tax1=Tax("5.5", frozenset({"water", "levy", "fixed"})),
        tax2=Tax(10, frozenset({"sewer"})),
    )
    compiled = compile_tariff(printed, 7, 120_000)
    assert compiled.tariff.scale == 2
    assert compiled.tariff.blocks == ((0, 45_331),)
    assert compiled.split.blocks == (Roles(20_000, 18_000, 0, 4_200, 1_331, 1_800),)
    assert compiled.tariff.standing_month == 42_200_000  # 422 cents = 422,000 mills at scale 2
    assert compiled.split.standing_month == Roles(0, 0, 40_000_000, 0, 2_200_000, 0)
    assert compiled.is_exact
    encode_body(compiled.tariff)


def test_d08_a_minimum_is_owed_by_each_household_on_the_tap() -> None:
    printed = PrintedTariff((PrintedBlock(6_000, 0), PrintedBlock(0, 65)), NAIROBI, households=4, minimum=330)
    compiled = compile_tariff(printed, 1, 0)
    assert (compiled.tariff.households, compiled.tariff.minimum) == (4, 4 * 330_000)


def test_b3_a_price_finer_than_a_ten_thousandth_of_a_mill_is_rounded_once_and_said_so() -> None:
    """A third of 100 is 33.3333 at scale 4, a tax of 2 % on it 0.6667; together 34.0000."""
    printed = PrintedTariff((PrintedBlock(0, "100/3"),), NIAMEY, tax1=Tax(2, frozenset({"water"})))
    compiled = compile_tariff(printed, 1, 0)
    assert (compiled.tariff.scale, compiled.tariff.blocks) == (4, ((0, 340_000),))
    assert compiled.split.blocks == (Roles(333_333, 0, 0, 0, 6_667, 0),)
    assert not compiled.is_exact


@pytest.mark.parametrize(("printed", "price"), [("1/3", 3_333), ("2/3", 6_667), ("0.00005", 1), ("0.00004", 0)])
def test_b3_rounding_is_half_up(printed: str, price: int) -> None:
    compiled = compile_tariff(PrintedTariff((PrintedBlock(0, printed),), NIAMEY), 1, 0)
    assert compiled.tariff.blocks == ((0, price),)
    assert not compiled.is_exact


AMOUNTS = st.fractions(min_value=0, max_value=5_000, max_denominator=400)


@given(
    st.lists(AMOUNTS, min_size=1, max_size=4),
    AMOUNTS,
    st.fractions(0, 100, max_denominator=8),
    st.fractions(0, 30, max_denominator=16),
    st.integers(0, 60_000),
)
def test_b3_the_split_sums_to_the_price_and_the_lines_to_their_amounts(
    prices: list[Fraction], minimum: Fraction, sewer: Fraction, tax: Fraction, litres: int
) -> None:
    """Every block and charge, and every line that rating draws from them, is exactly the sum of its roles."""
    edges = [*range(1_000, 1_000 * len(prices), 1_000), 0]
    printed = PrintedTariff(
        blocks=tuple(PrintedBlock(edge, price) for edge, price in zip(edges, prices, strict=True)),
        offsets=NIAMEY,
        minimum=minimum,
        sewer_percent=sewer,
        levy_per_m3="1.25",
        standing_day=3,
        standing_month="199.99",
        tax1=Tax(tax, frozenset({"water", "fixed"})),
        tax2=Tax("7.7", frozenset({"sewer", "levy"})),
    )
    compiled = compile_tariff(printed, 1, 119_806)
    tariff, split = compiled.tariff, compiled.split
    assert tuple(sum(roles) for roles in split.blocks) == tuple(price for _, price in tariff.blocks)
    assert sum(split.minimum) == tariff.minimum
    lines = rating.charge_lines(rating.NEW, tariff, 120_000, litres, True)
    for line in lines:
        roles = roles_of_line(split, line)
        assert sum(roles) == line.amount
        assert min(roles) >= 0


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"blocks": (PrintedBlock(0, 1.5),)}, RULE_NOT_INTEGER, "water_per_m3"),
        ({"blocks": (PrintedBlock(0, "cheap"),)}, RULE_NOT_INTEGER, "water_per_m3"),
        ({"blocks": (PrintedBlock(0, "1e999999999"),)}, RULE_NOT_INTEGER, "water_per_m3"),
        ({"blocks": (PrintedBlock(0, "12 "),)}, RULE_NOT_INTEGER, "water_per_m3"),
        ({"blocks": (PrintedBlock(0, "1/0"),)}, RULE_NOT_INTEGER, "water_per_m3"),
        ({"blocks": (PrintedBlock(0, -1),)}, RULE_OUT_OF_RANGE, "water_per_m3"),
        ({"blocks": (PrintedBlock(9, 1), PrintedBlock(9, 2), PrintedBlock(0, 3))}, RULE_NOT_ASCENDING, "blocks"),
        ({"minimum": True}, RULE_NOT_INTEGER, "minimum"),
        ({"sewer_percent": -75}, RULE_OUT_OF_RANGE, "sewer_percent"),
        ({"standing_day": "-1"}, RULE_OUT_OF_RANGE, "standing_day"),
        ({"tax1": Tax(101, frozenset({"water"}))}, RULE_OUT_OF_RANGE, "tax1"),
        ({"tax2": Tax(10, frozenset({"tax1"}))}, RULE_OUT_OF_RANGE, "tax2"),
        ({"households": 1.5}, RULE_NOT_INTEGER, "households"),
        ({"households": 0}, RULE_OUT_OF_RANGE, "households"),
    ],
)
def test_a_printed_tariff_outside_the_rules_is_refused_by_field(
    change: dict[str, object], code: int, field: str
) -> None:
    fields: dict[str, object] = {"blocks": PRINTED_NIGER.blocks, "offsets": NIAMEY}
    with pytest.raises(RuleRefused) as refused:
        compile_tariff(PrintedTariff(**{**fields, **change}), 1, 0)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == (code, field)
