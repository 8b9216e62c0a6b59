"""Money across a swap and at the end: payments, debts, late prices, dead meters, retirement (A3, A4, B5-B7)."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from headend.api.meters import MeterPath
from headend.api.shapes import PageQuery
from headend.api.statement_lines import get_statement
from headend.billing.plans import last_plan, set_debt_plan, set_policy
from headend.billing.tariffs import Terms, drafted
from headend.billing.try_tariff import meters_of, total, try_on_meter
from headend.ledger.checks import account_balances
from headend.ledger.payments import reverse_payment
from headend.ledger.rebuild import rewrite
from headend.meters.registry import PLAIN_POLICY
from headend.meters.retirement import retire_meter
from headend.meters.swap import execute_swap, prepare_swap
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules import policy
from protocol.rules.calendar import slot_start
from tests.headend.swaps import CHARGED, DAY, balance, exactly, faults, meter_id_of, retired, swapped, tell_all
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World


def flat(price: int) -> dict[str, Any]:
    return {"blocks": [[0, price]], "utc_offset_minutes": 60}


def four_days(world: World, number: int = 1, litres: int = 7) -> VirtualMeter:
    """A meter with 5,000 F, four days of water, all told."""
    meter = world.add(number)
    world.pay(meter.number, 5_000, f"t{number}")
    world.receive(meter, meter.poll())
    meter.use([litres] * DAY * 4)
    tell_all(world, meter)
    return meter


def in_one_batch(world: World, *jobs: Callable[[Tx], Any]) -> list[Any]:
    """Jobs that the writer commits together, in this order."""
    gate = Event()
    world.writer._enqueue(lambda tx: gate.wait())
    futures = [world.writer._enqueue(job) for job in jobs]
    gate.set()
    return [future.result() for future in futures]


@pytest.mark.parametrize("first", ["payment", "swap"])
def test_a3_a_payment_in_the_very_moment_of_a_swap_is_credited_once(world: World, first: str) -> None:
    """A3, I4: whichever is first, in one commit: the money is in the new wallet, once; told again it is a duplicate."""
    old = four_days(world)
    world.clock.set(slot_start(old.slot) * 1_000_000)
    new_id = meter_id_of(2)
    world.writer.run(lambda tx: prepare_swap(tx, world.keyring, old.meter_id, new_id, 1))

    def swap(tx: Tx) -> bytes:
        return execute_swap(tx, world.keyring, old.meter_id, new_id, old.slot, None, 0)

    def pay(tx: Tx) -> Any:
        return world.credit(tx, old.number, 700, "now")

    jobs = (pay, swap) if first == "payment" else (swap, pay)
    in_one_batch(world, *jobs)
    assert world.one("SELECT count(DISTINCT batch_id) FROM entry WHERE effective_us = ?", world.clock.unix_us()) == 1
    assert world.pay(old.number, 700, "now").outcome.name == "DUPLICATE"
    assert balance(world, f"wallet/{new_id.hex()}/1") == old.balance_mills + 700_000
    assert balance(world, f"wallet/{old.meter_id.hex()}/1") == 0
    assert faults(world) == []


def test_a_payment_of_the_old_meter_is_reversed_out_of_the_new_ones_wallet(world: World) -> None:
    """E2: the unspent part follows the holder."""
    old = four_days(world)
    paid = world.one("SELECT id FROM payment")
    after = swapped(world, old, 2)
    done = world.writer.run(lambda tx: reverse_payment(tx, paid, "r1", "stopped"))
    assert done.meter_id == after.meter_id
    used_mills = 7 * DAY * 4 * 127
    assert balance(world, f"wallet/{after.meter_id.hex()}/1") == 0
    assert balance(world, "receivable/1") == used_mills
    assert faults(world) == []


# ---- debts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half_hours", [0, 1, DAY - 1])
def test_b7_the_rest_of_a_debt_is_collected_one_instalment_a_day(world: World, half_hours: int) -> None:
    """B7: R begins at 0, so the ceiling is what is left; a day that the old meter decided is not decided again."""
    old, plain = world.add(1), world.add(2)
    for one, key in ((old, "d1"), (plain, "d2")):
        world.pay(one.number, 90_000, key)
        world.writer.run(lambda tx, o=one, k=key: set_debt_plan(tx, o.meter_id, k, 4_500_000, 1_000_000, 0))
        world.receive(one, one.poll())
    old.use([5] * (DAY + half_hours))
    tell_all(world, old)
    after = swapped(world, old, 3)
    world.receive(after, after.poll())
    left = world.writer.run(lambda tx: last_plan(tx, after.meter_id))
    assert left is not None and left.ceiling_mills == 4_500_000 - old.debt.collected_mills
    plain.use([5] * (DAY + half_hours))
    for _ in range(5):
        for one in (after, plain):
            one.use([5] * DAY)
        assert old.debt.collected_mills + after.debt.collected_mills == plain.debt.collected_mills
        assert after.balance_mills == plain.balance_mills
    for one in (after, plain):
        world.receive(one, one.device())
        tell_all(world, one)
    assert plain.debt.collected_mills == 4_500_000
    assert balance(world, "receivable/1") == balance(world, "receivable/2") == 0
    assert world.rows("SELECT kind FROM case_file") == []
    assert faults(world) == []


# ---- late prices -----------------------------------------------------------------------------------------------------


def test_b5_a_fall_that_reaches_back_before_two_swaps_is_credited_to_the_present_wallet(world: World) -> None:
    """B5, B6: each half-hour once, whichever meter counted it; however often it is asked."""
    old, plain = four_days(world), four_days(world, 9)
    middle = swapped(world, old, 2)
    for one in (middle, plain):
        one.use([7] * DAY)
    tell_all(world, middle)
    after = swapped(world, middle, 3)
    for one in (after, plain):
        one.use([7] * DAY)
    for price in (110, 90, 100):
        world.publish(flat(price), START_SLOT - DAY)
        world.pass_days(8)
        assert faults(world) == []
    tell_all(world, after)
    tell_all(world, plain, DAY * 4)
    for one in (after, plain):
        world.receive(one, one.poll())
    assert after.balance_mills == plain.balance_mills == 5_000_000 - 7 * DAY * 6 * 100
    told = world.reader.read(lambda c: get_statement(c, MeterPath(after.meter_id.hex()), PageQuery(limit=500)))
    assert sum(line.amount_mills for line in told.items) == after.balance_mills
    world.writer.run(rewrite)
    assert faults(world) == []


def test_b6_a_rise_under_notice_at_a_swap_reaches_the_new_wallet_when_it_is_due(world: World) -> None:
    """B6: not before its day, not twice, and it is not owed for ever."""
    old = four_days(world)
    world.publish(flat(200), START_SLOT - DAY, "debit")
    after = swapped(world, old, 2)
    rise_mills = 7 * DAY * 4 * (200 - 127)
    assert after.balance_mills == old.balance_mills
    assert balance(world, "receivable/1") == rise_mills
    for _ in range(3):
        world.pass_days(7)
    world.receive(after, after.poll())
    assert after.balance_mills == old.balance_mills - rise_mills
    assert balance(world, "receivable/1") == 0
    assert faults(world) == []


def test_b5_what_is_announced_when_a_meter_is_swapped_waits_for_no_turn(world: World) -> None:
    """B5: published, not yet worked off: the swap brings the old meter's books up to date first."""
    old = four_days(world)
    world.announce(flat(100), START_SLOT - DAY)
    after = swapped(world, old, 2)
    assert after.balance_mills == 5_000_000 - 7 * DAY * 4 * 100
    world.work_off()
    assert balance(world, f"wallet/{after.meter_id.hex()}/1") == after.balance_mills
    assert faults(world) == []


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("late", ["waive", "debit"])
@pytest.mark.parametrize("price", [100, 150])
def test_iw_71_what_is_tried_on_meters_that_were_taken_away_is_what_publishing_posts(
    world: World, price: int, late: str, ended: bool
) -> None:
    """IW-71, B6: the holder's wallet in the new meter, or what is owed after the last one is gone."""
    old = four_days(world)
    after = swapped(world, old, 2)
    if ended:
        retired(world, after)
    before = world.reader.read(account_balances)

    def trying(tx: Tx) -> dict[str, int]:
        draft = drafted(tx, "home", "Homes", flat(price), START_SLOT - DAY, Terms(late))
        return total(try_on_meter(tx, draft, meter_id) for meter_id in meters_of(tx, "home", b"", 9))

    tried = world.writer.run(trying)
    world.publish(flat(price), START_SLOT - DAY, late)
    moved: dict[str, int] = {}
    for code, mills in world.reader.read(account_balances).items():
        class_ = code.split("/")[0]
        sign = 1 if class_ in ("receivable", "waived") else -1
        moved[class_] = moved.get(class_, 0) + sign * (mills - before[code])
    assert {class_: mills for class_, mills in moved.items() if mills} == tried != {}
    assert ("wallet" in tried) == (price == 100 and not ended)


def test_b4_a_tariff_and_a_policy_for_later_go_along(world: World) -> None:
    old = four_days(world)
    world.publish(flat(500), START_SLOT + 9 * DAY)
    wanted = PLAIN_POLICY._replace(emergency_mills=77_000, emergency_unsure_mills=77_000)
    world.writer.run(lambda tx: set_policy(tx, old.meter_id, wanted) and set_policy(tx, old.meter_id, wanted, 900_000))
    after = swapped(world, old, 2)
    world.receive(after, after.poll())
    assert [pack.blocks[-1] for pack in after.packs] == [(0, 448), (0, 500)]
    given = policy.decode_body(after.record.policy.version, 0, after.record.policy.body)
    assert given.emergency_mills == 77_000
    assert world.rows("SELECT from_slot FROM pack WHERE kind = 4 AND meter_id = ?", after.meter_id) == [
        (0,),
        (900_000,),
    ]


# ---- dead meters -----------------------------------------------------------------------------------------------------


def test_a4_a_dead_meters_last_days_are_charged_by_the_register(world: World) -> None:
    """A4, M17: two days were never told; the index is read by eye, and the month costs what it costs."""
    world.publish({**CHARGED, "utc_offset_minutes": 60}, START_SLOT - DAY)
    old, plain = world.add(1), world.add(2)
    for one in (old, plain):
        world.pay(one.number, 5_000, f"t{one.number}")
        world.receive(one, one.poll())
        one.use([7] * DAY * 4)
    for day in range(2):
        world.receive(old, old.report(DAY * day, DAY))
    after = swapped(world, old, 3, old.volume_l, 1_000)
    for one in (after, plain):
        one.use([7] * DAY)
    tell_all(world, after)
    tell_all(world, plain)
    assert after.balance_mills == plain.balance_mills
    assert exactly(old, after) == exactly(plain)
    memo = f"672 L on the register beyond the last report, slots {START_SLOT + 2 * DAY} to {START_SLOT + 4 * DAY}"
    assert world.rows("SELECT kind, memo FROM entry WHERE kind = 'unreported'") == [("unreported", memo)]
    assert world.rows("SELECT at_slot, final_index_l FROM retirement") == [(START_SLOT + 4 * DAY, old.volume_l)]
    assert faults(world) == []


def test_a4_a_meter_that_told_nothing_and_cannot_be_read_costs_what_it_told(world: World) -> None:
    """A4: no index, no water to charge; logs that wait for others are believed."""
    old = world.add()
    world.pay(old.number, 5_000, "t1")
    world.receive(old, old.poll())
    old.use([7] * DAY * 4)
    for day in (0, 2, 3):
        world.receive(old, old.report(DAY * day, DAY))
    after = swapped(world, old, 2)
    assert after.balance_mills == old.balance_mills
    never_heard = world.add(3)
    assert swapped(world, never_heard, 4).balance_mills == 0
    assert faults(world) == []


def test_a4_a_quarantined_meter_is_swapped_for_a_sound_one(world: World) -> None:
    """A4: S fell to nothing; what it told after that is not believed, the register is."""
    old = world.add()
    world.pay(old.number, 500, "t1")
    world.receive(old, old.poll())
    old.use([10] * DAY)
    tell_all(world, old)
    old.rating = old.rating._replace(spent_mills=0)
    world.receive(old, old.anchor())
    assert world.one("SELECT state FROM meter") == "quarantined"
    after = swapped(world, old, 2, old.volume_l)
    assert world.rows("SELECT state FROM meter ORDER BY meter_id") == [("retired",), ("active",)]
    assert world.rows("SELECT kind, outcome FROM case_file") == [("went-back", "retired")]
    assert after.balance_mills == 500_000 - 480 * 127
    assert faults(world) == []


@pytest.mark.parametrize("at", [-(10**6), START_SLOT - 5 * DAY, START_SLOT + 4 * DAY + 3, START_SLOT + 90 * DAY])
def test_a4_a_laptop_with_a_wrong_clock_moves_no_half_hour(world: World, at: int) -> None:
    """F1: never before what the old meter reported, never in the future."""
    old = four_days(world)
    world.clock.set(slot_start(old.slot + 6) * 1_000_000)
    made = world.writer.run(lambda tx: prepare_swap(tx, world.keyring, old.meter_id, meter_id_of(2), 1))
    world.writer.run(lambda tx: execute_swap(tx, world.keyring, old.meter_id, made.meter_id, at, None, 0))
    assert old.slot <= world.one("SELECT at_slot FROM retirement") <= old.slot + 6
    assert faults(world) == []


@pytest.mark.parametrize(("final", "first", "code", "field"), [
    (7 * DAY * 4 - 1, 0, Code.INDEX_BEHIND, "final_index_l"),
    (2**40, 0, Code.FIRST_INDEX, "final_index_l"),
    (None, -1, Code.FIRST_INDEX, "first_index_l"),
    (None, 2**40, Code.FIRST_INDEX, "first_index_l"),
])  # fmt: skip
def test_an_index_that_cannot_be_is_refused(
    world: World, final: int | None, first: int, code: Code, field: str
) -> None:
    old = four_days(world)
    with pytest.raises(Refused) as refused:
        swapped(world, old, 2, final, first)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert world.rows("SELECT state FROM meter ORDER BY meter_id") == [("active",), ("spare",)]


# ---- retirement ------------------------------------------------------------------------------------------------------


def test_a_retired_meters_credit_is_owed_to_the_holder_and_late_prices_still_settle(world: World) -> None:
    """M17, B5: what was left counts against what is owed; a fall found later too; a payment waits."""
    old = four_days(world)
    after = swapped(world, old, 2)
    retired(world, after)
    assert balance(world, "receivable/1") == -old.balance_mills
    world.publish(flat(100), START_SLOT - DAY)
    assert balance(world, "receivable/1") == -(5_000_000 - 7 * DAY * 4 * 100)
    world.publish(flat(127), START_SLOT - DAY)
    world.pass_days(8)
    assert balance(world, "receivable/1") == -old.balance_mills
    assert world.pay(old.number, 100, "late").outcome.name == "SUSPENSE"
    world.writer.run(rewrite)
    assert faults(world) == []


def test_debt_stays_owed_less_what_was_in_the_wallet(world: World) -> None:
    """Emergency credit that was used is owed too; water on the register is charged first."""
    meter = world.add()
    world.pay(meter.number, 20, "t1")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 2_500_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    tell_all(world, meter)
    assert meter.balance_mills == 20_000 - 240 * 127
    retired(world, meter, 240 + 10)
    assert balance(world, "receivable/1") == 2_500_000 + 250 * 127 - 20_000
    assert balance(world, f"wallet/{meter.meter_id.hex()}/1") == balance(world, "moving") == 0
    assert faults(world) == []


def test_a_retirement_is_refused_where_the_register_shows_too_little_or_there_is_no_such_meter(world: World) -> None:
    meter = four_days(world)
    for meter_id, index_l, code in (
        (meter.meter_id, 5, Code.INDEX_BEHIND),
        (meter.meter_id, 2**40, Code.FIRST_INDEX),
        (bytes(8), None, Code.METER_UNKNOWN),
    ):
        with pytest.raises(Refused) as refused:
            world.writer.run(lambda tx, m=meter_id, i=index_l: retire_meter(tx, m, i))
        assert refused.value.code is code
    retired(world, meter)
    with pytest.raises(Refused) as refused:
        retired(world, meter)
    assert refused.value.code is Code.METER_RETIRED
