"""The customer's view: water flows while there is credit, stops at zero, and flows again after a payment."""

from collections.abc import Callable
from itertools import pairwise

from protocol.rules import reason_codes
from protocol.rules.calendar import Offsets, local_day, slot_of
from protocol.rules.debt import Plan
from protocol.rules.debt import encode_body as plan_body
from protocol.rules.policy import NEW, Policy
from protocol.rules.tariff import Tariff, encode_body
from protocol.wire import event_codes
from protocol.wire.messages import (
    DOWN_PLAN,
    DOWN_TARIFF,
    UP_DAY,
    UP_DEVICE,
    UP_EVENT,
    UP_POLL,
    UP_RANGE,
    VALVE_CLOSED,
    VALVE_OPEN,
    Statement,
)
from protocol.wire.parts import whole_pack
from simulator.link import MOTOR_CLOSE, MOTOR_OPEN
from tests.firmware.rig import MIDNIGHT_S, POLICY, TARIFF, Rig, opening

Make = Callable[..., Rig]
HOUR = 3600
NIAMEY = Offsets(60, ())


def test_pays_as_it_consumes_and_closes_at_zero(rig: Make) -> None:
    """CT-02, CT-06: 10,000 mills at 500 a litre are 20 litres; the valve shuts within the pulse that spends the
    last."""
    meter = rig(opening=opening(10_000)).start()
    assert meter.draw(1) == 1
    assert meter.read()["balance_mills"] == 9_500  # one tick after the litre
    assert meter.draw(100) == 19
    reading = meter.read()
    assert (reading["volume_l"], reading["balance_mills"]) == (20, 0)
    assert (reading["valve"], reading["reason"]) == (VALVE_CLOSED, reason_codes.NO_CREDIT)
    assert meter.face["reason"] == reason_codes.NO_CREDIT
    assert [command for _, command in meter.moves] == [MOTOR_OPEN, MOTOR_CLOSE]


def test_overshoot_is_the_closing_time(rig: Make) -> None:
    """CT-02: litres that pass while the valve closes are counted and charged, and nothing is lost from the balance."""
    meter = rig(opening=opening(10_000)).start()
    meter.draw(20)
    meter.pulse(2)  # the valve was still closing
    reading = meter.read()
    assert (reading["volume_l"], reading["balance_mills"]) == (22, -1_000)


def test_opens_by_itself_after_a_statement(rig: Make) -> None:
    """CT-01: no operator, and the event names its cause."""
    meter = rig(opening=opening(500)).start()
    meter.draw(1)
    assert meter.face["valve"] == VALVE_CLOSED
    meter.credit(5_500)
    assert meter.face["valve"] == VALVE_OPEN
    opened = [
        entry for event in meter.sent(UP_EVENT) for entry in event.events if entry.code == event_codes.VALVE_OPENED
    ]
    assert opened[-1].argument == reason_codes.CREDIT
    assert meter.draw(100) == 10


def test_low_credit_is_told_at_the_crossing_and_not_at_each_boot(rig: Make) -> None:
    """CT-16, the meter's share: one event when the balance falls to the level, none for a reboot below it."""
    meter = rig(opening=opening(10_000)).start()
    meter.draw(9)
    assert meter.event_codes().count(event_codes.LOW_CREDIT) == 0
    meter.draw(2)
    assert meter.event_codes().count(event_codes.LOW_CREDIT) == 1
    meter.kill()
    meter.restart().run(HOUR)
    assert meter.read()["balance_mills"] < POLICY.low_credit_mills
    assert meter.event_codes().count(event_codes.LOW_CREDIT) == 1


def test_statements_in_any_order_end_in_the_same_place(rig: Make) -> None:
    """A2: C and D by maximum, so loss, repetition and order are harmless; credit is taken back only by raising D."""
    meter = rig(opening=opening(1_000)).start()
    numbered = [Statement(2, 3_000, 0, 0, 0), Statement(3, 9_000, 500, 0, 0), Statement(4, 9_000, 700, 0, 0)]
    sealed = [meter.books.seal(statement) for statement in numbered]
    meter.hear(sealed[2], sealed[0], sealed[2], sealed[1], sealed[0])
    reading = meter.read()
    assert (reading["credited_mills"], reading["debited_mills"], reading["statement"]) == (9_000, 700, 4)
    assert reading["balance_mills"] == 8_300
    assert reading["refused_frames"] == 2  # the two repetitions never passed the window


def test_the_report_carries_the_litres_and_is_repeated_until_acknowledged(rig: Make) -> None:
    """CT-05, B8: half-hourly, from the first slot not acknowledged, with V before it and S after it."""
    meter = rig(opening=opening(100_000)).start()
    meter.draw(3)
    meter.run_to(MIDNIGHT_S + 1800)
    meter.draw(5)
    meter.run_to(MIDNIGHT_S + 3600 + 1799)
    first, second = meter.sent(UP_RANGE)
    assert (first.litres, first.volume16_l, first.spent24_mills) == ([3], 0, 1_500)
    assert (second.litres, second.volume16_l, second.spent24_mills) == ([3, 5], 0, 4_000)
    meter.credit(100_000, acked_slot=slot_of(MIDNIGHT_S) + 2)
    meter.run(1800)
    third = meter.sent(UP_RANGE)[-1]
    assert (third.litres, third.volume16_l, third.slot14) == ([0], 8, (slot_of(MIDNIGHT_S) + 2) & 0x3FFF)


def test_a_daily_report_tells_each_slot_and_fills_the_frame_with_earlier_ones(rig: Make) -> None:
    """radio.md: one frame a day; what the day leaves free of it repeats slots that nobody acknowledged."""
    meter = rig(opening=opening(100_000), report_slots=48).start()
    meter.run(3 * 24 * HOUR)
    frames = meter.sent(UP_DAY, UP_RANGE)
    ends = [message.slot14 + len(message.litres) for message in frames]
    assert len(frames) == 3 and all(len(raw) <= 51 for raw in meter.raw)
    assert frames[0].slot14 == slot_of(MIDNIGHT_S) & 0x3FFF and [b - a for a, b in pairwise(ends)] == [48, 48]
    assert frames[1].slot14 == frames[2].slot14 == frames[0].slot14
    meter.credit(100_000, acked_slot=slot_of(MIDNIGHT_S) & ~0x3FFF | ends[2])
    meter.run(24 * HOUR)
    assert len(meter.sent(UP_DAY)) == 1  # all before it is acknowledged


def test_standing_charge_falls_at_local_midnight(rig: Make) -> None:
    """B2, B7: at UTC+1 the day turns at 23:00Z; the charge falls in its first slot, once."""
    tariff = TARIFF._replace(offsets=NIAMEY, standing_day=2_000)
    meter = rig(opening=opening(100_000), tariff=tariff).start()
    assert meter.read()["spent_mills"] == 2_000  # the opening's own day
    meter.run_to(MIDNIGHT_S + 23 * HOUR - 1)
    assert meter.read()["spent_mills"] == 2_000
    meter.run_to(MIDNIGHT_S + 23 * HOUR)
    assert meter.read()["spent_mills"] == 4_000
    meter.restart()
    assert meter.read()["spent_mills"] == 4_000


def test_instalments_until_the_debt_is_repaid(rig: Make) -> None:
    """CT-12: 2,500 in instalments of 1,000 takes three days, the last one smaller, then stops; R pays no water."""
    today = local_day(slot_of(MIDNIGHT_S), TARIFF.offsets)
    meter = rig(opening=opening(100_000)).start()
    plan = Plan(1, 2_500, 1_000, today)
    meter.hear(meter.books.pack(DOWN_PLAN, whole_pack(1, 0, plan_body(plan))))
    collected = []
    for day in range(1, 6):
        meter.run_to(MIDNIGHT_S + day * 24 * HOUR - 1)
        collected.append(meter.read()["collected_mills"])
    assert collected == [1_000, 2_000, 2_500, 2_500, 2_500]
    assert (meter.read()["instalments"], meter.read()["spent_mills"], meter.read()["balance_mills"]) == (3, 0, 97_500)


def test_no_instalment_out_of_an_empty_wallet(rig: Make) -> None:
    """B7: only out of a positive balance, and whole or not at all."""
    meter = rig(opening=opening(900)).start()
    plan = Plan(1, 5_000, 1_000, 0)
    meter.hear(meter.books.pack(DOWN_PLAN, whole_pack(1, 0, plan_body(plan))))
    meter.run(25 * HOUR)
    assert meter.read()["collected_mills"] == 0


def test_a_tariff_acts_at_its_slot_and_not_before(rig: Make) -> None:
    """B4: held until its slot, confirmed at once by DEVICE, never re-rates; no frame spans the activation."""
    meter = rig(opening=opening(100_000)).start()
    from_slot = slot_of(MIDNIGHT_S) + 2
    dearer = Tariff(2, from_slot, 0, TARIFF.offsets, 1, 0, ((0, 700),), 0, 0)
    meter.hear(meter.books.pack(DOWN_TARIFF, whole_pack(2, from_slot, encode_body(dearer))))
    assert meter.sent(UP_DEVICE)[-1].pack_version == 2
    meter.draw(1)
    meter.run_to(MIDNIGHT_S + 3600)
    meter.draw(1)
    assert (meter.read()["spent_mills"], meter.read()["tariff_version"]) == (1_200, 2)
    meter.run(3600)
    packs = [(frame.slot14, len(frame.litres), frame.pack4) for frame in meter.sent(UP_RANGE)[-2:]]
    first = slot_of(MIDNIGHT_S) & 0x3FFF
    assert packs == [(first, 2, 1), (first + 2, 1, 2)]


def test_an_older_or_equal_tariff_is_ignored_and_a_broken_one_refused(rig: Make) -> None:
    """D1: the version decides; a body outside the rules changes nothing and is counted."""
    meter = rig(opening=opening(100_000)).start()
    same = whole_pack(1, 0, encode_body(TARIFF._replace(blocks=((0, 1),))))
    meter.hear(meter.books.pack(DOWN_TARIFF, same))
    meter.hear(meter.books.pack(DOWN_TARIFF, whole_pack(9, slot_of(MIDNIGHT_S) + 1, b"\xff\xff")))
    meter.run(3600)
    meter.draw(1)
    reading = meter.read()
    assert (reading["spent_mills"], reading["tariff_version"], reading["refused_frames"]) == (500, 1, 1)


def nights(cap_l: int) -> Policy:
    """Friendly hours from 20:00 to 06:00, for a month."""
    until_slot = slot_of(MIDNIGHT_S) + 48 * 30
    return NEW._replace(windows=((127, 20 * 60, 6 * 60),), window_cap_l=cap_l, until_slot=until_slot)


def test_friendly_hours_keep_the_water_on_until_morning(rig: Make) -> None:
    """A home that runs dry at 21:00 stays open till 06:00, warned, then closes; its litres are charged (B1, E1)."""
    policy = nights(60)._replace(low_credit_mills=5_000)
    meter = rig(opening=opening(1_000), policy=policy).start()
    meter.run_to(MIDNIGHT_S + 21 * HOUR)
    meter.draw(2)
    assert meter.face["valve"] == VALVE_OPEN
    assert (meter.face["reason"], meter.face["low_credit"]) == (reason_codes.FRIENDLY_HOURS, 1)
    assert meter.draw(3) == 3
    assert meter.read()["balance_mills"] == -1_500
    meter.run_to(MIDNIGHT_S + 30 * HOUR - 1)
    assert meter.face["valve"] == VALVE_OPEN
    meter.run_to(MIDNIGHT_S + 30 * HOUR)
    assert meter.face["valve"] == VALVE_CLOSED


def test_the_friendly_cap_closes_before_morning(rig: Make) -> None:
    """E1: every relaxing rule has a litre cap."""
    policy = nights(10)
    meter = rig(opening=opening(500), policy=policy).start()
    meter.run_to(MIDNIGHT_S + 21 * HOUR)
    assert meter.draw(100) == 1 + 10
    assert meter.face["reason"] == reason_codes.FRIENDLY_USED


def test_a_dry_customer_polls_on_a_ladder_and_the_button_starts_it_again(rig: Make) -> None:
    """radio.md: 1, 2, 5, 10, 15 minutes, then half-way between half-hourly reports; a press polls at once and again as
    soon as the windows of the one before have closed."""
    meter = rig(opening=opening(500)).start()
    meter.draw(1)
    closed_s = meter.now_s
    meter.run(2 * HOUR)
    asked = [at - closed_s for at, _, kind, _ in meter.frames if kind == UP_POLL]
    reports = [at - closed_s for at, _, kind, _ in meter.frames if kind in (UP_DAY, UP_RANGE)]
    ladder = [at for at in asked if at - 6 not in (*asked, *reports)]
    assert ladder[:5] == [60, 120, 300, 600, 900] and len(ladder[5:]) == 4
    assert {at % 1800 for at in ladder[5:]} == {(reports[0] + 900) % 1800}
    # Nothing was answered, so each poll and report of a dry meter is asked twice more.
    assert asked == sorted({at + more for at in (*ladder, *reports) for more in (0, 6, 12)} - set(reports))
    meter.frames.clear()
    pressed_s = meter.now_s
    meter.press()
    meter.run(150)
    polls = [at - pressed_s for at, _, kind, _ in meter.frames if kind == UP_POLL]
    assert polls == [0, 6, 12, 20, 40, 60, 66, 72, 120, 126, 132]


def test_an_answer_ends_the_repeats_of_the_button(rig: Make) -> None:
    meter = rig(opening=opening(500)).start()
    meter.draw(1)
    meter.press()
    meter.credit(100_500)
    meter.frames.clear()
    meter.run(600)
    assert meter.sent(UP_POLL) == []


def test_emergency_credit_is_a_negative_limit(rig: Make) -> None:
    """B1: it changes when the valve shuts, not what the water costs."""
    meter = rig(
        opening=opening(500), policy=POLICY._replace(emergency_mills=1_000, emergency_unsure_mills=1_000)
    ).start()
    assert meter.draw(50) == 3
    assert meter.read()["balance_mills"] == -1_000
