"""Slots lost for good: posted from the meter's own counters and moved on (SEMANTICS C4); R by its ANCHOR (B7)."""

import itertools

import pytest

from headend.billing.plans import set_debt_plan
from headend.ledger.checks import account_balances, check_books
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World, slot_at

DAY = 48
DECEMBER = (slot_at(2026, 12, 1) - START_SLOT) // DAY  # days from the start


def flat(price: int, **others: int) -> dict[str, object]:
    return {"blocks": [[0, price]], "utc_offset_minutes": 60, **others}


def agrees(world: World, meter: VirtualMeter) -> bool:
    """S, R and V of the books are the meter's, and all checks hold."""
    counters = world.rows("SELECT spent_mills, collected_mills, volume_l, frontier_slot FROM meter_state")[0]
    ours = (meter.spent_mills, meter.debt.collected_mills, meter.volume_l, meter.slot)
    return world.reader.read(check_books) == [] and counters == ours


def cases(world: World) -> list[str]:
    return [kind for (kind,) in world.rows("SELECT kind FROM case_file ORDER BY id")]


def segments(world: World) -> list[tuple[int, ...]]:
    columns = "segment_first_slot, segment_slots, segment_volume_l, wallet_mills"
    first = f"SELECT {columns} FROM uplink WHERE wallet_mills IS NOT NULL"
    return world.rows(f"{first} UNION ALL SELECT {columns} FROM segment ORDER BY 1")


def test_c4_litres_and_money_of_lost_slots_are_exact_and_the_next_log_agrees(world: World) -> None:
    """C4: a week is lost across a block edge; the day after it is rated to the mill from where the GAP ends."""
    meter = world.add()
    meter.use([30] * DAY * 9)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.gap(DAY, DAY * 7))
    world.receive(meter, meter.report(DAY * 8, DAY))
    assert agrees(world, meter)
    assert cases(world) == ["slots-lost"]
    assert segments(world)[1][1:3] == (DAY * 7, DAY * 7 * 30)
    assert meter.acked_slot == meter.slot


def test_c4_the_case_says_how_much_went_without_detail(world: World) -> None:
    meter = world.add()
    meter.use([10] * DAY)
    world.receive(meter, meter.gap(0, DAY))
    detail = f'{{"litres": 480, "slot": {START_SLOT}, "slots": 48, "spent_mills": {480 * 127}}}'
    assert world.rows("SELECT kind, detail FROM case_file") == [("slots-lost", detail)]
    assert agrees(world, meter)


def test_c4_any_order_and_any_repetition_ends_in_the_same_books(world: World) -> None:
    """C4, F1: two logs, a GAP and a log, in every order, each twice."""
    frames: list[bytes] = []
    found = set()
    for number, order in enumerate(itertools.permutations(range(4)), start=1):
        meter = world.add(number)
        meter.use([20, 0, 3] * DAY * 2)
        frames = [meter.report(0, 40), meter.gap(40, 100), meter.report(140, 48), meter.report(188, 90)]
        for index in (*order, *order):
            world.lose_answer(meter, frames[index])
        row = world.rows(
            "SELECT frontier_slot, spent_mills, volume_l, metered_position_l, carry_water, waiting FROM meter_state "
            "WHERE meter_id = ?",
            meter.meter_id,
        )[0]
        found.add(row)
        assert row[:3] == (START_SLOT + 278, meter.log[277].spent_mills, sum(item.litres for item in meter.log[:278]))
    assert len(found) == 1
    assert world.reader.read(check_books) == []


def test_c4_a_gap_over_slots_that_are_posted_already_posts_the_rest_only(world: World) -> None:
    """C4: the meter lost a day of which the first half had been heard."""
    meter = world.add()
    meter.use([10] * DAY * 2)
    world.receive(meter, meter.report(0, 24))
    world.receive(meter, meter.gap(0, DAY))
    assert segments(world)[1][:3] == (START_SLOT + 24, 24, 240)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.report(DAY, DAY))
    assert agrees(world, meter)


def test_c4_a_posting_of_lost_slots_crosses_no_month_and_each_month_has_its_litres(world: World) -> None:
    """C4, F1: 20 days over a month's edge; the block position at the end says what of it is December's."""
    meter = world.add()
    meter.use([1] * DAY * (DECEMBER - 10) + [2] * DAY * 10 + [5] * DAY * 10 + [1] * DAY)
    for day in range(DECEMBER - 10):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    world.receive(meter, meter.gap(DAY * (DECEMBER - 10), DAY * 20))
    world.receive(meter, meter.report(DAY * (DECEMBER + 10), DAY))
    assert [row[:3] for row in segments(world)[-3:-1]] == [
        (START_SLOT + DAY * (DECEMBER - 10), DAY * 10, DAY * 20),
        (START_SLOT + DAY * DECEMBER, DAY * 10, DAY * 50),
    ]
    assert agrees(world, meter)


def test_c4_a_posting_of_lost_slots_crosses_no_pack(world: World) -> None:
    """C4, F1: the meter changed its price in the middle of what it lost."""
    world.publish(flat(100), START_SLOT - DAY)
    meter = world.add()
    world.publish(flat(200), START_SLOT + 2 * DAY)
    world.receive(meter, meter.poll())
    meter.use([10] * DAY * 5)
    world.receive(meter, meter.gap(0, DAY * 4))
    world.receive(meter, meter.report(DAY * 4, DAY))
    assert [row[1:] for row in segments(world)[:2]] == [(96, 960, 96_000), (96, 960, 192_000)]
    assert agrees(world, meter)


def test_c4_standing_charges_of_lost_days_are_in_s_and_come_no_second_time(world: World) -> None:
    """C4, B7: day and month of the rating state go on at the end of the GAP."""
    world.publish(flat(127, standing_day=50, standing_month=3_000), START_SLOT - DAY)
    meter = world.add()
    days = DECEMBER + 3
    meter.use([3] * DAY * days)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.gap(DAY, DAY * (days - 2)))
    world.receive(meter, meter.report(DAY * (days - 1), DAY))
    assert agrees(world, meter)
    balances = world.reader.read(account_balances)
    assert balances["fixed"] + balances["water"] == meter.spent_mills


def test_c4_roles_keep_their_parts_over_a_gap(world: World) -> None:
    """C4, B3: water 100, sewer 27 a litre, over a day nobody saw."""
    world.publish(flat(100, sewer_percent=27), START_SLOT - DAY)
    meter = world.add()
    meter.use([7] * DAY * 3)
    for frame in (meter.report(0, DAY), meter.gap(DAY, DAY), meter.report(2 * DAY, DAY)):
        world.receive(meter, frame)
    balances = world.reader.read(account_balances)
    assert (balances["water"], balances["sewer"]) == (7 * 144 * 100, 7 * 144 * 27)
    assert agrees(world, meter)


def test_c4_rating_again_invents_no_correction_for_what_was_not_told(world: World) -> None:
    """C4, B5: a fall known late is credited for the days that were heard, before and after the GAP, and not within."""
    world.publish(flat(127), START_SLOT - DAY)
    meter = world.add()
    meter.use([10] * DAY * 3)
    for frame in (meter.report(0, DAY), meter.gap(DAY, DAY), meter.report(2 * DAY, DAY)):
        world.receive(meter, frame)
    world.publish(flat(100), START_SLOT)
    assert world.one("SELECT max(rating_credit_mills) FROM statement") == 2 * 480 * 27
    assert world.reader.read(check_books) == []
    meter.use([10] * DAY)
    world.lose_answer(meter, meter.report(3 * DAY, DAY))
    assert world.one("SELECT max(rating_credit_mills) FROM statement") == 3 * 480 * 27
    assert world.reader.read(check_books) == []


def test_c4_c2_a_gap_ends_no_unsure_stretch(world: World) -> None:
    """C2, C4: the missed days accrue when a sure slot closes the stretch, once; a GAP on the way is no reason to rate
    again, nor for the checks to say otherwise than the books.
    """
    world.publish(flat(127, standing_day=50, standing_month=3_000), START_SLOT - DAY, "debit")
    meter = world.add()
    meter.use([5] * DAY)
    meter.use([5] * 120, sure=False)
    meter.use([5] * DAY)
    for frame in (meter.report(0, DAY), meter.report(DAY, 60), meter.gap(DAY + 60, 60), meter.report(DAY + 120, DAY)):
        world.receive(meter, frame)
        assert world.reader.read(check_books) == []
    assert agrees(world, meter)
    assert world.rows("SELECT kind FROM entry WHERE kind = 'rating'") == []


def test_c4_c2_a_clock_that_was_found_among_lost_slots_charges_its_days_once(world: World) -> None:
    """C2, C4: the missed days are in S of the GAP; neither M nor T charges them again, whatever becomes known later."""
    world.publish(flat(127, standing_day=50, standing_month=3_000), START_SLOT - DAY, "debit")
    meter = world.add()
    meter.use([5] * DAY)
    meter.use([5] * 60, sure=False)
    meter.use([5] * 108)
    for frame in (meter.report(0, DAY), meter.report(DAY, 40), meter.gap(DAY + 40, 80), meter.report(DAY + 120, DAY)):
        world.receive(meter, frame)
        assert world.reader.read(check_books) == []
    assert cases(world) == ["slots-lost"]
    assert world.rows("SELECT kind FROM entry WHERE kind = 'rating'") == []
    world.publish(flat(100, standing_day=50, standing_month=3_000), START_SLOT - DAY, "debit")
    assert world.one("SELECT max(rating_credit_mills) FROM statement") == (88 + DAY) * 5 * 27
    assert agrees(world, meter)


def test_c4_instalments_of_lost_days_are_counted_beyond_what_six_bits_tell(world: World) -> None:
    """C4, B7: 70 instalments within a GAP; R tells what the count cannot."""
    meter = world.add()
    world.pay(meter.number, 90_000, "t")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 10_000_000, 100_000, 0))
    world.receive(meter, meter.poll())
    meter.use([1] * DAY * 72)
    for frame in (meter.report(0, DAY), meter.gap(DAY, DAY * 70), meter.report(DAY * 71, DAY)):
        world.receive(meter, frame)
    assert world.one("SELECT instalments FROM meter_state") == 72
    assert cases(world) == ["slots-lost"]
    assert agrees(world, meter)


def test_c4_an_s_that_fell_is_believed_in_no_gap_either(world: World) -> None:
    """A4, A1: the meter is quarantined and nothing is posted."""
    meter = world.add()
    meter.use([50] * DAY * 2)
    world.receive(meter, meter.report(0, DAY))
    meter.log[-1] = meter.log[-1].__class__(*[*vars_of(meter.log[-1])[:4], 5, *vars_of(meter.log[-1])[5:]])
    world.receive(meter, meter.gap(DAY, DAY))
    assert world.one("SELECT state FROM meter") == "quarantined"
    assert cases(world) == ["went-back"]
    assert world.reader.read(check_books) == []


def vars_of(slot: object) -> list[int]:
    return [getattr(slot, name) for name in slot.__slots__]  # type: ignore[attr-defined]


def test_c4_a_gap_that_does_not_begin_where_the_books_stand_is_a_case_and_is_posted(world: World) -> None:
    """C4: V and S are whole at the end, so the books move on; a person looks at the difference."""
    meter = world.add()
    meter.use([10] * DAY * 2)
    world.receive(meter, meter.report(0, DAY))
    meter.log[DAY - 1] = meter.log[DAY - 1].__class__(
        *[*vars_of(meter.log[DAY - 1])[:4], 1, *vars_of(meter.log[0])[5:]]
    )
    world.receive(meter, meter.gap(DAY, DAY))
    assert sorted(cases(world)) == ["divergent", "slots-lost"]
    assert agrees(world, meter)


@pytest.mark.parametrize("first", ["gap", "log"])
def test_c4_the_start_of_a_supply_may_be_lost_too(world: World, first: str) -> None:
    """C4, F1: the first day is lost before anything was heard."""
    meter = world.add()
    meter.use([10] * DAY * 2)
    frames = [meter.gap(0, DAY), meter.report(DAY, DAY)]
    for frame in frames if first == "gap" else reversed(frames):
        world.lose_answer(meter, frame)
    assert agrees(world, meter)


# ---- R by the ANCHOR -----------------------------------------------------------------------------------------------


def with_two_plans(world: World) -> VirtualMeter:
    """A meter that took the second of two plans at once, while every DEVICE that told of it was lost."""
    meter = world.add()
    world.pay(meter.number, 90_000, "t")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 5_000_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    world.receive(meter, meter.device())
    world.receive(meter, meter.report(0, DAY))
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d2", 5_000_000, 300_000, 0))
    world.receive(meter, meter.poll())
    meter.use([5] * DAY * 3)
    return meter


@pytest.mark.parametrize("anchor_first", [True, False])
def test_b7_an_anchor_at_the_frontier_says_what_r_is(world: World, anchor_first: bool) -> None:
    """B7: the books made three instalments of the first plan; the meter took those of the second."""
    meter = with_two_plans(world)
    logs = [meter.report(DAY * day, DAY) for day in (1, 2, 3)]
    for frame in [meter.anchor(), *logs] if anchor_first else [*logs, meter.anchor()]:
        world.lose_answer(meter, frame)
    assert meter.debt.collected_mills == 1_900_000
    assert agrees(world, meter)
    assert cases(world) == []
    assert world.rows("SELECT kind, memo FROM entry WHERE kind = 'instalments'") == [
        ("instalments", f"R as the meter told it at slot {meter.slot}")
    ]
    assert world.reader.read(account_balances)["receivable/1"] == 10_000_000 - 1_900_000


@pytest.mark.parametrize("slots_after_midnight", [4, 0])
def test_b7_r_of_an_anchor_holds_where_its_log_reaches_further_on_the_same_day(
    world: World, slots_after_midnight: int
) -> None:
    """B7: a daily ANCHOR runs two half-hours ahead of its report. Where a local day begins between, an instalment may.

    Found by worlds (restore, seed 505): each ANCHOR was passed by, and R in the books stayed wrong for ever.
    """
    meter = with_two_plans(world)
    meter.use([5] * slots_after_midnight)
    anchor = meter.anchor()
    meter.use([5] * 2)
    runs = ((DAY, DAY), (2 * DAY, DAY), (3 * DAY, 20), (3 * DAY + 20, 28 + slots_after_midnight + 2))
    for frame in (anchor, *(meter.report(*run) for run in runs)):
        world.lose_answer(meter, frame)
    same_day = slots_after_midnight > 0
    assert agrees(world, meter) == same_day
    assert len(world.rows("SELECT 1 FROM entry WHERE kind = 'instalments'")) == same_day
    assert cases(world) == []
    assert world.reader.read(check_books) == []


def test_b7_a_first_plan_that_came_after_an_anchor_is_not_taken_back_by_it(world: World) -> None:
    """B7: the first instalment of all is decided when its plan comes, between the ANCHOR and the end of its log."""
    meter = world.add()
    world.pay(meter.number, 90_000, "t")
    meter.use([5] * DAY)
    world.receive(meter, meter.device())
    world.receive(meter, meter.report(0, DAY))
    meter.use([5] * 4)
    world.lose_answer(meter, meter.anchor())
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 5_000_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    meter.debt = meter.debt._replace(day=-1)  # without a plan the device decides no day
    meter.use([5] * 2)
    world.receive(meter, meter.report(DAY, 6))
    assert meter.debt.collected_mills == 1_000_000
    assert agrees(world, meter)
    assert world.rows("SELECT 1 FROM entry WHERE kind = 'instalments'") == []


def test_b7_an_anchor_beyond_its_plans_is_a_case_and_is_not_believed(world: World) -> None:
    """B7: R is bounds-checked; the same difference is one case however often it is told."""
    meter = with_two_plans(world)
    for day in (1, 2, 3):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    known_mills = world.one("SELECT collected_mills FROM meter_state")
    meter.debt = meter.debt._replace(collected_mills=8_000_000)
    for _ in range(2):
        world.receive(meter, meter.anchor())
    assert cases(world) == ["debt-bounds"]
    assert world.one("SELECT collected_mills FROM meter_state") == known_mills
    assert world.one("SELECT state FROM meter") == "active"
    assert world.reader.read(check_books) == []


def test_b7_an_anchor_that_the_frontier_passed_by_is_forgotten(world: World) -> None:
    """B7: R in the middle of a log is not known to the books, so nothing can be compared there."""
    meter = world.add()
    meter.use([5] * 10)
    world.receive(meter, meter.anchor())
    assert world.one("SELECT anchor_slot FROM meter_state") == 0, "before any log nothing is known"
    world.receive(meter, meter.report(0, 5))
    world.receive(meter, meter.anchor())
    assert world.one("SELECT anchor_slot FROM meter_state") == START_SLOT + 10
    meter.use([5] * 10)
    world.receive(meter, meter.report(5, 15))
    assert world.one("SELECT anchor_slot FROM meter_state") == 0
    assert agrees(world, meter)
