"""What holds for every tariff and every history: additivity, monotony, conservation, idempotence, order."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.rules import rating
from protocol.rules.calendar import Offsets
from protocol.rules.rating import MILL, RatingState
from protocol.rules.tariff import Tariff, check, decode_body, encode_body
from protocol.wire.limits import BODY_MAX

SLOTS = st.integers(100_000, 160_000)
LITRES = st.integers(0, 65_535)


@st.composite
def tariffs(draw: st.DrawFn, offsets: Offsets | None = None) -> Tariff:
    scale = draw(st.integers(0, 4))
    money = st.integers(0, 10 ** draw(st.integers(0, 7)))
    uptos = sorted(draw(st.sets(st.integers(1, 60_000), max_size=5)))
    blocks = (*((upto, draw(money)) for upto in uptos), (0, draw(money)))
    if offsets is None:
        offsets = Offsets(15 * draw(st.integers(-48, 56)), ())
    households, charges = draw(st.integers(1, 9)), draw(st.tuples(money, money, money))
    return check(Tariff(1, 100_000, scale, offsets, households, charges[0], blocks, charges[1], charges[2]))


STATES = st.builds(
    RatingState,
    spent_mills=st.integers(0, 2**50),
    remainder=st.integers(0, MILL - 1),
    day=st.integers(2_000, 3_500),
    month=st.integers(2025 * 12, 2029 * 12),
    position_l=st.integers(0, 600_000),
)


def exact(state: RatingState) -> int:
    """S with its remainder, in ten-thousandths of a mill."""
    return int(state.spent_mills * MILL + state.remainder)


@given(tariffs(), STATES, LITRES, LITRES)
def test_ct_07_cost_of_a_plus_b_is_cost_of_a_plus_cost_of_b_after_a(
    tariff: Tariff, state: RatingState, a: int, b: int
) -> None:
    """CT-07, D03: it does not matter where a half-hour, a report or a crash cuts the flow."""
    assert rating.spend(state, tariff, a + b) == rating.spend(rating.spend(state, tariff, a), tariff, b)


@given(tariffs(), STATES, LITRES, LITRES)
def test_more_water_never_costs_less(tariff: Tariff, state: RatingState, a: int, b: int) -> None:
    less, more = sorted((a, b))
    assert exact(rating.spend(state, tariff, less)) <= exact(rating.spend(state, tariff, more))


@given(tariffs(), STATES, SLOTS, LITRES, st.booleans())
def test_s_and_remainder_never_fall_and_the_remainder_stays_below_a_mill(
    tariff: Tariff, state: RatingState, slot: int, litres: int, sure: bool
) -> None:
    after = rating.rate_slot(state, tariff, slot, litres, sure)
    assert exact(after) >= exact(state)
    assert 0 <= after.remainder < MILL
    assert after.day >= state.day and after.month >= state.month


@given(tariffs(), STATES, SLOTS, LITRES, st.booleans())
def test_b3_the_lines_sum_to_the_rise_of_s_to_the_last_ten_thousandth(
    tariff: Tariff, state: RatingState, slot: int, litres: int, sure: bool
) -> None:
    lines = rating.charge_lines(state, tariff, slot, litres, sure)
    after = rating.rate_slot(state, tariff, slot, litres, sure)
    assert sum(line.amount for line in lines) == exact(after) - exact(state)
    assert sum(line.quantity for line in lines if line.kind == rating.WATER) == litres
    assert all(line.quantity > 0 for line in lines)


@given(tariffs(), STATES, SLOTS, st.integers(-3_000, 3_000))
def test_b7_accrual_is_idempotent_and_a_step_back_is_free(
    tariff: Tariff, state: RatingState, slot: int, step: int
) -> None:
    once = rating.begin_slot(state, tariff, slot, True)
    assert rating.begin_slot(once, tariff, slot, True) == once
    if step <= 0:
        assert rating.begin_slot(once, tariff, slot + step, True) == once


@given(tariffs(), SLOTS, st.lists(st.integers(1, 2_000), min_size=1, max_size=6))
def test_b7_waking_every_day_or_once_accrues_the_same(tariff: Tariff, slot: int, steps: list[int]) -> None:
    """Absences within a year: stepping through them and jumping over them end in the same place."""
    start = rating.begin_slot(rating.NEW, tariff, slot, True)
    stepped = start
    for step in steps:
        slot += step
        stepped = rating.begin_slot(stepped, tariff, slot, True)
    assert rating.begin_slot(start, tariff, slot, True) == stepped


@given(tariffs(), STATES, SLOTS, LITRES)
def test_c2_an_unsure_slot_costs_its_litres_and_nothing_else(
    tariff: Tariff, state: RatingState, slot: int, litres: int
) -> None:
    assert rating.rate_slot(state, tariff, slot, litres, False) == rating.spend(state, tariff, litres)


@given(tariffs(), STATES, SLOTS, LITRES)
def test_order_standing_charges_come_before_the_litres_of_their_slot(
    tariff: Tariff, state: RatingState, slot: int, litres: int
) -> None:
    """In a month's first slot the block position has returned to zero before the first litre is priced."""
    begun = rating.begin_slot(state, tariff, slot, True)
    after = rating.rate_slot(state, tariff, slot, litres, True)
    assert after == rating.spend(begun, tariff, litres)
    assert begun.position_l == (0 if begun.month > state.month else state.position_l)


@given(tariffs(Offsets(60, ())), st.integers(0, 4))
def test_a_finer_scale_of_the_same_prices_costs_the_same(tariff: Tariff, finer: int) -> None:
    """127 at scale 0 and 1,270,000 at scale 4 are one price."""
    if tariff.scale + finer > 4:
        finer = 4 - tariff.scale
    times = 10**finer
    scaled = tariff._replace(
        scale=tariff.scale + finer,
        minimum=tariff.minimum * times,
        blocks=tuple((upto, price * times) for upto, price in tariff.blocks),
        standing_day=tariff.standing_day * times,
        standing_month=tariff.standing_month * times,
    )
    for litres in (1, 999, 77_777):
        assert rating.rate_slot(rating.NEW, tariff, 120_000, litres, True) == rating.rate_slot(
            rating.NEW, scaled, 120_000, litres, True
        )


@given(tariffs())
def test_every_tariff_within_the_limits_is_the_same_after_its_journey(tariff: Tariff) -> None:
    body = encode_body(tariff)
    assert len(body) <= BODY_MAX
    assert decode_body(tariff.version, tariff.from_slot, body) == tariff
