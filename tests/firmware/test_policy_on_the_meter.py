"""The policy end to end: what the customer's valve does, why the face says it does, and what it costs the motor."""

from collections.abc import Callable

import pytest

from protocol.rules import reason_codes
from protocol.rules.calendar import slot_of
from protocol.rules.policy import BATTERY_CLOSES, BATTERY_OPENS, NEVER_CLOSE_LOCK, TAMPER_CLOSES, encode_body
from protocol.wire.messages import DOWN_POLICY, UP_POLL, VALVE_CLOSED, VALVE_OPEN
from protocol.wire.parts import pack_parts
from simulator import link
from tests.firmware.rig import METER_ID, MIDNIGHT_S, POLICY, Rig, opening

Make = Callable[..., Rig]
HOUR, DAY = 3600, 86_400
SLOT = slot_of(MIDNIGHT_S)
PULSES = POLICY._replace(lifeline_l_per_day=20, pulse_l=5, pause_s=1800)
FIRE = POLICY._replace(fire_s=6 * HOUR, fire_every_days=30, fire_cap_l=40)
CRITICAL_MV, GOOD_MV = 2_600, 3_600


def dry(meter: Rig) -> Rig:
    """A started meter whose credit of one litre is used up."""
    meter.start()
    meter.draw(1)
    return meter


def five_presses(meter: Rig, seconds_each: int = 2) -> None:
    for _ in range(5):
        meter.press()
        meter.run(seconds_each)


# Fire mode ------------------------------------------------------------------------------------------------------------
def test_five_presses_within_ten_seconds_open_for_six_hours(rig: Make) -> None:
    """H08: once in thirty days, up to its litres, across a reset; each press polls as ever."""
    meter = dry(rig(opening=opening(500), policy=FIRE))
    assert meter.face["valve"] == VALVE_CLOSED
    pressed_s = meter.now_s
    five_presses(meter)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_OPEN, reason_codes.FIRE)
    assert len(meter.sent(UP_POLL)) == 5
    meter.draw(10)
    meter.restart()
    end_s = meter.face["until_unix_s"]
    assert pressed_s + 6 * HOUR <= end_s <= pressed_s + 6 * HOUR + 10
    meter.run_to(end_s - 1)
    assert meter.face["valve"] == VALVE_OPEN
    meter.run_to(end_s)
    assert (meter.face["valve"], meter.read()["balance_mills"]) == (VALVE_CLOSED, -5_000)
    five_presses(meter)
    assert meter.face["valve"] == VALVE_CLOSED  # the next one in thirty days


def test_fire_mode_ends_by_its_litres(rig: Make) -> None:
    meter = dry(rig(opening=opening(500), policy=FIRE))
    five_presses(meter)
    assert meter.draw(100) == 40
    assert meter.face["valve"] == VALVE_CLOSED


@pytest.mark.parametrize("seconds_each", [3, 60])
def test_slower_presses_only_poll(rig: Make, seconds_each: int) -> None:
    """Five presses in twelve seconds or more are five questions, not an emergency."""
    meter = dry(rig(opening=opening(500), policy=FIRE))
    five_presses(meter, seconds_each)
    assert meter.face["valve"] == VALVE_CLOSED


def test_presses_change_nothing_without_a_fire_mode_or_with_water(rig: Make) -> None:
    meter = dry(rig(opening=opening(500)))
    five_presses(meter)
    assert meter.face["valve"] == VALVE_CLOSED
    rich = rig(opening=opening(1_000), policy=FIRE).start()
    five_presses(rich)
    rich.draw(100)
    assert rich.face["valve"] == VALVE_CLOSED  # the presses with water did not start it
    five_presses(rich)
    assert rich.face["reason"] == reason_codes.FIRE


def test_the_customer_does_not_open_against_an_order(rig: Make) -> None:
    """reason_codes.FIRE_OPENS: what the utility closed stays closed."""
    meter = rig(opening=opening(500), policy=FIRE._replace(flags=TAMPER_CLOSES)).start()
    meter.advance(link.tamper(True))
    five_presses(meter)
    assert meter.face["reason"] == reason_codes.TAMPER_CLOSED
    meter.advance(link.tamper(False))
    meter.draw(1)
    assert meter.face["valve"] == VALVE_CLOSED


# Lifeline -------------------------------------------------------------------------------------------------------------
def test_the_lifeline_flows_in_pulses_and_moves_the_valve_as_often_as_the_policy_says(rig: Make) -> None:
    """H05: 20 litres a day in four pulses of five: eight moves a day, whatever the customer draws, and not one when
    nobody draws."""
    meter = dry(rig(opening=opening(500), policy=PULSES))
    moves = len(meter.moves)
    drawn = 0
    while meter.now_s < MIDNIGHT_S + DAY:
        drawn += meter.draw(7)
        meter.run(300)
    assert drawn == 20 and meter.face["valve"] in (VALVE_OPEN, VALVE_CLOSED)
    day_moves = [at for at, _ in meter.moves[moves:] if at < MIDNIGHT_S + DAY]
    assert len(day_moves) == 7  # the first pulse found it open; it opens again at midnight
    meter.run_to(MIDNIGHT_S + 2 * DAY)
    assert [at for at, _ in meter.moves if MIDNIGHT_S + DAY < at < MIDNIGHT_S + 2 * DAY] == []


def test_the_pause_ends_to_the_second_and_outlives_a_reset(rig: Make) -> None:
    meter = dry(rig(opening=opening(500), policy=PULSES))
    assert meter.draw(100) == 5
    assert meter.face["reason"] == reason_codes.LIFELINE_PAUSE
    end_s = meter.now_s + 1800
    assert meter.face["until_unix_s"] == end_s
    meter.run(100)
    meter.restart()
    meter.run_to(end_s - 1)
    assert meter.face["valve"] == VALVE_CLOSED
    meter.run_to(end_s)
    assert (meter.face["valve"], meter.draw(100)) == (VALVE_OPEN, 5)


def test_a_town_reopens_after_midnight_over_the_jitter(rig: Make) -> None:
    """H03: each meter at its own second of the jitter, the face says why and until when."""
    policy = POLICY._replace(lifeline_l_per_day=5, jitter_s=HOUR)
    meter = dry(rig(opening=opening(500), policy=policy))
    assert meter.draw(100) == 5
    meter.run_to(MIDNIGHT_S + DAY)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_CLOSED, reason_codes.REOPENING)
    from protocol.rules.decision import jitter_share

    own_s = HOUR * jitter_share(METER_ID) >> 16
    assert 0 < own_s < HOUR and meter.face["until_unix_s"] == MIDNIGHT_S + DAY + own_s
    meter.run_to(MIDNIGHT_S + DAY + own_s - 1)
    assert meter.face["valve"] == VALVE_CLOSED
    meter.run_to(MIDNIGHT_S + DAY + own_s)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_OPEN, reason_codes.LIFELINE)


# Holidays, amnesty, vulnerable homes ----------------------------------------------------------------------------------
def test_a_holiday_keeps_the_water_on_until_the_morning_after(rig: Make) -> None:
    """H01: dry at noon of the holiday, open till eight the next day."""
    policy = POLICY._replace(holidays=(SLOT // 48,), holiday_end_min=480, window_cap_l=50, until_slot=SLOT + 48 * 30)
    meter = rig(opening=opening(500), policy=policy).start()
    meter.run(12 * HOUR)
    assert meter.draw(4) == 4
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_OPEN, reason_codes.HOLIDAY)
    assert meter.face["until_unix_s"] == MIDNIGHT_S + DAY + 8 * HOUR
    meter.run_to(MIDNIGHT_S + DAY + 8 * HOUR - 1)
    assert meter.face["valve"] == VALVE_OPEN
    meter.run_to(MIDNIGHT_S + DAY + 8 * HOUR)
    assert meter.face["reason"] == reason_codes.NO_CREDIT


def test_an_amnesty_ends_at_its_slot_and_by_its_litres(rig: Make) -> None:
    """E1: both; the count of its litres outlives a reset."""
    policy = POLICY._replace(amnesty_until_slot=SLOT + 6, amnesty_cap_l=30)
    meter = dry(rig(opening=opening(500), policy=policy))
    assert meter.face["reason"] == reason_codes.AMNESTY
    meter.draw(12)
    meter.restart()
    meter.run_to(MIDNIGHT_S + 3 * HOUR - 1)
    assert meter.face["valve"] == VALVE_OPEN
    meter.run_to(MIDNIGHT_S + 3 * HOUR)
    assert meter.face["valve"] == VALVE_CLOSED
    thirsty = dry(rig(opening=opening(500), policy=policy))
    thirsty.draw(12)
    thirsty.restart()
    assert thirsty.draw(100) == 18
    assert thirsty.face["valve"] == VALVE_CLOSED


def test_a_vulnerable_home_has_its_litres_each_day_until_the_review(rig: Make) -> None:
    policy = POLICY._replace(vulnerable_until_slot=SLOT + 48 * 2, vulnerable_l_per_day=15)
    meter = dry(rig(opening=opening(500), policy=policy))
    assert (meter.draw(100), meter.face["reason"]) == (15, reason_codes.LIFELINE_USED)
    meter.run_to(MIDNIGHT_S + DAY)
    assert meter.draw(100) == 15
    meter.run_to(MIDNIGHT_S + 2 * DAY)
    assert meter.face["reason"] == reason_codes.NO_CREDIT


# Tamper, lock ---------------------------------------------------------------------------------------------------------
def test_tamper_closes_where_the_policy_says_so_and_nowhere_else(rig: Make) -> None:
    stern = rig(opening=opening(100_000), policy=POLICY._replace(flags=TAMPER_CLOSES)).start()
    stern.advance(link.tamper(True))
    assert (stern.face["valve"], stern.face["reason"]) == (VALVE_CLOSED, reason_codes.TAMPER_CLOSED)
    stern.advance(link.tamper(False))
    assert stern.face["valve"] == VALVE_OPEN
    locked = rig(opening=opening(100_000), policy=POLICY._replace(flags=TAMPER_CLOSES | NEVER_CLOSE_LOCK)).start()
    locked.advance(link.tamper(True))
    assert locked.face["valve"] == VALVE_OPEN


def test_a_stale_may_close_does_not_undo_never_close(rig: Make) -> None:
    """D1: the version decides, not the order of arrival."""
    meter = dry(rig(opening=opening(500)))
    locked, stale = POLICY._replace(version=3, flags=NEVER_CLOSE_LOCK), POLICY._replace(version=2)
    for policy in (locked, stale):
        meter.hear(
            *[meter.books.pack(DOWN_POLICY, part) for part in pack_parts(policy.version, 0, encode_body(policy))]
        )
    meter.run_to(MIDNIGHT_S + HOUR)
    assert (meter.read()["policy_version"], meter.face["reason"]) == (3, reason_codes.NEVER_CLOSE)


# The last reserve of the battery --------------------------------------------------------------------------------------
def test_the_last_reserve_makes_one_move_and_no_other(rig: Make) -> None:
    """M12: closes where the policy says so; not opened again by a top-up, a reset or a voltage that comes back a
    little; a good battery ends it."""
    meter = rig(opening=opening(100_000), policy=POLICY._replace(flags=BATTERY_CLOSES)).start()
    moves = len(meter.moves)
    meter.battery(CRITICAL_MV)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_CLOSED, reason_codes.BATTERY_CLOSED)
    meter.credit(200_000)
    meter.battery(2_900)
    meter.restart()
    meter.run(DAY)
    assert [command for _, command in meter.moves[moves:]] == [link.MOTOR_CLOSE]
    meter.battery(GOOD_MV)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_OPEN, reason_codes.CREDIT)


def test_the_humane_stance_opens_a_closed_valve_for_the_last_time(rig: Make) -> None:
    meter = dry(rig(opening=opening(500), policy=POLICY._replace(flags=BATTERY_OPENS)))
    moves = len(meter.moves)
    meter.battery(CRITICAL_MV)
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_OPEN, reason_codes.BATTERY_KEPT)
    meter.draw(5)
    meter.run(DAY)
    assert [command for _, command in meter.moves[moves:]] == [link.MOTOR_OPEN]


def test_without_a_stance_the_valve_stays_as_it_is(rig: Make) -> None:
    """M12: last state; a home whose credit ends keeps its water, which is charged."""
    meter = rig(opening=opening(500)).start()
    meter.battery(CRITICAL_MV)
    moves = len(meter.moves)
    assert meter.draw(9) == 9
    assert (meter.face["reason"], meter.read()["balance_mills"]) == (reason_codes.BATTERY_KEPT, -4_000)
    assert len(meter.moves) == moves


def test_a_last_move_that_stalls_is_not_tried_again(rig: Make) -> None:
    """M11, M12: retries would cost what is left."""
    meter = rig(opening=opening(100_000), policy=POLICY._replace(flags=BATTERY_CLOSES)).start()
    meter.valve_works = False
    moves = len(meter.moves)
    meter.battery(CRITICAL_MV)
    meter.run(3 * DAY)
    assert len(meter.moves) == moves + 1
