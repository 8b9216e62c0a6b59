"""Any order, repetition and loss of uplinks ends in the same books (SEMANTICS F1, A2, B5; reliability I5, I12)."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from headend.billing.plans import set_debt_plan
from headend.ledger.checks import account_balances, check_books
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIGER, START_SLOT, World, slot_at

DAY = 48
CHEAPER_SINCE = slot_at(2026, 11, 20)
CHEAPER = {"blocks": [[10_000, 100], [40_000, 200], [0, 400]], "utc_offset_minutes": 60, "standing_day": 3}


class Oracle:
    """What the books must say, by another way than the code's: one litre at a time."""

    def __init__(self) -> None:
        self.position: Counter[str] = Counter()

    def cost_mills(self, month: str, litres: int, prices: tuple[tuple[int, int], ...]) -> int:
        total = 0
        for _ in range(litres):
            self.position[month] += 1
            upto_prices = [price for upto_l, price in prices if not upto_l or self.position[month] <= upto_l]
            total += upto_prices[0]
        return total


def month_of(slot: int) -> str:
    return "november" if slot < slot_at(2026, 12, 1) else "december"


def history(world: World, chance: random.Random) -> tuple[VirtualMeter, list[bytes]]:
    """Six weeks of a meter: a month edge, leaks, a tariff, a debt in instalments, and its frames of uneven lengths."""
    meter = world.add()
    world.pay(meter.number, 90_000, "top-up")
    world.writer.run(lambda tx: set_debt_plan(tx, meter.meter_id, "d1", 2_500_000, 1_000_000, 0))
    world.receive(meter, meter.poll())
    world.publish(CHEAPER, CHEAPER_SINCE)
    world.receive(meter, meter.poll())
    meter.use([chance.choice((0, 0, 0, 4, 9, 60)) for _ in range(DAY * 42)])
    frames, at = [meter.device()], 0
    while at < len(meter.log):
        pack = meter.log[at].pack
        same = next((i for i in range(at, len(meter.log)) if meter.log[i].pack != pack), len(meter.log)) - at
        count = min(same, chance.choice((1, 7, 48, 48, 60)))
        frames.append(meter.report(at, count))
        at += count
    return meter, [*frames, meter.anchor()]


def books(world: World) -> dict[str, object]:
    """Everything the books say of meter and money, apart from when and in how many rows it was said."""
    return {
        "accounts": world.reader.read(account_balances),
        "state": world.rows("SELECT * FROM meter_state"),
        "statement": world.rows("SELECT credited_mills, debited_mills FROM statement ORDER BY number DESC LIMIT 1"),
        "cases": world.rows("SELECT kind FROM case_file"),
    }


@pytest.mark.parametrize("seed", range(6))
def test_f1_any_order_and_repetition_of_uplinks_ends_in_the_same_books(tmp_path: Path, seed: int) -> None:
    """F1, A2, I5: shuffled, doubled, in both bearers' ways; the in-order delivery is the reference."""
    reference = None
    for way in ("in order", "shuffled"):
        folder = tmp_path / way
        folder.mkdir()
        world = World(folder, random.Random(seed))
        meter, frames = history(world, random.Random(seed))
        if way == "shuffled":
            mixed = random.Random(seed + 100)
            placed = list(enumerate(frames))
            placed += mixed.sample(placed, len(placed) // 3)
            # The replay window forgives 63 places; more disorder than that is loss, and what is lost is sent again.
            frames = [frame for _, frame in sorted(placed, key=lambda item: item[0] + mixed.random() * 50)]
        for frame in frames:
            assert world.lose_answer(meter, frame).refusal is None
        found = books(world)
        assert world.reader.read(check_books) == []
        assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + len(meter.log)
        assert world.one("SELECT spent_mills FROM meter_state") == meter.spent_mills
        assert world.one("SELECT collected_mills FROM meter_state") == meter.debt.collected_mills == 2_500_000
        assert world.one("SELECT volume_l FROM meter_state") == meter.volume_l
        world.close()
        reference = reference or found
        assert found == reference


def test_the_books_agree_with_one_litre_at_a_time(world: World) -> None:
    """B1, B2, CT-08: revenue by an oracle that knows nothing of packs, kernels or segments."""
    meter, frames = history(world, random.Random(3))
    for frame in frames:
        world.receive(meter, frame)
    oracle, water, days = Oracle(), 0, 0
    for item in meter.log:
        cheap = item.slot >= CHEAPER_SINCE
        printed = CHEAPER if cheap else NIGER
        water += oracle.cost_mills(month_of(item.slot), item.litres, tuple(map(tuple, printed["blocks"])))
        days += cheap and (item.slot - CHEAPER_SINCE) % DAY == 0
    balances = world.reader.read(account_balances)
    assert balances["water"] == water
    assert balances["fixed"] == 3_000 * days
    assert balances["till"] == 90_000_000
    wallet = next(value for code, value in balances.items() if code.startswith("wallet/"))
    assert wallet == 90_000_000 - water - 3_000 * days - 2_500_000 == meter.balance_mills


def test_f1_a_row_that_comes_early_posts_nothing_and_the_one_that_closes_the_gap_posts_all(world: World) -> None:
    """F1, CT-05: posting day 5 before day 4 would price it in the wrong block; a missed frame is filled in later."""
    meter = world.add()
    meter.use([300] * DAY * 3)
    first, second, third = (meter.report(DAY * day, DAY) for day in range(3))
    world.receive(meter, first)
    world.receive(meter, third)
    assert world.rows("SELECT wallet_mills IS NULL, slot_count FROM uplink ORDER BY id") == [(0, 48), (1, 48)]
    assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + DAY
    world.receive(meter, second)
    assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + 3 * DAY
    assert world.one("SELECT spent_mills FROM meter_state") == meter.spent_mills
    # 14,400 L a day: 10,000 at 127 and the rest at 279; then to 40,000 at 279; the last 3,200 at 448.
    assert meter.spent_mills == 10_000 * 127 + 30_000 * 279 + 3_200 * 448


def test_f1_a_posting_never_crosses_a_month(world: World) -> None:
    """F1, D01: a frame over the last night of November makes two segments; December starts at the first block."""
    meter = world.add()
    meter.use([10] * DAY * 29)
    for day in range(28):
        world.receive(meter, meter.report(DAY * day, DAY))
    meter.use([10] * DAY)
    world.receive(meter, meter.report(DAY * 28, 2 * DAY))
    columns = "segment_first_slot, segment_slots, wallet_mills"
    both = world.rows(f"SELECT {columns} FROM uplink WHERE slot_count = 96 UNION ALL SELECT {columns} FROM segment")
    december = slot_at(2026, 12, 1)
    assert both == [(december - DAY, DAY, 10 * DAY * 279), (december, DAY, 10 * DAY * 127)]


@pytest.mark.parametrize("seed", range(3))
def test_a_lossy_world_converges_within_20_uplinks_once_the_faults_stop(world: World, seed: int) -> None:
    """I12, I22: 30 days of 50 % loss each way, doubles and late frames, payments all the time; then a quiet world.

    The meter sends two frames a day, from the first slot that is not acknowledged on.
    """
    chance = random.Random(seed)
    meter, late = world.add(), []

    def send_unacknowledged() -> list[bytes]:
        first = max(0, meter.acked_slot - START_SLOT)
        starts = range(first, len(meter.log), DAY)
        return [meter.report(at, min(DAY, len(meter.log) - at)) for at in starts][:2]

    for day in range(30):
        meter.use([chance.choice((0, 0, 5, 80)) for _ in range(DAY)])
        world.pay(meter.number, chance.randrange(1, 3_000), f"{seed}-{day}")
        frames = send_unacknowledged() + late
        late = [frame for frame in frames if chance.random() < 0.1]
        for frame in frames:
            if frame in late or chance.random() < 0.5:
                continue
            for _ in range(1 + (chance.random() < 0.2)):
                answer = world.lose_answer(meter, frame)
                if chance.random() < 0.5:
                    meter.hear(answer.reply)
    uplinks = 0
    while meter.acked_slot < meter.slot or uplinks == 0:
        for frame in send_unacknowledged() or [meter.poll()]:
            world.receive(meter, frame)
            uplinks += 1
    assert uplinks <= 20
    assert world.one("SELECT spent_mills FROM meter_state") == meter.spent_mills
    assert world.rows("SELECT credited_mills, debited_mills FROM statement ORDER BY number DESC LIMIT 1") == [
        (meter.credited_mills, meter.debited_mills)
    ]
    assert world.reader.read(check_books) == []


def test_a_repeated_uplink_is_answered_again_and_posts_nothing(world: World) -> None:
    """R5, I13: the answer may have been lost; the frame's counter makes the second one a question only."""
    meter = world.add()
    meter.use([5] * DAY)
    frame = meter.report(0, DAY)
    first = world.lose_answer(meter, frame)
    before = books(world)
    again = world.receive(meter, frame)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert books(world) == before
    assert world.one("SELECT count(*) FROM uplink") == 1
    assert meter.acked_slot == START_SLOT + DAY
    assert first.reply is not None and again.reply is not None
    used = [item.counter for item in (*first.reply.messages, *again.reply.messages)]
    assert len(set(used)) == len(used), "no downlink counter is ever used twice (I15)"


def test_the_same_slots_in_another_frame_post_nothing_more(world: World) -> None:
    """A meter that was not answered packs its slots anew: facts are kept, money moves once."""
    meter = world.add()
    meter.use([5] * DAY)
    world.lose_answer(meter, meter.report(0, 30))
    world.lose_answer(meter, meter.report(0, DAY))
    world.lose_answer(meter, meter.report(10, 38))
    assert world.one("SELECT spent_mills FROM meter_state") == meter.spent_mills == 5 * DAY * 127
    assert world.one("SELECT count(*) FROM uplink") == 3
    assert world.one("SELECT sum(wallet_mills) FROM uplink") == meter.spent_mills
    assert world.reader.read(check_books) == []


def test_a_conflicting_slot_is_a_case_and_never_an_overwrite(world: World) -> None:
    """DESIGN §6: (meter, slot) came with another value; the first one stays in the books. No one meter says so (I6)."""
    meter = world.add()
    meter.use([5] * DAY)
    world.receive(meter, meter.report(0, DAY))
    meter.log[7] = replace(meter.log[7], litres=6)
    world.receive(meter, meter.report(0, DAY))
    assert world.rows("SELECT kind FROM case_file") == [("cloned",), ("slot-conflict",)]
    assert world.one("SELECT state FROM meter") == "quarantined"
    assert world.one("SELECT sum(wallet_mills) FROM uplink") == 5 * DAY * 127
    assert world.reader.read(check_books) == []


def test_a_meter_wrong_by_one_mill_is_a_case_and_breaks_the_daily_check(world: World) -> None:
    """B8, W01: what the meter took is what is posted; that it disagrees with its own tariff is found, not corrected."""
    meter = world.add()
    meter.use([5] * DAY)
    meter.skew_mills = 1
    meter.use([5] * DAY)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.report(DAY, DAY))
    assert world.rows("SELECT kind FROM case_file ORDER BY id") == [("divergent",), ("unexplained",)]
    assert [fault.check for fault in world.reader.read(check_books)] == ["daily-cut"]
    assert world.one("SELECT count(*) FROM entry WHERE kind = 'rating'") == 0
    meter.use([5] * DAY)
    world.receive(meter, meter.report(2 * DAY, DAY))
    assert world.one("SELECT count(*) FROM case_file") == 2, "one difference is one case, not one per day"


def test_a4_s_that_falls_quarantines_the_meter(world: World) -> None:
    """A4: a meter that lost its state is not believed; its facts are kept and nothing more is posted."""
    meter = world.add()
    meter.use([50] * DAY)
    world.receive(meter, meter.report(0, DAY))
    meter.rating = meter.rating._replace(spent_mills=10)
    world.receive(meter, meter.anchor())
    assert world.one("SELECT state FROM meter") == "quarantined"
    assert world.rows("SELECT kind FROM case_file") == [("went-back",)]
    meter.use([50] * DAY)
    world.receive(meter, meter.report(DAY, DAY))
    assert world.one("SELECT frontier_slot FROM meter_state") == START_SLOT + DAY
    assert world.one("SELECT count(*) FROM uplink") == 3
    assert world.reader.read(check_books) == []


def test_c1_a_new_log_generation_goes_on_where_the_old_one_ended(world: World) -> None:
    """C1: the clock stepped back by days; slot numbers come again, litres and money do not."""
    meter = world.add()
    meter.use([5] * DAY * 5)
    meter.new_log_generation(START_SLOT + DAY)
    meter.use([7] * DAY)
    frames = [meter.report(DAY * day, DAY) for day in range(6)]
    for index in (5, 0, 1, 3, 2, 4):
        world.lose_answer(meter, frames[index])
    assert world.rows("SELECT log_generation, frontier_slot, spent_mills, waiting FROM meter_state") == [
        (1, START_SLOT + 2 * DAY, meter.spent_mills, 0)
    ]
    assert world.reader.read(check_books) == []


def test_a_log_that_starts_later_than_its_contract_is_taken_from_its_first_slot(world: World) -> None:
    """The technician came an hour late: DEVICE names the first slot, or the log that continues the first index does."""
    for number, told in ((1, True), (2, False)):
        meter = world.add(number)
        meter.slot += 2
        meter.use([5] * DAY)
        if told:
            world.receive(meter, meter.device())
        world.receive(meter, meter.report(0, DAY))
        assert meter.acked_slot == START_SLOT + 2 + DAY
    assert world.reader.read(check_books) == []


def test_ct_15_the_series_of_slots_can_tell_a_gap_from_zero(world: World) -> None:
    """CT-15: what was not reported is absent from the facts, not zero."""
    meter = world.add()
    meter.use([0] * DAY * 3)
    world.receive(meter, meter.report(0, DAY))
    world.receive(meter, meter.report(2 * DAY, DAY))
    stored = world.rows("SELECT first_slot, slot_count FROM uplink WHERE first_slot IS NOT NULL ORDER BY first_slot")
    assert stored == [(START_SLOT, DAY), (START_SLOT + 2 * DAY, DAY)]
    assert world.one("SELECT waiting FROM meter_state") == 1


def test_the_meters_own_balance_is_derived_at_its_cut(world: World) -> None:
    """B8: C and D of the statement it echoed, less its S and R: not of the statement we would like it to have."""
    meter = world.add()
    world.pay(meter.number, 500, "t1")
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    world.pay(meter.number, 700, "t2")
    world.lose_answer(meter, meter.report(0, DAY))
    assert world.one("SELECT balance_mills FROM meter_link") == meter.balance_mills == 500_000 - 5 * DAY * 127
