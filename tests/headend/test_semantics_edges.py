"""Where truncated fields wrap, echoes are old, logs begin oddly: the books follow the meter, or a case opens."""

from dataclasses import replace

import pytest

from headend.billing.slots import RatedSlot, spread_unsure
from headend.ingest.hear import echoed
from headend.ledger.checks import account_balances, check_books
from headend.meters.retirement import retire_meter
from headend.refusals import Code, Refused
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIGER, START_SLOT, World, slot_at

DAY = 48


def flat(price: int, **others: int) -> dict[str, object]:
    return {"blocks": [[0, price]], "utc_offset_minutes": 60, **others}


def agree(world: World, meter: VirtualMeter) -> bool:
    """No case, no fault, and S, R and V of the books are the meter's."""
    counters = world.rows("SELECT spent_mills, collected_mills, volume_l FROM meter_state")[0]
    no_case = world.one("SELECT count(*) FROM case_file") == 0
    ours = (meter.spent_mills, meter.debt.collected_mills, meter.volume_l)
    return no_case and world.reader.read(check_books) == [] and counters == ours


def test_b8_s_is_rebuilt_though_it_wraps_hundreds_of_times_a_day_and_v_wraps_in_a_silence(world: World) -> None:
    """B8, SPEC 8: 90 days unheard at 16,000 units a litre, then every second day first."""
    world.publish(flat(16_000_000), START_SLOT - DAY)
    meter = world.add()
    meter.use([300] * DAY * 90)
    for day in (*range(0, 90, 2), *range(1, 90, 2)):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    assert meter.spent_mills > 2**24 * 1_000_000
    assert meter.volume_l > 2**16 * 19
    assert agree(world, meter)


def test_b8_an_echo_of_six_bits_is_what_was_sent_last_or_what_was_known() -> None:
    """B8: 70 payments while the meter heard nothing: its 5 is a 5, not a 69; once it heard, its 6 is a 70."""
    assert echoed(last=5, known=4, statement6=5) == 5
    assert echoed(last=70, known=5, statement6=5) == 5
    assert echoed(last=70, known=5, statement6=70 & 63) == 70
    assert echoed(last=6, known=6, statement6=5) == 5, "a log that was long on its way"


def test_b8_the_balance_at_the_cut_is_right_after_seventy_unheard_statements(world: World) -> None:
    """B8: what the meter holds, not what we wish it held."""
    meter = world.add()
    world.pay(meter.number, 500, "first")
    world.receive(meter, meter.poll())
    meter.use([5] * DAY * 3)
    world.lose_answer(meter, meter.report(0, DAY))
    for number in range(70):
        world.pay(meter.number, 100, f"t{number}")
    for day in (1, 2):
        world.receive(meter, meter.report(DAY * day, DAY))
        expected = 500_000 + (7_000_000 if day == 2 else 0) - 5 * DAY * (day + 1) * 127
        assert world.one("SELECT balance_mills FROM meter_link") == expected
    assert agree(world, meter)


def test_b4_four_bits_name_a_pack_though_seventeen_wait_for_later(world: World) -> None:
    """B4, SPEC 8: the pack that rated a slot is none that begins after it."""
    meter = world.add()
    meter.use([5] * DAY * 2)
    for number in range(17):
        world.publish(flat(200 + number), START_SLOT + DAY * (200 + number))
    for day in range(2):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    assert world.one("SELECT pack_version FROM meter_state") == 1
    assert agree(world, meter)


def test_b5_the_same_price_by_other_roles_reaches_the_roles_though_the_meter_never_hears_of_it(world: World) -> None:
    """B5, F2: 127 of water become 100 of water and 27 of sewer; nobody pays more, but the sewer gets its part."""
    world.publish(flat(127), START_SLOT - DAY)
    meter = world.add()
    world.publish(flat(100, sewer_percent=27), START_SLOT + DAY)
    meter.use([5] * DAY * 3)
    for day in range(3):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    balances = world.reader.read(account_balances)
    assert (balances["water"], balances["sewer"]) == (240 * 127 + 480 * 100, 480 * 27)
    assert world.one("SELECT count(*) FROM statement WHERE number > 0") == 0
    assert agree(world, meter)


def test_f1_a_log_that_waits_keeps_the_pack_it_came_with(world: World) -> None:
    """F1, B4: sixteen tariffs were published between a log's coming and its posting."""
    meter = world.add()
    meter.use([5] * DAY * 2)
    world.lose_answer(meter, meter.report(DAY, DAY))
    for number in range(16):
        dearer_later = {**NIGER, "blocks": [[10_000, 127], [40_000, 279], [0, 449 + number]]}
        world.publish(dearer_later, START_SLOT - DAY * 40)
    world.lose_answer(meter, meter.report(0, DAY))
    assert world.one("SELECT pack_version FROM meter_state") == 1
    assert agree(world, meter)


def test_b4_a_tariff_that_its_meter_must_ignore_does_not_hold_up_the_next(world: World) -> None:
    """B4, D1: 2 acts already when 3, from before it, was published; 4 must still arrive."""
    world.publish(flat(150), START_SLOT + DAY, "debit")
    meter = world.add()
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    meter.use([5] * DAY)
    for day in range(2):
        world.receive(meter, meter.report(DAY * day, DAY))
    assert world.one("SELECT pack_version FROM meter_state") == 2
    world.publish(flat(140), START_SLOT + DAY // 2)
    world.publish(flat(160), START_SLOT + 3 * DAY)
    assert world.rows("SELECT from_slot FROM pack WHERE kind = 3 AND version > 2 ORDER BY version") == [
        (START_SLOT + DAY // 2,),
        (START_SLOT + 3 * DAY,),
    ]
    world.receive(meter, meter.poll())
    assert [pack.blocks[0][1] for pack in meter.packs][-1] == 160


def test_f1_a_supply_begins_with_its_first_log_even_if_the_second_comes_first(world: World) -> None:
    """F1: no water flowed, so V tells nothing; the standing charge of the first day tells that a log is missing."""
    world.publish(flat(127, standing_day=50), START_SLOT - DAY)
    meter = world.add()
    meter.use([0] * DAY * 2)
    world.lose_answer(meter, meter.report(DAY, DAY))
    assert world.one("SELECT started FROM meter_state") == 0
    world.lose_answer(meter, meter.report(0, DAY))
    assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + 2 * DAY
    assert agree(world, meter)


@pytest.mark.parametrize("told", [True, False])
def test_a4_a_meter_opened_over_the_air_begins_in_a_later_log_generation(world: World, told: bool) -> None:
    """A4, C1: it had logged before its OPENING; DEVICE says where its log begins, or the first whole log does."""
    meter = world.add()
    meter.new_log_generation(START_SLOT + 10)
    meter.use([5] * DAY)
    if told:
        world.receive(meter, meter.device())
    world.receive(meter, meter.report(0, DAY))
    assert meter.acked_slot == START_SLOT + 10 + DAY
    assert agree(world, meter)


def rated(slot: int, sure: bool) -> RatedSlot:
    return RatedSlot(slot, 1, 1, sure)


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        # The meter never had a clock: its three slots were the last three before it got one.
        ([(0, 0), (1, 0), (2, 0), (9_000, 1)], [8_997, 8_998, 8_999, 9_000]),
        ([(8_998, 0), (8_999, 0), (9_000, 1)], [8_998, 8_999, 9_000]),
        # Its clock was found to have run ahead: more slots than there was time for, and none of them in the future.
        ([(10, 1), (11, 0), (12, 0), (13, 0), (12, 1)], [10, 10, 10, 11, 12]),
        ([(10, 1), (11, 0), (90, 0), (5, 1)], [10, 10, 10, 5]),
        # Slots counted by elapsed time between two sure ones keep their numbers.
        ([(10, 1), (11, 0), (12, 0), (90, 1)], [10, 11, 12, 90]),
    ],
)
def test_c2_unsure_slots_are_dated_between_the_sure_ones(slots: list[tuple[int, int]], expected: list[int]) -> None:
    """C2: a day that never was must not accrue a standing charge."""
    spread = spread_unsure([rated(slot, bool(sure)) for slot, sure in slots])
    assert [item.slot for item in spread] == expected
    assert sum(item.litres for item in spread) == len(slots)


def test_a4_a_meter_that_lost_its_state_is_quarantined_whatever_its_log_generation(world: World) -> None:
    """A4: both flash copies gone, it counts from zero in a new log generation. No OPENING, no free water."""
    meter = world.add()
    meter.use([50] * DAY)
    late = meter.anchor()
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, late)
    assert world.one("SELECT state FROM meter") == "active", "an ANCHOR that was long on its way proves nothing"
    meter.new_log_generation(meter.slot)
    meter.rating = meter.rating._replace(spent_mills=0)
    world.receive(meter, meter.anchor())
    assert world.one("SELECT state FROM meter") == "quarantined"
    assert world.rows("SELECT kind FROM case_file") == [("went-back",)]
    assert world.reader.read(check_books) == []


def test_a_log_under_a_lost_pack_is_one_case_and_the_pack_is_sent_again(world: World) -> None:
    """B4: a meter that lost its packs says so in DEVICE; its log is sent again and again, and opens one case."""
    meter = world.add()
    meter.use([5] * DAY)
    lost = [replace(item, pack=0) for item in meter.log]
    meter.log = lost
    for count in (7, 8, 9):
        world.lose_answer(meter, meter.report(0, count))
    assert world.rows("SELECT kind FROM case_file") == [("pack-unknown",)]
    held, meter.packs = meter.packs, [meter.packs[0]._replace(version=0)]
    answer = world.lose_answer(meter, meter.device())
    meter.packs = held
    assert answer.reply is not None
    assert 3 in [item.type for item in answer.reply.messages], "the TARIFF"


def test_a_tariff_with_another_standard_time_is_refused(world: World) -> None:
    """SPEC 9: slots of the old pack, sent under the new one, would be read with the wrong phase."""
    before = world.one("SELECT count(*) FROM tariff")
    with pytest.raises(Refused) as refused:
        world.publish({"blocks": [[0, 127]], "utc_offset_minutes": 180}, slot_at(2026, 12, 1))
    assert (refused.value.code, refused.value.field) == (Code.TARIFF_PRINTED, "utc_offset_minutes")
    assert world.one("SELECT count(*) FROM tariff") == before


def test_money_for_a_quarantined_meter_is_credited_and_for_a_retired_one_waits(world: World) -> None:
    """A4, P5: a quarantined meter still has its wallet; a retired one has none any more."""
    meter = world.add()
    world.writer.run(lambda tx: tx.cursor.execute("UPDATE meter SET state = 'quarantined'") and None)
    world.pay(meter.number, 500, "quarantined")
    assert world.one("SELECT max(credited_mills) FROM statement") == 500_000
    world.writer.run(lambda tx: retire_meter(tx, meter.meter_id))
    world.pay(meter.number, 500, "retired")
    assert world.one("SELECT max(credited_mills) FROM statement") == 500_000
    assert world.rows("SELECT outcome FROM payment ORDER BY id") == [("credited",), ("suspense",)]
    assert world.reader.read(check_books) == []
