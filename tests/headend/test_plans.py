"""Debt plans over their life: changed, suspended, completed, ended, over-collected (SEMANTICS B7; CT-11, CT-12)."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from headend.billing.plan_changes import change_plan, end_plan
from headend.billing.plans import set_debt_plan
from headend.cli.plans import plan
from headend.ledger.checks import account_balances, check_books
from headend.refusals import Code, Refused
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

DAY = 48


def indebted(world: World) -> VirtualMeter:
    """2,500 F in instalments of 1,000 F; the meter holds the plan, has 9,000 F of credit, and a day behind it."""
    meter = world.add()
    world.pay(meter.number, 9_000, "t1")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "fee", 2_500_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    live_a_day(world, meter)
    world.receive(meter, meter.device())
    return meter


def live_a_day(world: World, meter: VirtualMeter) -> None:
    if meter.log:
        world.receive(meter, meter.device())
    meter.use([1] * DAY)
    world.receive(meter, meter.report(len(meter.log) - DAY, DAY))


def held(world: World, name: str) -> int:
    return sum(mills for code, mills in world.reader.read(account_balances).items() if code.split("/")[0] == name)


def shown(world: World, meter: VirtualMeter) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        CliRunner().invoke(plan, ["show", "--db", str(world.path), meter.meter_id.hex()]).output
    )
    return told


def test_b7_a_plan_is_suspended_taken_up_again_and_completed(world: World) -> None:
    """B7: amount 0 collects nothing and forgets nothing; half instalments then finish it, the last one whole."""
    meter = indebted(world)
    assert (shown(world, meter)["state"], shown(world, meter)["remaining_mills"]) == ("running", 1_500_000)
    world.writer.run(lambda tx: change_plan(tx, meter.meter_id, 0, 0))
    world.receive(meter, meter.poll())
    live_a_day(world, meter)
    assert (shown(world, meter)["state"], meter.debt.collected_mills) == ("suspended", 1_000_000)
    world.writer.run(lambda tx: change_plan(tx, meter.meter_id, 750_000, 0))
    world.receive(meter, meter.poll())
    for _ in range(3):
        live_a_day(world, meter)
    assert (shown(world, meter)["state"], meter.debt.collected_mills, held(world, "receivable")) == (
        "completed",
        2_500_000,
        0,
    )
    assert world.reader.read(check_books) == []


def test_b7_what_a_meter_takes_of_a_forgiven_plan_returns_through_c(world: World) -> None:
    """B7: ended and forgiven after 1,000 F; the meter has not heard and takes 1,000 F more: they come back, once."""
    meter = indebted(world)
    world.writer.run(lambda tx: end_plan(tx, meter.meter_id, "k", forgive=True))
    assert (held(world, "receivable"), held(world, "arrears")) == (0, 1_000_000)
    meter.use([1] * DAY)
    world.receive(meter, meter.report(DAY, DAY))
    assert meter.debt.collected_mills == 2_000_000
    assert (meter.credited_mills, held(world, "receivable")) == (10_000_000, 0)
    assert shown(world, meter)["state"] == "completed"
    live_a_day(world, meter)
    assert (meter.debt.collected_mills, meter.credited_mills) == (2_000_000, 10_000_000)
    assert world.reader.read(check_books) == []


def test_b7_what_is_left_of_an_ended_plan_stays_owed_unless_forgiven(world: World) -> None:
    meter = indebted(world)
    world.writer.run(lambda tx: end_plan(tx, meter.meter_id, "k", forgive=False))
    meter.use([1] * DAY)
    world.receive(meter, meter.report(DAY, DAY))
    assert (held(world, "receivable"), meter.credited_mills) == (500_000, 9_000_000), "owed: nothing to return"
    assert world.reader.read(check_books) == []


def test_a_plan_that_is_not_there_cannot_be_changed_or_ended(world: World) -> None:
    meter = world.add()
    for act in (lambda tx: change_plan(tx, meter.meter_id, 1, 0), lambda tx: end_plan(tx, meter.meter_id, "k", True)):
        with pytest.raises(Refused) as refused:
            world.writer.run(act)
        assert (refused.value.code, refused.value.field) == (Code.PLAN_OVER, "meter_id")


def test_ct_11_a_plan_is_made_changed_and_ended_on_the_command_line(world: World) -> None:
    """CT-11: the plan's history stays; each change is a version."""
    meter = world.add()
    world.close()
    money = ("--currency", "XOF", "--from", "2026-12-01")

    def run(act: str, *options: str) -> Any:
        return CliRunner().invoke(plan, [act, "--db", str(world.path), meter.meter_id.hex(), *options])

    assert run("show").exit_code == 1
    made = run("make", "--debt", "2500", "--instalment", "1000", *money, "--key", "fee")
    assert json.loads(made.output) == {"meter_id": meter.meter_id.hex(), "version": 1, "days": 3}
    changed = json.loads(run("change", "--instalment", "0", *money).output)
    assert (changed["version"], changed["state"]) == (2, "suspended")
    assert run("change", "--instalment", "-1", *money).exit_code == 1
    assert run("change", "--instalment", "1", "--currency", "KES", "--from", "2026-12-01").exit_code == 1
    ended = json.loads(run("end", "--forgive", "--key", "k").output)
    assert (ended["version"], ended["state"], ended["remaining_mills"]) == (3, "completed", 0)
