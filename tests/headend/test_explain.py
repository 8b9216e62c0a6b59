"""Every mill of a day is explained, and the days sum to what left the wallet (TR-27, B5 of FEATURES; SEMANTICS B3)."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headend.billing.explain import ExplainedDay, explain_day
from headend.billing.plans import set_debt_plan
from headend.cli.tariffs import tariff
from headend.ledger.checks import account_balances, check_books
from headend.storage.writer import Tx
from protocol.rules.calendar import local_day
from protocol.rules.rating import MILL, MINIMUM, STANDING_DAY, STANDING_MONTH, WATER
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIAMEY, START_SLOT, World

DAY = 48
FIRST_DAY = local_day(START_SLOT, NIAMEY)


def explained(world: World, meter: VirtualMeter, day: int) -> ExplainedDay:
    return world.reader.read(lambda connection: explain_day(Tx(connection, 0, 0), meter.meter_id, FIRST_DAY + day))


def wallet(world: World) -> int:
    balances = world.reader.read(account_balances)
    return sum(mills for code, mills in balances.items() if code.startswith("wallet/"))


def lines_and_remainders(day: ExplainedDay) -> int:
    """What the lines come to, at scale 4, with what was carried in and out."""
    amounts = sum(line.amount for run in day.runs for line in run.lines)
    return day.remainder_in + amounts - day.remainder_out


def test_tr_27_a_day_over_a_block_edge_is_taken_apart(world: World) -> None:
    """TR-27: after 9,990 L, a day's 20 L cost 10 x 127 + 10 x 279 = 4,060 mills."""
    meter = world.add()
    meter.use([9_990] + [0] * 47 + [20] + [0] * 47)
    for day in range(2):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    second = explained(world, meter, 1)
    assert [(line.block, line.from_l, line.to_l, line.price, line.amount) for line in second.runs[0].lines] == [
        (0, 9_990, 10_000, 127 * MILL, 1_270 * MILL),
        (1, 10_000, 10_010, 279 * MILL, 2_790 * MILL),
    ]
    assert (second.spent_mills, second.left_mills) == (4_060, 4_060)


def test_tr_27_charges_instalment_remainder_and_role_have_their_lines(tmp_path: Path) -> None:
    """TR-27, B7: standing charges of day and month, a minimum, water with sewer and tax, an instalment, a carry."""
    world = World(tmp_path, random.Random(4))
    prices = {
        "blocks": [[5, 0], [0, "127.3331"]], "minimum": 10, "sewer_percent": 50, "standing_day": 3,
        "standing_month": 200, "tax1": {"percent": 10, "roles": ["fixed"]}, "utc_offset_minutes": 60,
    }  # fmt: skip
    world.publish(prices, START_SLOT - DAY)
    meter = world.add()
    world.pay(meter.number, 9_000, "t1")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "fee", 50_000, 20_000, 0))
    world.receive(meter, meter.poll())
    meter.use([1] * DAY)
    world.receive(meter, meter.report(0, DAY))
    day = explained(world, meter, 0)
    lines = {(line.kind, line.block): line for line in day.runs[0].lines}
    assert lines[STANDING_DAY, 0].roles == [0, 0, 3_000 * MILL, 0, 300 * MILL, 0]
    assert lines[STANDING_MONTH, 0].amount == 220_000 * MILL
    assert lines[MINIMUM, 0].roles[:2] == [10_000 * MILL, 5_000 * MILL]
    assert (lines[WATER, 0].quantity, lines[WATER, 0].amount) == (5, 0)
    assert lines[WATER, 1].quantity == 43
    assert day.instalment_mills == 20_000
    assert lines_and_remainders(day) == day.spent_mills * MILL
    assert day.remainder_out
    assert day.left_mills == 9_000_000 - wallet(world)
    world.close()


def random_prices(chance: random.Random) -> dict[str, Any]:
    edges = sorted(chance.sample(range(50, 3_000), chance.randrange(0, 3)))
    prices: dict[str, Any] = {
        "blocks": [[edge, f"{chance.randrange(0, 500)}.{chance.randrange(0, 99):02}"] for edge in [*edges, 0]],
        "utc_offset_minutes": 60,
        "sewer_percent": chance.choice([0, 0, 75, "33.3"]),
        "standing_day": chance.choice([0, 7]),
        "standing_month": chance.choice([0, 331]),
        "minimum": chance.choice([0, 55]),
        "levy_per_m3": chance.choice([0, "4.2"]),
    }
    if chance.random() < 0.5:
        prices["tax1"] = {"percent": "5.5", "roles": ["water", "levy"]}
    return prices


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_tr_27_every_day_of_random_tariffs_sums_to_what_left_the_wallet(tmp_path: Path, seed: int) -> None:
    """TR-27, B3, B5: tariffs of which the meter heard late, unsure clocks, instalments: each day to the mill."""
    chance = random.Random(seed)
    world = World(tmp_path, chance)
    world.publish(random_prices(chance), START_SLOT - DAY)
    meter = world.add()
    world.pay(meter.number, 1_000_000, "t1")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "fee", 70_000, 9_000, 0))
    world.receive(meter, meter.poll())
    days = 34
    for day in range(days):
        if chance.random() < 0.15:
            late = chance.choice(["waive", "debt", "debit"])
            world.publish(random_prices(chance), START_SLOT + chance.randrange(-DAY, DAY * (day + 5)), late)
        meter.use([chance.randrange(0, 40) for _ in range(DAY)], sure=chance.random() > 0.1 or day in (0, days - 1))
        hears = world.receive if chance.random() < 0.5 else world.lose_answer
        for first, count in ((0, 20), (20, 28)):
            runs = meter.log[DAY * day + first : DAY * day + first + count]
            packs = [item.pack for item in runs]
            edge = packs.index(packs[-1])
            for part, length in ((0, edge), (edge, count - edge)):
                if length:
                    hears(meter, meter.report(DAY * day + first + part, length))
    world.pass_days(10)
    found = [explained(world, meter, day) for day in range(days)]
    for day in found:
        assert lines_and_remainders(day) == day.spent_mills * MILL
        assert sum(run.slots for run in day.runs) == DAY
        for run in day.runs:
            for line in run.lines:
                assert line.amount == line.price * line.quantity == sum(line.roles)
    assert sum(day.spent_mills for day in found) == meter.spent_mills
    assert sum(day.instalment_mills for day in found) == meter.debt.collected_mills
    assert sum(day.corrected_mills for day in found) == world.one("SELECT corrected_mills FROM meter_state")
    assert sum(day.left_mills for day in found) == 1_000_000_000 - wallet(world)
    assert world.reader.read(check_books) == []
    world.close()


def test_a_meter_that_tells_another_s_is_explained_as_it_told(world: World) -> None:
    """B5, TR-27: what the meter took differently has a line of its own, and the day still sums to the wallet."""
    meter = world.add()
    meter.use([10] * DAY)
    world.lose_answer(meter, meter.report(0, DAY))
    meter.skew_mills = 7
    meter.use([10] * DAY)
    world.lose_answer(meter, meter.report(DAY, DAY))
    assert (explained(world, meter, 0).differing_mills, explained(world, meter, 1).differing_mills) == (0, 7)
    assert explained(world, meter, 0).left_mills + explained(world, meter, 1).left_mills == -wallet(world)


# ---- on the command line and over REST -------------------------------------------------------------------------------


def run(world: World, *arguments: str) -> Any:
    return CliRunner().invoke(tariff, [arguments[0], "--db", str(world.path), *arguments[1:]])


def test_tr_27_a_day_is_told_in_both_languages_with_every_mill(world: World) -> None:
    """TR-27, CT-26: the sentences name block, price, role, holder and tariff; the JSON sums to the same."""
    meter = world.add()
    meter.use([9_990] + [0] * 47 + [20] + [0] * 47)
    for day in range(2):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    french = run(world, "explain", meter.meter_id.hex(), "2026-11-03").output.splitlines()
    assert french[0] == "Compteur 0000000000000001, 3 nov. 2026"
    assert french[1] == "  00:00–24:00, 20 L, Customer 1 00000195, Homes (home), depuis le 23 sept. 2026"
    assert french[2] == (
        "    eau, tranche 1, du litre 9\u202f991 au litre 10\u202f000 du mois : 10 L à 0,127\u00a0F\u00a0CFA = "
        "1,27\u00a0F\u00a0CFA (eau 1,27\u00a0F\u00a0CFA)"
    )
    assert french[-1] == "  total retiré du crédit\u00a0: 4,06\u00a0F\u00a0CFA"
    english = run(world, "explain", meter.meter_id.hex(), "2026-11-03", "--lang", "en").output.splitlines()
    assert english[3] == (
        "    water, block 2, litre 10,001 to 10,010 of the month: 10 L at 0.279\u00a0F\u00a0CFA = "
        "2.79\u00a0F\u00a0CFA (water 2.79\u00a0F\u00a0CFA)"
    )
    told = json.loads(run(world, "explain", meter.meter_id.hex(), "2026-11-03", "--json").output)
    assert (told["spent_mills"], told["left_wallet_mills"], told["runs"][0]["customer_number"]) == (
        4060,
        4060,
        "00000195",
    )
    nothing = run(world, "explain", meter.meter_id.hex(), "2026-12-24", "--lang", "en")
    assert "Nothing of this day is reported yet." in nothing.output
    for wrong in (("0000000000000009", "2026-11-03"), (meter.meter_id.hex(), "2026-02-30")):
        assert run(world, "explain", *wrong).exit_code == 1


def test_iw_71_versions_are_shown_as_of_a_day_and_as_known_by_another(world: World, tmp_path: Path) -> None:
    """IW-71, CT-10, B5: nothing was overwritten; what was known before is still what it was, and by whom."""
    world.pass_days(3)
    flat = {"blocks": [[0, 100]], "utc_offset_minutes": 60}
    world.publish(flat, START_SLOT, notice_days=10)
    at = "2026-11-03T00:00:00Z"
    now = json.loads(run(world, "show", "home", "--at", at).output)
    then = json.loads(run(world, "show", "home", "--at", at, "--known", "2026-11-03T12:00:00Z").output)
    assert (now["prices"]["blocks"][0]["price"], then["prices"]["blocks"][0]["price"]) == (100, 127)
    assert (now["notice_days"], then["notice_days"], now["published_by"]) == (10, 7, "headend")
    assert len(run(world, "show", "home", "--history").output.splitlines()) == 2
    assert run(world, "show", "home", "--at", "2020-01-01T00:00:00Z").exit_code == 1


def test_iw_71_a_tariff_is_tried_from_a_file(world: World, tmp_path: Path) -> None:
    """IW-71: 480 L at 27 less are 12,960 mills for the customer; nothing is posted."""
    meter = world.add()
    meter.use([10] * DAY)
    world.lose_answer(meter, meter.report(0, DAY))
    file = tmp_path / "draft.json"
    prices = {"utc_offset_minutes": 60, "blocks": [{"upto_l": 0, "price": 100}]}
    body = {"code": "other", "title": "Homes", "valid_from": "2026-10-01T00:00:00Z", "prices": prices}
    file.write_text(json.dumps(body))
    assert json.loads(run(world, "try", str(file)).output) == {"meters": 0, "total_by_account": {}}
    done = run(world, "try", str(file), "--code", "home").output.splitlines()
    assert json.loads(done[0])["by_account"] == {"wallet": -12_960, "water": 12_960}
    assert json.loads(done[1]) == {"meters": 1, "total_by_account": {"wallet": -12_960, "water": 12_960}}
    assert world.one("SELECT count(*) FROM entry") == 0
