"""Late prices: announced before they are taken, worked off in small jobs, tried before they are published, and the same
whatever the order (SEMANTICS B5, B6; CT-09, CT-10, CT-26, IW-71; D17, D19)."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headend.billing import rating_base
from headend.billing.knowledge import knowledge_of
from headend.billing.tariffs import Terms, drafted
from headend.billing.try_tariff import Tried, try_on_meter
from headend.ingest import meter_state
from headend.ledger.checks import account_balances, check_books
from headend.ledger.rebuild import rewrite
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World, slot_at

DAY = 48


def flat(price: int | str, **more: Any) -> dict[str, Any]:
    return {"blocks": [[0, price]], "utc_offset_minutes": 60, **more}


def ten_days(world: World, number: int = 1) -> VirtualMeter:
    """Ten days of 480 litres at 127: 609,600 mills."""
    meter = world.add(number)
    meter.use([10] * DAY * 10)
    for day in range(10):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    return meter


def held(world: World, name: str) -> int:
    return sum(mills for code, mills in world.reader.read(account_balances).items() if code.split("/")[0] == name)


def statement(world: World) -> tuple[int, int]:
    rows = world.rows("SELECT credited_mills, debited_mills FROM statement ORDER BY number DESC LIMIT 1")
    return int(rows[0][0]), int(rows[0][1])


# ---- B6: announced, then taken ---------------------------------------------------------------------------------------


def test_b6_a_debit_waits_for_its_notice_as_the_holders_debt(world: World) -> None:
    """B6: 2,400 L × 23 = 55,200 mills more; D rises seven days after the message, not a microsecond earlier."""
    ten_days(world)
    world.publish(flat(150), START_SLOT + 5 * DAY, "debit")
    assert (statement(world), held(world, "receivable")) == ((0, 0), 55_200)
    assert world.reader.read(check_books) == []
    world.clock.set(world.clock.unix_us() + 7 * 86_400_000_000 - 1)
    world.work_off()
    assert statement(world) == (0, 0)
    world.clock.set(world.clock.unix_us() + 1)
    world.work_off()
    assert (statement(world), held(world, "receivable")) == ((0, 55_200), 0)
    world.pass_days(30)
    assert statement(world) == (0, 55_200), "once"
    assert world.reader.read(check_books) == []


def test_b6_the_notice_is_the_tariffs_own(world: World) -> None:
    ten_days(world)
    world.publish(flat(150), START_SLOT + 5 * DAY, "debit", notice_days=14)
    world.pass_days(13)
    assert statement(world) == (0, 0)
    world.pass_days(1)
    assert statement(world) == (0, 55_200)


def test_b6_a_debit_falls_due_with_the_meters_own_word(world: World) -> None:
    """B6: whoever is first, the headend's clock or the next uplink, posts it; the other finds nothing to do."""
    meter = ten_days(world)
    world.publish(flat(150), START_SLOT + 5 * DAY, "debit")
    world.clock.set(world.clock.unix_us() + 7 * 86_400_000_000)
    world.receive(meter, meter.poll())
    assert meter.debited_mills == 55_200
    world.work_off()
    assert statement(world) == (0, 55_200)


def test_b6_what_is_taken_back_during_the_notice_never_reaches_the_wallet(world: World) -> None:
    """B6: 55,200 announced, 31,200 of it withdrawn on the third day: 24,000 are left, and due when first announced."""
    ten_days(world)
    world.publish(flat(150), START_SLOT + 5 * DAY, "debit")
    world.pass_days(3)
    world.publish(flat(137), START_SLOT + 5 * DAY, "debit")
    assert (statement(world), held(world, "receivable")) == ((0, 0), 24_000)
    world.pass_days(4)
    assert statement(world) == (0, 24_000)
    world.publish(flat(127), START_SLOT + 5 * DAY, "debit")
    assert statement(world) == (24_000, 24_000), "given back at once"
    assert world.reader.read(check_books) == []


def test_b6_a_credit_that_was_a_mistake_is_taken_back_after_notice_too(world: World) -> None:
    """B6: a correction never closes a valve within the notice of its message, whichever way it came about."""
    ten_days(world)
    world.publish(flat(100), START_SLOT + 5 * DAY)
    assert statement(world) == (64_800, 0)
    world.publish(flat(127), START_SLOT + 5 * DAY)
    assert (statement(world), held(world, "receivable")) == ((64_800, 0), 64_800)
    world.pass_days(7)
    assert (statement(world), held(world, "receivable")) == ((64_800, 64_800), 0)
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize(
    ("currency", "exponent", "fr", "en"),
    [
        ("XOF", 0, "55,2\u00a0F\u00a0CFA", "55.2\u00a0F\u00a0CFA"),
        ("KES", 2, "0,552\u00a0KSh", "0.552\u00a0KSh"),
        ("TND", 3, "0,0552\u00a0DT", "0.0552\u00a0DT"),
    ],
)
def test_ct_26_the_message_of_a_correction_is_in_both_languages_and_any_currency(
    tmp_path: Path, currency: str, exponent: int, fr: str, en: str
) -> None:
    """CT-26, B6: XOF has no decimals, KES two, TND three; what is below the minor unit is said and not rounded away."""
    world = World(tmp_path, random.Random(3), currency, exponent)
    ten_days(world)
    world.publish(flat(150), START_SLOT + 5 * DAY, "debit")
    [(french, english)] = world.rows("SELECT text_fr, text_en FROM rating_notice")
    assert french == (
        f"Le prix de votre eau déjà consommée a été corrigé\u00a0: {fr} de plus. "
        "Ils seront pris sur votre crédit le 9 nov. 2026, pas avant."
    )
    assert english == (
        f"The price of water you have used was corrected: {en} more. "
        "They are taken from your credit on 9 Nov 2026, not before."
    )
    world.close()


@pytest.mark.parametrize(
    ("price", "late", "said"), [(100, "waive", ["rendus"]), (150, "debt", ["dette"]), (150, "waive", [])]
)
def test_d17_a_credit_and_a_debt_are_told_too_but_nothing_that_is_waived(
    world: World, price: int, late: str, said: list[str]
) -> None:
    ten_days(world)
    world.publish(flat(price), START_SLOT + 5 * DAY, late)
    told = [text for (text,) in world.rows("SELECT text_fr FROM rating_notice")]
    assert [word in text for word, text in zip(said, told, strict=True)] == [True] * len(said)


@pytest.mark.parametrize("days", [-1, 367, True])
def test_a_notice_outside_a_year_is_refused(world: World, days: int) -> None:
    with pytest.raises(Refused) as refused:
        world.publish(flat(150), START_SLOT, "debit", notice_days=days)
    assert (refused.value.code, refused.value.field) == (Code.TARIFF_NOTICE, "notice_days")


# ---- small jobs ------------------------------------------------------------------------------------------------------


def test_ct_10_a_publication_posts_nothing_itself_and_what_is_left_survives_a_restart(tmp_path: Path) -> None:
    """CT-10: of three meters listed one is done when the headend stops; the next one does the others, each once."""
    world = World(tmp_path, random.Random(1))
    for number in (1, 2, 3):
        ten_days(world, number)
    world.announce(flat(100), START_SLOT + 5 * DAY)
    assert world.one("SELECT count(*) FROM entry WHERE kind = 'rating'") == 0
    assert world.reader.read(check_books) == [], "waiting is no fault"
    world.work_off_meter(1)
    world.close()
    again = World(tmp_path, random.Random(2))
    assert again.rows("SELECT count(*) FROM rating_work") == [(2,)]
    again.work_off()
    again.work_off_meter(1)
    assert again.rows("SELECT meter_id, count(*) FROM entry WHERE kind = 'rating' GROUP BY 1") == [
        (number.to_bytes(8, "big"), 1) for number in (1, 2, 3)
    ]
    assert again.one("SELECT count(*) FROM pack WHERE kind = 3") == 6
    assert again.reader.read(check_books) == []
    again.close()


def test_ct_10_a_meter_that_speaks_before_its_turn_is_served_with_its_uplink(world: World) -> None:
    meter = ten_days(world)
    world.announce(flat(100), START_SLOT + 5 * DAY)
    world.receive(meter, meter.poll())
    assert (meter.credited_mills, meter.packs[-1].blocks[0][1]) == (64_800, 100)
    assert world.one("SELECT count(*) FROM rating_work") == 0


def test_a_late_meters_uplink_reads_only_its_new_slots(world: World) -> None:
    """B5: rating goes on from where it stood; what is kept is thrown away as soon as its slots get other prices."""
    meter = ten_days(world)
    world.publish(flat(100), START_SLOT + 5 * DAY)
    state, known = world.writer.run(lambda tx: (meter_state.load(tx, meter.meter_id), knowledge_of(tx, meter.meter_id)))
    kept = world.writer.run(lambda tx: rating_base.load(tx, state, known))
    assert kept is not None
    assert kept.upto == (0, START_SLOT + 10 * DAY)
    world.announce(flat(90), START_SLOT + 11 * DAY)
    assert world.writer.run(lambda tx: rating_base.load(tx, state, knowledge_of(tx, meter.meter_id))) is not None
    world.announce(flat(90), START_SLOT + 9 * DAY)
    assert world.writer.run(lambda tx: rating_base.load(tx, state, knowledge_of(tx, meter.meter_id))) is None


def test_a_kept_base_that_was_touched_is_found(world: World) -> None:
    ten_days(world)
    world.publish(flat(100), START_SLOT + 5 * DAY)
    world.writer.run(lambda tx: tx.cursor.execute("UPDATE rating_base SET sums = replace(sums, '-648', '-649')"))
    assert ["rating_base" in str(fault) for fault in world.reader.read(check_books)] == [True]
    world.writer.run(rewrite)
    assert world.reader.read(check_books) == []


# ---- tried before it is published ------------------------------------------------------------------------------------


def posted_since(world: World, entry_id: int) -> dict[bytes, dict[str, int]]:
    """What entries after that one moved, per meter and class of account: debits +, credits −."""
    rows = world.rows(
        "SELECT e.meter_id, a.class_, sum(CASE a.id WHEN t.debit_account THEN amount_mills ELSE -amount_mills END) "
        "FROM entry e JOIN transfer t ON t.entry_id = e.id "
        "JOIN account a ON a.id IN (t.debit_account, t.credit_account) WHERE e.id > ? GROUP BY 1, 2",
        entry_id,
    )
    found: dict[bytes, dict[str, int]] = {}
    for meter_id, class_, mills in rows:
        if mills:
            found.setdefault(meter_id, {})[class_] = mills
    return found


@pytest.mark.parametrize("late", ["waive", "debt", "debit"])
@pytest.mark.parametrize("prices", [flat(100), flat(150), flat(90, sewer_percent=50), flat("127.5", standing_day=3)])
def test_iw_71_what_is_tried_is_what_publishing_then_posts(world: World, late: str, prices: dict[str, Any]) -> None:
    """IW-71: per customer and in all, with corrections standing from before; trying posts nothing."""
    for number in (1, 2):
        ten_days(world, number)
    world.publish(flat(140), START_SLOT + 3 * DAY, "debit")
    before = world.one("SELECT max(id) FROM entry")

    def trying(tx: Tx) -> list[Tried]:
        draft = drafted(tx, "home", "Homes", prices, START_SLOT + 2 * DAY, Terms(late))
        return [try_on_meter(tx, draft, number.to_bytes(8, "big")) for number in (1, 2)]

    tried = world.reader.read(lambda connection: trying(Tx(connection, 0, world.clock.unix_us())))
    assert world.one("SELECT max(id) FROM entry") == before
    world.publish(prices, START_SLOT + 2 * DAY, late)
    assert {one.meter_id: one.by_class for one in tried if one.by_class} == posted_since(world, before)


# ---- CT-09: monthly charges ------------------------------------------------------------------------------------------


def test_ct_09_a_monthly_charge_is_taken_once_a_local_month_though_the_meter_was_offline(world: World) -> None:
    """CT-09, B7: seventy days dark over two month edges, told in one go: November, December, January, once each."""
    world.publish(flat(0, standing_month=300), START_SLOT - DAY)
    meter = world.add()
    meter.use([0] * DAY * 70)
    for day in range(70):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    assert held(world, "fixed") == 3 * 300_000 == meter.spent_mills
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize(("prorated", "borne"), [(True, 100_000), (False, 300_000)])
def test_ct_09_the_first_month_is_borne_in_part_where_the_tariff_says_so(
    world: World, prorated: bool, borne: int
) -> None:
    """CT-09: from 21 November 10 of 30 days; the meter charges 300, the books give 200 back. December is whole."""
    world.publish(flat(0, standing_month=300), START_SLOT - DAY, prorated=prorated)
    meter = world.add(start_slot=slot_at(2026, 11, 21))
    meter.use([0] * DAY * 20)
    for day in range(20):
        world.lose_answer(meter, meter.report(DAY * day, DAY))
    assert held(world, "fixed") == borne + 300_000
    assert statement(world) == (300_000 - borne, 0)
    assert world.reader.read(check_books) == []


# ---- any order -------------------------------------------------------------------------------------------------------

TARIFFS = (
    (flat(100), START_SLOT + 2 * DAY, "debit"),
    (flat(150), START_SLOT + 4 * DAY, "debit"),
    (flat(90, sewer_percent=50), START_SLOT + 1 * DAY, "debt"),
    (flat("127.5", standing_day=3), START_SLOT - DAY * 5, "waive"),
)
ACTS = [*(("publish", number) for number in range(4)), *(("report", day) for day in range(6))]


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    return outcome(tmp_path_factory.mktemp("in_order"), ACTS, frozenset(), 0)


def outcome(folder: Path, acts: list[tuple[str, int]], restarts: frozenset[int], late_days: int) -> tuple[Any, ...]:
    """Balances, C − D, T and A after these acts in this order, once every notice is over."""
    world = World(folder, random.Random(1))
    meter = world.add()
    meter.use([10, 0, 7] * 16 * 6)
    frames = [meter.report(DAY * day, DAY) for day in range(6)]
    for step, (act, number) in enumerate(acts):
        if act == "report":
            world.lose_answer(meter, frames[number])
        else:
            world.announce(*TARIFFS[number])
        if step in restarts:
            world.work_off()
            world.close()
            clock_us = world.clock.unix_us()
            world = World(folder, random.Random(step))
            world.clock.set(clock_us)
        world.clock.set(world.clock.unix_us() + late_days * 86_400_000_000)
    world.work_off()
    world.pass_days(8)
    assert world.reader.read(check_books) == []
    credited, debited = statement(world)
    state = world.rows("SELECT spent_mills, today_spent_mills, today_position_l, corrected_mills FROM meter_state")
    balances = {code: mills for code, mills in world.reader.read(account_balances).items() if mills}
    world.close()
    return balances, credited - debited, state


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.permutations(ACTS),
    restarts=st.frozensets(st.integers(0, 9), max_size=3),
    late_days=st.integers(0, 3),
)
def test_b5_any_order_lateness_and_restart_ends_in_the_same_place(
    tmp_path_factory: pytest.TempPathFactory,
    in_order: tuple[Any, ...],
    acts: list[tuple[str, int]],
    restarts: frozenset[int],
    late_days: int,
) -> None:
    """B5, B6: four publications and six days of reports, interleaved anyhow, days apart, with restarts between.

    Prices that start at different slots: of one start the newest knowledge counts, so there the order would matter.
    """
    assert outcome(tmp_path_factory.mktemp("any"), acts, restarts, late_days) == in_order
