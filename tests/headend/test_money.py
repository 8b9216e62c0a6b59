"""Money reaches one meter, once, and can be traced (SEMANTICS A3, E2; reliability I3, I4; CT-03, CT-06, CT-12, B2)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headend.billing.plans import set_debt_plan
from headend.ledger.checks import account_balances, check_books
from headend.ledger.payments import Outcome, resolve_suspense, reverse_payment
from headend.ledger.till import store_event
from headend.refusals import Code, Refused
from tests.headend.world import World

DAY = 48


def balance(world: World, name: str) -> int:
    return sum(value for code, value in world.reader.read(account_balances).items() if code.split("/")[0] == name)


def test_a_top_up_reaches_the_meter_with_its_next_word(world: World) -> None:
    """CT-01's first half, CT-03: any amount, even 1 franc; C travels whole in a STATEMENT."""
    meter = world.add()
    done = world.pay(meter.number, 501, "t1")
    assert (done.outcome, done.meter_id, done.statement_number) == (Outcome.CREDITED, meter.meter_id, 1)
    world.receive(meter, meter.poll())
    assert (meter.credited_mills, meter.statement) == (501_000, 1)
    assert (balance(world, "till"), balance(world, "wallet")) == (501_000, 501_000)


def test_p1_a_callback_that_comes_a_hundred_times_at_once_is_credited_once(world: World) -> None:
    """P01, I4."""
    meter = world.add()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: world.pay(meter.number, 500, "t1").outcome, range(100)))
    assert sorted(found) == [Outcome.CREDITED] + [Outcome.DUPLICATE] * 99
    assert balance(world, "wallet") == 500_000
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize("change", [{"amount_minor": 501}, {"reference": "00000292"}])
def test_the_same_transaction_with_other_words_is_a_case(world: World, change: dict[str, Any]) -> None:
    meter = world.add()
    world.pay(meter.number, 500, "t1")
    again = world.pay(**{"number": meter.number, "amount_minor": 500, "transaction": "t1", **change})
    assert again.outcome is Outcome.CONFLICT
    assert balance(world, "wallet") == 500_000
    assert world.rows("SELECT kind FROM case_file") == [("payment-conflict",)]


def test_two_providers_may_use_the_same_number(world: World) -> None:
    meter = world.add()
    world.pay(meter.number, 500, "1")
    assert world.pay(meter.number, 500, "1", provider="orange").outcome is Outcome.CREDITED


@pytest.mark.parametrize("reference", ["00000196", "99999920", "hello", "", "１２３４５６７８", "00000195 OR 1=1"])
def test_p5_money_that_matches_nobody_waits_in_suspense(world: World, reference: str) -> None:
    """P5: real money is never refused for a wrong number; it is listed until someone knows whose it is."""
    world.add()
    done = world.pay(reference, 500, "t1")
    assert (done.outcome, done.meter_id, done.statement_number) == (Outcome.SUSPENSE, None, None)
    assert (balance(world, "suspense"), balance(world, "wallet")) == (500_000, 0)
    assert world.reader.read(check_books) == []


def test_a_number_typed_with_blanks_is_the_same_number(world: World) -> None:
    meter = world.add()
    assert world.pay(f"{meter.number[:4]} {meter.number[4:]}", 500, "t1").outcome is Outcome.CREDITED


def test_suspense_is_resolved_once(world: World) -> None:
    meter = world.add()
    waiting = world.pay("wrong", 500, "t1")
    for expected in (Outcome.CREDITED, Outcome.DUPLICATE):
        done = world.writer.run(lambda tx: resolve_suspense(tx, waiting.payment_id, meter.number, "ticket 12"))
        assert done.outcome is expected
    assert (balance(world, "suspense"), balance(world, "wallet")) == (0, 500_000)
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: resolve_suspense(tx, waiting.payment_id, meter.number, "ticket 13"))
    assert refused.value.code is Code.PAYMENT_NOT_IN_SUSPENSE
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_minor": 0}, Code.AMOUNT),
        ({"amount_minor": -5}, Code.AMOUNT),
        ({"amount_minor": True}, Code.AMOUNT),
        ({"amount_minor": 2**53}, Code.AMOUNT),
        ({"currency": "KES"}, Code.CURRENCY),
        ({"provider": ""}, Code.PROVIDER),
        ({"transaction": "a\nb"}, Code.PROVIDER),
        ({"transaction": "x" * 201}, Code.PROVIDER),
    ],
)
def test_p7_what_cannot_be_a_payment_is_refused_and_changes_nothing(
    world: World, change: dict[str, Any], code: Code
) -> None:
    meter = world.add()
    with pytest.raises(Refused) as refused:
        world.pay(**{"number": meter.number, "amount_minor": 500, "transaction": "t1", **change})
    assert refused.value.code is code
    assert refused.value.remedy in str(refused.value) or refused.value.detail in str(refused.value)
    assert world.one("SELECT count(*) FROM payment") == 0
    assert world.one("SELECT count(*) FROM entry") == 0


def test_p6_a_reversal_takes_what_is_unspent_and_the_rest_is_owed(world: World) -> None:
    """E2, P05: of 500 F, 480 L × 127 = 60.96 F are used; D rises by the other 439.04 F only."""
    meter = world.add()
    paid = world.pay(meter.number, 500, "t1")
    meter.use([10] * DAY)
    world.receive(meter, meter.report(0, DAY))
    reversal = lambda tx: reverse_payment(tx, paid.payment_id, "r1", "charged back")  # noqa: E731
    assert world.writer.run(reversal).outcome is Outcome.CREDITED
    assert world.writer.run(reversal).outcome is Outcome.DUPLICATE
    world.receive(meter, meter.poll())
    assert (meter.credited_mills, meter.debited_mills, meter.balance_mills) == (500_000, 439_040, 0)
    assert (balance(world, "receivable"), balance(world, "till"), balance(world, "wallet")) == (60_960, 0, 0)
    assert world.rows("SELECT kind FROM case_file") == [("claim",)]
    assert world.reader.read(check_books) == []
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: reverse_payment(tx, paid.payment_id, "r2", "again"))
    assert refused.value.code is Code.PAYMENT_NOT_REVERSIBLE


def test_a_payment_in_suspense_cannot_be_reversed_from_a_wallet(world: World) -> None:
    waiting = world.pay("wrong", 500, "t1")
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: reverse_payment(tx, waiting.payment_id, "r1", "x"))
    assert refused.value.code is Code.PAYMENT_NOT_REVERSIBLE


def test_an_unknown_payment_is_refused(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: reverse_payment(tx, 99, "r1", "x"))
    assert refused.value.code is Code.PAYMENT_UNKNOWN


def test_ct_12_a_debt_is_collected_by_instalments_and_stops(world: World) -> None:
    """CT-12, CT-13: 2,500 F in instalments of 1,000 F: 1,000, 1,000, 500; receivable falls to nothing."""
    meter = world.add()
    world.pay(meter.number, 9_000, "t1")
    plan = lambda tx: set_debt_plan(tx, meter.meter_id, "meter fee", 2_500_000, 1_000_000, 0)  # noqa: E731
    assert world.writer.run(plan) == world.writer.run(plan) == 1, "a repeated key is one debt"
    assert balance(world, "receivable") == 2_500_000
    world.receive(meter, meter.poll())
    owed = []
    for day in range(4):
        meter.use([1] * DAY)
        world.receive(meter, meter.report(DAY * day, DAY))
        owed.append(balance(world, "receivable"))
    assert owed == [1_500_000, 500_000, 0, 0]
    assert world.rows("SELECT debt_mills FROM uplink WHERE wallet_mills IS NOT NULL") == [
        (1_000_000,), (1_000_000,), (500_000,), (0,)
    ]  # fmt: skip
    assert world.reader.read(check_books) == []
    assert balance(world, "arrears") == 2_500_000


@pytest.mark.parametrize(("debt_mills", "amount_mills"), [(0, 5), (5, 0), (-1, 5), (True, 5), (5, 2**41)])
def test_a_plan_outside_its_limits_is_refused(world: World, debt_mills: int, amount_mills: int) -> None:
    meter = world.add()
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "k", debt_mills, amount_mills, 0))
    assert refused.value.code is Code.PLAN
    assert world.one("SELECT count(*) FROM entry") == 0


def test_ct_06_a_week_offline_and_the_meter_and_the_books_agree_to_the_last_mill(world: World) -> None:
    """CT-06, B2: seven days counted alone, told in one go."""
    meter = world.add()
    world.pay(meter.number, 5_000, "t1")
    world.receive(meter, meter.poll())
    meter.use([11, 0, 3, 250] * 12 * 7)
    for day in range(7):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    assert balance(world, "wallet") == meter.balance_mills
    assert world.one("SELECT balance_mills FROM meter_link") == meter.balance_mills


def test_a_providers_message_is_kept_as_it_came(world: World) -> None:
    """P1: the first bytes stay whatever comes under the same number later."""
    first = world.writer.run(lambda tx: store_event(tx, "wave", "m1", b'{"a": 1}'))
    again = world.writer.run(lambda tx: store_event(tx, "wave", "m1", b"other"))
    assert (first, again) == ((1, True), (1, False))
    assert world.rows("SELECT raw FROM till_event") == [(b'{"a": 1}',)]


def test_a_payment_that_no_counter_can_hold_waits_in_suspense(world: World) -> None:
    """A1: C stays below 2^53; the money is real, so it is kept and not refused."""
    meter = world.add()
    most = (2**53 - 1) // 1_000
    assert world.pay(meter.number, most, "t1").outcome is Outcome.CREDITED
    assert world.pay(meter.number, 1, "t2").outcome is Outcome.SUSPENSE
    assert world.reader.read(check_books) == []
