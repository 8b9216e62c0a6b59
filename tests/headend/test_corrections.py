"""Rating again posts exactly T − M − A, once, in any order (SEMANTICS B5, B6, C2; CT-10, D17, D19)."""

import itertools
import random
from pathlib import Path

import pytest

from headend.billing.apportion import apportion, apportion_charges, bend
from headend.billing.correct import correct_meter, match
from headend.billing.slots import RatedSlot, spread_unsure
from headend.ingest import meter_state
from headend.ledger.checks import account_balances, check_books
from headend.ledger.entries import Transfer
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World, slot_at

DAY = 48
FLAT_127 = {"blocks": [[0, 127]], "utc_offset_minutes": 60}
FLAT_100 = {"blocks": [[0, 100]], "utc_offset_minutes": 60}
FLAT_150 = {"blocks": [[0, 150]], "utc_offset_minutes": 60}
WITH_SEWER = {"blocks": [[0, 100]], "sewer_percent": 50, "utc_offset_minutes": 60}


def ten_days(world: World, meter: VirtualMeter) -> None:
    """Ten days of 480 litres, reported day by day: 4,800 L at 127 = 609,600 mills."""
    meter.use([10] * DAY * 10)
    for day in range(10):
        world.lose_answer(meter, meter.report(DAY * day, DAY))


def balances(world: World) -> dict[str, int]:
    return {code.split("/")[0]: value for code, value in world.reader.read(account_balances).items() if value}


def c_and_d(world: World) -> tuple[int, int]:
    columns = "credited_mills, debited_mills"
    found = world.rows(f"SELECT {columns} FROM statement ORDER BY number DESC LIMIT 1")[0]
    return int(found[0]), int(found[1])


def test_b5_a_fall_that_was_known_late_is_credited_once(world: World) -> None:
    """CT-10, D17: from the sixth day on 100 instead of 127: 2,400 L × 27 = 64,800 mills back, and C says so."""
    meter = world.add()
    ten_days(world, meter)
    world.publish(FLAT_100, START_SLOT + 5 * DAY)
    assert c_and_d(world) == (64_800, 0)
    assert balances(world)["water"] == 2_400 * 127 + 2_400 * 100
    state = world.writer.run(lambda tx: correct_meter(tx, meter_state.load(tx, meter.meter_id)))
    assert state.corrected_mills == -64_800
    assert world.one("SELECT count(*) FROM entry WHERE kind = 'rating'") == 1, "again: nothing to post"
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize(
    ("late", "expected", "counters"),
    [
        # 2,400 L × 23 = 55,200 mills more. Waived: the utility bears it, the wallet does not notice.
        ("waive", {"waived": 55_200}, (0, 0)),
        ("debt", {"receivable": 55_200}, (0, 0)),
        ("debit", {}, (0, 55_200)),
    ],
)
def test_b6_a_rise_that_was_known_late_follows_the_tariff(
    world: World, late: str, expected: dict[str, int], counters: tuple[int, int]
) -> None:
    """B6: waive (the default), debt or debit (once its notice is over); revenue is the new price in every case."""
    meter = world.add()
    ten_days(world, meter)
    world.publish(FLAT_150, START_SLOT + 5 * DAY, late)
    assert c_and_d(world) == (0, 0)
    world.pass_days(7)
    held = balances(world)
    assert held["water"] == 2_400 * 127 + 2_400 * 150
    assert held["wallet"] == -4_800 * 127 - counters[1]
    assert {name: held[name] for name in ("waived", "receivable") if name in held} == expected
    assert c_and_d(world) == counters
    assert world.reader.read(check_books) == []


def test_b5_any_order_of_knowledge_and_reports_ends_in_the_same_place(tmp_path: Path) -> None:
    """B5: three late tariffs and ten days of reports, in six orders: the same balances, S, T and A every time.

    C − D must agree; C and D alone need not, for a credit that is taken back stays in both (A1).
    """
    tariffs = [
        (FLAT_100, START_SLOT + 2 * DAY, "debit"),
        (FLAT_150, START_SLOT + 4 * DAY, "debit"),
        (WITH_SEWER, START_SLOT + 6 * DAY, "debit"),
    ]
    found = []
    for number, order in enumerate(itertools.permutations(range(3))):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, random.Random(number))
        meter = world.add()
        meter.use([10] * DAY * 10)
        frames = [meter.report(DAY * day, DAY) for day in range(10)]
        random.Random(number).shuffle(frames)
        for step, tariff in enumerate(order):
            for frame in frames[step * 3 : step * 3 + 3]:
                world.lose_answer(meter, frame)
            world.publish(*tariffs[tariff])
        world.lose_answer(meter, frames[9])
        world.pass_days(7)
        assert world.reader.read(check_books) == []
        credited, debited = c_and_d(world)
        columns = "spent_mills, today_spent_mills, today_position_l, corrected_mills, frontier_slot"
        found.append((balances(world), credited - debited, world.rows(f"SELECT {columns} FROM meter_state")))
        world.close()
    assert found[0][0]["water"] == 960 * 127 + 960 * 100 + 960 * 150 + 1_920 * 100
    assert found[0][0]["sewer"] == 1_920 * 50
    assert all(item == found[0] for item in found)


def test_a_tariff_that_is_taken_back_leaves_nothing(world: World) -> None:
    """A waived rise that turns out to be none is un-waived, not credited: the customer never paid it."""
    meter = world.add()
    ten_days(world, meter)
    world.publish(FLAT_150, START_SLOT + 5 * DAY)
    world.publish(FLAT_127, START_SLOT + 5 * DAY)
    assert balances(world) == {"water": 609_600, "wallet": -609_600}
    assert c_and_d(world) == (0, 0)
    assert world.reader.read(check_books) == []


def test_d19_a_meter_that_hears_of_a_rise_late_is_corrected_until_it_prices_it_itself(world: World) -> None:
    """T1, D19: every report under the old pack is corrected; once the pack is there M = T again."""
    meter = world.add()
    world.publish(FLAT_150, START_SLOT + DAY, "debit")
    meter.use([10] * DAY * 3)
    for day in range(3):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    world.pass_days(7)
    assert c_and_d(world) == (0, 960 * 23)
    world.receive(meter, meter.poll())
    meter.use([10] * DAY)
    world.receive(meter, meter.report(3 * DAY, DAY))
    assert meter.log[-1].pack == 2
    assert c_and_d(world) == (0, 960 * 23)
    assert meter.balance_mills == -(480 * 127 + 1_440 * 150)
    assert world.reader.read(check_books) == []


def test_c2_unsure_litres_are_spread_and_missed_days_accrue_once(tmp_path: Path) -> None:
    """C2: the meter lost its clock on 30 November; its litres are spread over both months by the correction."""
    world = World(tmp_path, random.Random(1))
    world.publish(
        {"blocks": [[1_000, 100], [0, 300]], "utc_offset_minutes": 60, "standing_day": 5}, START_SLOT, "debit"
    )
    meter = world.add(start_slot=slot_at(2026, 11, 30))
    assert meter.log == []
    meter.use([20] * DAY)
    meter.use([20] * DAY, sure=False)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.report(DAY, DAY))
    assert world.one("SELECT unsure FROM meter_state") == 1
    assert world.one("SELECT count(*) FROM entry WHERE kind = 'rating'") == 0, "not before the clock is sure again"
    meter.use([20] * DAY)
    world.receive(meter, meter.report(2 * DAY, DAY))
    # By the meter: 960 L of November at 100, then 40 more and 920 at 300 without a new month, then 960 of December.
    metered = 96_000 + 40 * 100 + 920 * 300 + 96_000 + 3 * 5_000
    assert meter.spent_mills == metered
    # By the calendar: 960 L in November; 1,920 L in December, of which 920 at 300; three days' standing charge.
    assert world.one("SELECT today_spent_mills FROM meter_state") == 96_000 + 100_000 + 920 * 300 + 15_000
    assert world.reader.read(check_books) == []
    world.close()


def test_spread_unsure_keeps_the_sum_and_leaves_an_open_stretch_alone() -> None:
    unsure = [RatedSlot(slot, litres, 1, False) for slot, litres in ((1, 10), (2, 0), (3, 0), (4, 0))]
    closed = [*unsure, RatedSlot(5, 7, 1, True)]
    assert [item.litres for item in spread_unsure(closed)] == [2, 3, 2, 3, 7]
    assert all(item.sure for item in spread_unsure(closed))
    assert spread_unsure(unsure) == unsure


def test_d04_kiambu_minimum_and_sewer_are_booked_by_role(tmp_path: Path) -> None:
    """D04, D09: 0-6 m³ for 330 KSh, then 65 a m³, sewer 75 % of both. 7,000 L: 395 of water, 3/4 of it sewer."""
    world = World(tmp_path, random.Random(2))
    kiambu = {"blocks": [[6_000, 0], [0, 6_500]], "minimum": 33_000, "sewer_percent": 75, "utc_offset_minutes": 60}
    world.publish(kiambu, START_SLOT)
    meter = world.add()
    meter.use([1_000] * 7 + [0] * 41)
    world.receive(meter, meter.report(0, DAY))
    held = balances(world)
    assert (held["water"], held["sewer"]) == (33_000_000 + 6_500_000, 24_750_000 + 4_875_000)
    assert -held["wallet"] == meter.spent_mills == 69_125_000
    assert world.reader.read(check_books) == []
    world.close()


def test_b3_fractions_of_a_mill_are_carried_and_no_role_drifts(tmp_path: Path) -> None:
    """B3, F2, D09: water 2.00, sewer 1.80, levy 0.42 a m³ at 5.5 and 10 %: 453.31 mills a litre."""
    world = World(tmp_path, random.Random(2))
    taxes = {"tax1": {"percent": "5.5", "roles": ["water", "levy"]}, "tax2": {"percent": 10, "roles": ["sewer"]}}
    prices = {"sewer_per_m3": 180, "levy_per_m3": 42, "utc_offset_minutes": 60}
    world.publish({"blocks": [[0, 200]], **prices, **taxes}, START_SLOT)
    meter = world.add()
    meter.use([1] * 480)
    for at in range(0, 480, 5):
        world.receive(meter, meter.report(at, 5))
    held = balances(world)
    exact = {"water": 96_000, "sewer": 86_400, "levy": 20_160, "tax1": 6_388.8, "tax2": 8_640}
    assert all(abs(held[role] - mills) < 1 for role, mills in exact.items())
    assert -held["wallet"] == meter.spent_mills == 480 * 45_331 // 100
    assert world.reader.read(check_books) == []
    world.close()


def test_match_pairs_debits_and_credits_without_a_rest() -> None:
    assert match({9: -40, 1: 30, 2: 10}) == (Transfer(1, 9, 30), Transfer(2, 9, 10))
    assert match({9: 5, 1: -3, 2: -2, 3: 0}) == (Transfer(9, 1, 3), Transfer(9, 2, 2))
    assert match({}) == ()
    with pytest.raises(AssertionError, match="must balance"):
        match({9: 5, 1: -3})


def test_apportion_is_exact_whatever_the_parts() -> None:
    """Rounding makes no money: 100,000 shares of pieces are their totals, and nobody drifts by more than a mill."""
    assert apportion((16_000, 26_000, 8_000), 5) == (2, 2, 1)
    chance = random.Random(5)
    carries, given, due = [0] * 6, [0] * 6, [0] * 6
    for _ in range(20_000):
        piece = [chance.randrange(0, 40_000) if chance.random() < 0.6 else 0 for _ in range(6)]
        total = (sum(carries) + sum(piece)) // 10_000
        parts = [carry + amount for carry, amount in zip(carries, piece, strict=True)]
        shares = apportion_charges(parts, total)
        assert sum(shares) == total
        assert min(shares) >= 0
        carries = [part - 10_000 * share for part, share in zip(parts, shares, strict=True)]
        given = [a + b for a, b in zip(given, shares, strict=True)]
        due = [a + b for a, b in zip(due, piece, strict=True)]
    assert all(abs(10_000 * have - want) < 20_000 for have, want in zip(given, due, strict=True))


def test_bend_takes_from_the_largest_and_never_below_nothing() -> None:
    assert bend((5, 9, 1), 3) == (8, 9, 1)
    assert bend((5, 9, 1), -11) == (3, 0, 1)
    with pytest.raises(ValueError, match="cannot take"):
        bend((1, 1), -3)
