"""A new wallet generation of the same meter: nothing is lost, nothing is free, nothing is paid twice (SEMANTICS A4)."""

from typing import Any

import pytest

from headend.billing.plans import set_debt_plan
from headend.ingest.received import Refusal
from headend.ledger.checks import account_balances, check_books
from headend.ledger.payments import reverse_payment
from headend.meters.renewal import renew_meter
from headend.refusals import Code, Refused
from protocol.rules.calendar import slot_start
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World

DAY = 48
CHARGED = {"blocks": [[500, 127], [1_500, 279], [0, 448]], "standing_day": 50, "standing_month": 3_000}


def renewed(world: World, meter: VirtualMeter, at_slot: int, index_l: int | None = None) -> VirtualMeter:
    """The meter as it comes back from the technician: empty, but for what the cable brought."""
    world.clock.set(slot_start(at_slot) * 1_000_000)
    made = world.meter(world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter.meter_id, index_l)))
    made.use([])
    return made


def report_days(world: World, meter: VirtualMeter, days: range) -> None:
    for day in days:
        world.receive(meter, meter.report(DAY * day, DAY))


def spent_in_all(world: World) -> int:
    """What roles were paid, over all wallet generations."""
    balances = world.reader.read(account_balances)
    return sum(balances[role] for role in ("water", "sewer", "fixed", "levy", "tax1", "tax2"))


def sound(world: World) -> bool:
    return world.reader.read(check_books) == []


def test_a4_a_month_with_a_renewal_costs_what_it_costs_without(world: World) -> None:
    """A4, B2: block position, month and day go on; the balance moves; nothing is paid twice."""
    world.publish({**CHARGED, "utc_offset_minutes": 60}, START_SLOT - DAY)
    meter, plain = world.add(1), world.add(2)
    for one in (meter, plain):
        world.pay(one.number, 5_000, f"t{one.number}")
        world.receive(one, one.poll())
        one.use([7] * DAY * 4)
        report_days(world, one, range(4))
    after = renewed(world, meter, meter.slot)
    assert (after.balance_mills, after.slot) == (meter.balance_mills, meter.slot)
    for one in (after, plain):
        one.use([7] * DAY * 4)
    report_days(world, after, range(4))
    report_days(world, plain, range(4, 8))
    assert after.balance_mills == plain.balance_mills
    assert meter.spent_mills + after.spent_mills == plain.spent_mills
    assert spent_in_all(world) == 2 * plain.spent_mills
    assert sound(world)


def test_a4_the_old_wallet_closes_empty_and_paid_money_is_counted_once(world: World) -> None:
    """A3, A4: D of the old and C of the new generation rise by the balance, as moved; `paid` stays where it was."""
    meter = world.add()
    world.pay(meter.number, 1_000, "t1")
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    report_days(world, meter, range(1))
    renewed(world, meter, meter.slot)
    left_mills = 1_000_000 - 240 * 127
    assert world.rows(
        "SELECT generation, paid_mills, moved_in_mills, moved_out_mills FROM statement s WHERE number = "
        "(SELECT max(number) FROM statement l WHERE l.generation = s.generation) ORDER BY generation"
    ) == [(1, 1_000_000, 0, left_mills), (2, 0, left_mills, 0)]
    balances = world.reader.read(account_balances)
    assert balances[f"wallet/{meter.meter_id.hex()}/1"] == balances["moving"] == 0
    assert balances[f"wallet/{meter.meter_id.hex()}/2"] == left_mills
    assert sound(world)


def test_a4_a_negative_balance_moves_too(world: World) -> None:
    """A4, B1: emergency credit that was used is still owed by the next wallet."""
    meter = world.add()
    meter.use([5] * DAY)
    report_days(world, meter, range(1))
    after = renewed(world, meter, meter.slot)
    assert after.balance_mills == -240 * 127
    assert sound(world)


def test_a4_the_old_keys_open_nothing_any_more_and_a_payment_reaches_the_new_wallet(world: World) -> None:
    """A4: a leaked root ends with its generation."""
    meter = world.add()
    meter.use([5] * DAY)
    report_days(world, meter, range(1))
    after = renewed(world, meter, meter.slot)
    assert after.record.root != meter.record.root
    assert world.lose_answer(meter, meter.poll()).refusal is Refusal.BAD_TAG
    assert world.pay(meter.number, 500, "later").meter_id == meter.meter_id
    world.receive(after, after.poll())
    assert after.credited_mills - after.debited_mills == 500_000 - 240 * 127
    assert world.rows("SELECT generation, epoch, state FROM meter") == [(2, 0, "active")]


def test_a4_water_beyond_the_last_report_is_booked_and_its_blocks_go_on(world: World) -> None:
    """A4: the meter was dark for two days; the register tells the litres, the calendar their days."""
    world.publish({**CHARGED, "utc_offset_minutes": 60}, START_SLOT - DAY)
    meter, plain = world.add(1), world.add(2)
    for one in (meter, plain):
        world.pay(one.number, 5_000, f"t{one.number}")
        world.receive(one, one.poll())
        one.use([7] * DAY * 4)
    report_days(world, meter, range(2))
    after = renewed(world, meter, meter.slot, index_l=meter.volume_l)
    for one in (after, plain):
        one.use([7] * DAY)
    report_days(world, after, range(1))
    report_days(world, plain, range(5))
    assert after.balance_mills == plain.balance_mills
    assert spent_in_all(world) == 2 * plain.spent_mills
    memo = f"672 L on the register beyond the last report, slots {START_SLOT + 2 * DAY} to {START_SLOT + 4 * DAY}"
    assert world.rows("SELECT kind, memo FROM entry WHERE kind = 'unreported'") == [("unreported", memo)]
    assert sound(world)


def test_a4_water_in_logs_that_wait_for_others_is_not_free(world: World) -> None:
    """A4, F1: the second day was never heard, the two after it were: it is renewed at what it told last."""
    meter = world.add()
    world.pay(meter.number, 5_000, "t1")
    world.receive(meter, meter.poll())
    meter.use([7] * DAY * 4)
    for day in (0, 2, 3):
        world.receive(meter, meter.report(DAY * day, DAY))
    with pytest.raises(Refused) as refused:
        renewed(world, meter, meter.slot, meter.volume_l - 1)
    assert refused.value.code is Code.INDEX_BEHIND
    after = renewed(world, meter, meter.slot)
    assert (after.volume_l, after.balance_mills) == (meter.volume_l, meter.balance_mills)
    assert sound(world)


def test_a4_b6_a_fall_known_after_a_renewal_is_credited_for_the_days_before_it(world: World) -> None:
    """B5, B6: once, however often it is asked, and to the wallet that is in use, through a further renewal too."""
    meter = world.add()
    world.pay(meter.number, 5_000, "t1")
    world.receive(meter, meter.poll())
    meter.use([7] * DAY * 4)
    report_days(world, meter, range(4))
    after = renewed(world, meter, meter.slot)
    for price, fall_mills in ((110, 17), (100, 27)):
        world.publish({"blocks": [[0, price]], "utc_offset_minutes": 60}, START_SLOT - DAY)
        world.receive(after, after.poll())
        assert after.balance_mills == meter.balance_mills + 7 * DAY * 4 * fall_mills
        assert sound(world)
        after = renewed(world, after, after.slot)
    world.publish({"blocks": [[0, 127]], "utc_offset_minutes": 60}, START_SLOT - DAY)
    world.pass_days(7)
    world.receive(after, after.poll())
    assert after.balance_mills == meter.balance_mills, "a fall that was none is taken back, after its notice"
    assert sound(world)


def test_a4_b6_a_rise_under_notice_at_a_renewal_reaches_the_next_wallet_when_it_is_due(world: World) -> None:
    """B6: not before its day, not twice, and it is not owed for ever."""
    meter = world.add()
    world.pay(meter.number, 5_000, "t1")
    world.receive(meter, meter.poll())
    meter.use([7] * DAY * 4)
    report_days(world, meter, range(4))
    world.publish({"blocks": [[0, 200]], "utc_offset_minutes": 60}, START_SLOT - DAY, "debit")
    after = renewed(world, meter, meter.slot)
    rise_mills = 7 * DAY * 4 * (200 - 127)
    assert after.balance_mills == meter.balance_mills
    assert world.reader.read(account_balances)["receivable/1"] == rise_mills
    for _ in range(3):
        world.pass_days(7)
    world.receive(after, after.poll())
    assert after.balance_mills == meter.balance_mills - rise_mills
    assert world.reader.read(account_balances)["receivable/1"] == 0
    assert sound(world)


def test_a4_a_quarantine_ends_with_the_gap_booked_and_what_the_wallet_lacks_is_owed(world: World) -> None:
    """A4: both flash copies lost, S fell to nothing: 79,000 of water are not free, and no valve is cut by surprise."""
    meter = world.add()
    world.pay(meter.number, 100, "t1")
    world.receive(meter, meter.poll())
    meter.use([10] * DAY)
    report_days(world, meter, range(1))
    meter.use([10] * DAY)
    meter.rating = meter.rating._replace(spent_mills=0)
    world.receive(meter, meter.anchor())
    assert world.one("SELECT state FROM meter") == "quarantined"
    report = meter.report(DAY, DAY)
    world.receive(meter, report)
    assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + DAY, "kept, not posted"
    after = renewed(world, meter, meter.slot, index_l=meter.volume_l)
    assert world.rows("SELECT state FROM meter") == [("active",)]
    assert world.rows("SELECT kind, outcome FROM case_file") == [("went-back", "renewed")]
    balances = world.reader.read(account_balances)
    assert balances["receivable/1"] == 2 * 480 * 127 - 100_000
    assert spent_in_all(world) == 2 * 480 * 127
    assert after.balance_mills == 0
    after.use([10] * DAY)
    report_days(world, after, range(1))
    assert world.one("SELECT frontier_slot FROM meter_state") == after.slot
    assert sound(world)


def test_a4_b7_the_rest_of_a_debt_is_collected_and_no_mill_of_it_twice(world: World) -> None:
    """B7: R begins at 0 with a wallet generation, so the ceiling is what is left."""
    meter = world.add()
    world.pay(meter.number, 90_000, "t1")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 2_500_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    report_days(world, meter, range(1))
    assert meter.debt.collected_mills == 1_000_000
    after = renewed(world, meter, meter.slot)
    after.use([5])
    world.receive(after, after.poll())
    after.use([5] * (DAY * 4 - 1))
    world.receive(after, after.device())
    for day in range(4):
        world.receive(after, after.report(DAY * day, DAY))
    assert after.debt.collected_mills == 1_500_000
    assert world.reader.read(account_balances)["receivable/1"] == 0
    assert world.rows("SELECT kind FROM case_file") == []
    assert sound(world)


def test_a4_a_payment_of_the_old_wallet_can_still_be_reversed(world: World) -> None:
    meter = world.add()
    paid = world.pay(meter.number, 1_000, "t1")
    renewed(world, meter, START_SLOT + DAY)
    world.writer.run(lambda tx: reverse_payment(tx, paid.payment_id, "r1", "stopped"))
    assert world.one("SELECT sum(reversed_mills) FROM statement WHERE generation = 2") == 1_000_000
    assert sound(world)


def test_a4_a_tariff_for_later_is_not_forgotten(world: World) -> None:
    """B4: it had a lower number than the one that acts now, and the new meter echoes that one."""
    meter = world.add()
    later: dict[str, Any] = {"blocks": [[0, 500]], "utc_offset_minutes": 60}
    world.publish(later, START_SLOT + 9 * DAY)
    world.publish({"blocks": [[0, 300]], "utc_offset_minutes": 60}, START_SLOT - DAY)
    after = renewed(world, meter, START_SLOT + DAY)
    assert after.packs[0].blocks == ((0, 300),)
    world.receive(after, after.poll())
    assert [pack.blocks for pack in after.packs] == [((0, 300),), ((0, 500),)]


def test_a4_a_second_renewal_is_as_good_as_the_first(world: World) -> None:
    meter = world.add()
    world.pay(meter.number, 1_000, "t1")
    for _ in range(3):
        world.receive(meter, meter.poll())
        meter.use([5] * DAY)
        report_days(world, meter, range(1))
        meter = renewed(world, meter, meter.slot)
    assert meter.balance_mills == 1_000_000 - 3 * 240 * 127
    assert world.one("SELECT generation FROM meter") == 4
    assert sound(world)


def test_an_index_behind_what_was_reported_is_refused(world: World) -> None:
    meter = world.add()
    meter.use([5] * DAY)
    report_days(world, meter, range(1))
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter.meter_id, 239))
    assert (refused.value.code, refused.value.field) == (Code.INDEX_BEHIND, "index_l")
    assert world.one("SELECT generation FROM meter") == 1


def test_a_meter_that_is_not_there_or_retired_is_refused(world: World) -> None:
    meter = world.add()
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: renew_meter(tx, world.keyring, bytes(8)))
    assert refused.value.code is Code.METER_UNKNOWN
    world.writer.run(lambda tx: tx.cursor.execute("UPDATE meter SET state = 'retired'") and None)
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter.meter_id))
    assert refused.value.code is Code.METER_RETIRED
