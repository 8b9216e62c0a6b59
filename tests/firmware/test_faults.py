"""Clocks that jump, valves that stick, pipes that leak, flash that rots."""

from collections.abc import Callable
from pathlib import Path

import pytest
from littlefs import LittleFS

from firmware.polls import ladder_after
from protocol.rules import reason_codes
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEW
from protocol.wire import event_codes
from protocol.wire.messages import (
    STATUS_CLOCK_UNSURE,
    STATUS_LEAK,
    UP_ANCHOR,
    UP_DAY,
    UP_RANGE,
    VALVE_CLOSED,
    VALVE_FAULT,
    VALVE_OPEN,
)
from simulator import link
from tests.firmware.rig import MIDNIGHT_S, TARIFF, Rig, opening

Make = Callable[..., Rig]
HOUR, DAY = 3600, 86_400
RICH = opening(100_000_000)


# Register -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pulse_ml", "pulses", "litres"), [(1_000, 7, 7), (10_000, 7, 70), (100_000, 3, 300), (100, 25, 2)]
)
def test_the_index_is_pulses_times_weight_across_kill_and_reset(
    rig: Make, pulse_ml: int, pulses: int, litres: int
) -> None:
    """CT-04: pulses that came while the processor was off are in the counter, and counted once."""
    meter = rig(opening=RICH, pulse_ml=pulse_ml).start()
    meter.pulse(pulses - 2)
    meter.kill()
    meter.count += 1  # nobody is awake to see it
    meter.start(provision=False)
    meter.pulse(1)
    meter.restart()
    assert meter.read()["volume_l"] == litres


def test_a_counter_that_lost_its_own_power_begins_again_at_zero(rig: Make) -> None:
    """CT-04: a count below the one taken is a new counter, not a negative volume."""
    meter = rig(opening=RICH).start()
    meter.pulse(12)
    meter.restart()
    meter.count = 3
    meter.restart()
    assert meter.read()["volume_l"] == 15


def test_more_litres_than_a_slot_holds_wait_for_the_next_one(rig: Make) -> None:
    """CT-04: 700 pulses of 100 L in one half-hour are 70,000 litres; a slot's record ends at 65,535."""
    meter = rig(opening=RICH, pulse_ml=100_000).start()
    meter.pulse(700)
    assert meter.read()["volume_l"] == 65_500
    meter.run(2 * HOUR)
    assert meter.read()["volume_l"] == 70_000
    assert meter.sent(UP_RANGE)[-1].litres[:2] == [65_500, 4_500]


# Clock ----------------------------------------------------------------------------------------------------------------
def test_a_cold_start_is_unsure_and_time_makes_it_sure(rig: Make) -> None:
    """C2, C3: slots are flagged and no day turns; TIME about an uplink sets the clock, missed days accrue once."""
    meter = rig(opening=RICH, tariff=TARIFF._replace(standing_day=100)).start()
    meter.run(HOUR)
    meter.rtc_valid = False
    meter.kill()
    meter.now_s += 3 * HOUR
    meter.start(provision=False)
    reading = meter.read()
    assert (reading["clock_sure"], reading["open_slot"]) == (0, slot_of(MIDNIGHT_S + HOUR))
    meter.run(30 * HOUR)  # past two midnights of the true world, one of its own
    assert meter.read()["spent_mills"] == 100
    assert meter.sent(UP_RANGE)[-1].status & STATUS_CLOCK_UNSURE
    sent_s, counter, _, _ = meter.frames[-1]
    meter.run(120)
    meter.hear(meter.books.time(counter, sent_s))
    reading = meter.read()
    assert (reading["clock_sure"], reading["unix_s"]) == (1, meter.now_s)
    assert reading["open_slot"] == slot_of(meter.now_s)
    assert reading["spent_mills"] == 200  # one missed day, once
    assert event_codes.CLOCK_SET in meter.event_codes()


def test_a_big_step_needs_two_times_that_agree(rig: Make) -> None:
    """C3: one TIME that asks for more than a day is kept waiting; a second about another uplink confirms it."""
    meter = rig(opening=RICH)
    meter.rtc_valid = False
    meter.start()
    meter.run(HOUR)
    first, second = meter.frames[-2], meter.frames[-1]
    assert first[1] != second[1]
    meter.hear(meter.books.time(first[1], first[0]))
    meter.hear(meter.books.time(first[1], first[0]))
    assert meter.read()["clock_sure"] == 0
    meter.hear(meter.books.time(second[1], second[0]))
    assert (meter.read()["clock_sure"], meter.read()["unix_s"]) == (1, meter.now_s)


def test_network_time_slews_a_sure_clock_by_thirty_seconds_a_day(rig: Make) -> None:
    """C3: never a step."""
    meter = rig(opening=RICH)
    meter.rtc_error_s = -300
    meter.start()
    meter.run(HOUR)
    for _ in range(3):
        sent_s, counter, _, _ = meter.frames[-1]
        meter.hear(meter.books.time(counter, sent_s))
    assert meter.read()["unix_s"] == meter.now_s - 270


def test_a_small_step_back_holds_the_slot_open(rig: Make) -> None:
    """C1: the slot number never decreases; true time catches up."""
    meter = rig(opening=RICH).start()
    meter.run(5 * HOUR)
    slot = meter.read()["open_slot"]
    meter.rtc_error_s = -3 * HOUR
    meter.restart()
    assert meter.read()["open_slot"] == slot
    meter.run(2 * HOUR)
    assert (meter.read()["open_slot"], meter.read()["log_generation"]) == (slot, 0)
    meter.run(2 * HOUR)
    assert meter.read()["open_slot"] == slot + 2


@pytest.mark.parametrize("error_s", [-30 * 365 * DAY, -3 * DAY, 2 * DAY, 30 * 365 * DAY])
def test_a_clock_chip_that_jumped_is_not_believed(rig: Make, error_s: int) -> None:
    """C2: money and volume do not move with the clock (I21)."""
    meter = rig(opening=RICH, tariff=TARIFF._replace(standing_day=100)).start()
    meter.draw(3)
    before = meter.read()
    meter.rtc_error_s = error_s
    meter.restart()
    after = meter.read()
    assert after["clock_sure"] == 0
    assert {name: after[name] for name in ("volume_l", "spent_mills", "open_slot", "log_generation")} == {
        name: before[name] for name in ("volume_l", "spent_mills", "open_slot", "log_generation")
    }


def test_a_large_step_back_begins_a_new_log_generation(rig: Make) -> None:
    """C1: a meter that was ahead by days comes back under a new generation; what it had logged is still reported."""
    meter = rig(opening=RICH)
    meter.rtc_error_s = 5 * DAY
    meter.start()
    meter.draw(2)
    meter.run(HOUR)
    meter.rtc_valid = False
    meter.restart()
    meter.run(HOUR)
    for sent_s, counter, _, _ in meter.frames[-2:]:
        meter.hear(meter.books.time(counter, sent_s))
    reading = meter.read()
    assert (reading["log_generation"], reading["open_slot"]) == (1, slot_of(meter.now_s))
    meter.run(HOUR)
    assert [message.log_generation2 for message in meter.sent(UP_RANGE)[-3:]] == [0, 0, 1]  # the old log first
    old_end = slot_of(MIDNIGHT_S + 5 * DAY + 2 * HOUR) + 1
    meter.credit(100_000_000, generation=0, acked_slot=old_end)
    meter.run(HOUR)
    assert meter.sent(UP_RANGE)[-1].log_generation2 == 1


def test_an_unsure_clock_suspends_friendly_hours_and_closes_nothing_by_date(rig: Make) -> None:
    """E1: the wallet still rules: the limit that holds while the clock is unsure."""
    end = slot_of(MIDNIGHT_S) + 48 * 30
    policy = NEW._replace(
        emergency_mills=500,
        emergency_unsure_mills=1_000,
        windows=((127, 0, 0),),
        window_cap_l=60,
        until_slot=end,
    )
    meter = rig(opening=opening(500), policy=policy)
    meter.rtc_valid = False
    meter.start()
    assert meter.draw(50) == 3
    assert meter.face["reason"] == reason_codes.UNSURE_LIMIT


# Valve ----------------------------------------------------------------------------------------------------------------
def test_a_stuck_motor_is_tried_three_times_then_told(rig: Make) -> None:
    """DESIGN §5, M11: bounded retries, then a fault in the status and an event."""
    meter = rig(opening=opening(500)).start()
    meter.valve_works = False
    meter.draw(1)
    meter.run(HOUR)
    closes = [at for at, command in meter.moves if command == link.MOTOR_CLOSE]
    assert len(closes) == 3
    assert meter.read()["valve"] == VALVE_FAULT
    assert event_codes.VALVE_STUCK in meter.event_codes()
    meter.valve_works = True
    meter.credit(10_000)
    assert meter.read()["valve"] == VALVE_OPEN


def test_water_through_a_closed_valve_is_believed_over_the_end_stop(rig: Make) -> None:
    """M08: a trickle is a leak-by; more is stuck open, driven shut again three times; every litre is charged."""
    meter = rig(opening=opening(500)).start()
    meter.draw(1)
    assert meter.face["valve"] == VALVE_CLOSED
    for _ in range(30):
        meter.pulse()
    told = meter.event_codes()
    assert event_codes.VALVE_LEAK_BY in told and told.count(event_codes.VALVE_STUCK_OPEN) == 1
    assert meter.read()["valve"] == VALVE_FAULT
    assert len([command for _, command in meter.moves if command == link.MOTOR_CLOSE]) == 1 + 3
    assert meter.read()["balance_mills"] == -15_000


def test_a_move_cut_by_a_reset_is_made_again(rig: Make) -> None:
    """M9: the intent was on flash before the motor moved."""
    meter = rig(opening=opening(500)).start()
    meter.mute_end_stops = True
    meter.draw(1)
    assert meter.moves[-1][1] == link.MOTOR_CLOSE
    meter.mute_end_stops = False
    meter.restart()
    assert [command for _, command in meter.moves[-2:]] == [link.MOTOR_CLOSE, link.MOTOR_CLOSE]
    assert meter.read()["valve"] == VALVE_CLOSED


# Alarms ---------------------------------------------------------------------------------------------------------------
def test_a_leak_is_flow_in_every_half_hour_of_a_day_and_clears_by_itself(rig: Make) -> None:
    """CT-17, CT-19, M07: raised within 24 h, cleared by the first dry half-hour."""
    meter = rig(opening=RICH).start()
    for _ in range(47):
        meter.draw(1)
        meter.run(1800)
    assert event_codes.LEAK not in meter.event_codes()
    meter.draw(1)
    meter.run(1800)
    assert meter.event_codes()[-1] == event_codes.LEAK
    meter.run(600)
    assert meter.sent(UP_DAY, UP_RANGE)[-1].status & STATUS_LEAK
    meter.run(1800)
    assert event_codes.LEAK_CLEARED in meter.event_codes()


def test_a_burst_does_not_wait_for_the_end_of_the_half_hour(rig: Make) -> None:
    """CT-19: burst within 30 minutes."""
    meter = rig(opening=RICH).start()
    meter.pulse(699)
    assert event_codes.BURST not in meter.event_codes()
    meter.pulse()
    assert event_codes.BURST in meter.event_codes()
    meter.run(HOUR)
    assert event_codes.BURST_CLEARED in meter.event_codes()


def test_tamper_and_battery_are_told_once_each_way(rig: Make) -> None:
    meter = rig(opening=RICH).start()
    for record in (link.tamper(True), link.tamper(True), link.tamper(False), link.battery(2_900), link.battery(3_300)):
        meter.advance(record)
    codes = meter.event_codes()
    assert [codes.count(code) for code in (event_codes.TAMPER, event_codes.TAMPER_CLEARED)] == [1, 1]
    assert [codes.count(code) for code in (event_codes.LOW_BATTERY, event_codes.LOW_BATTERY_CLEARED)] == [1, 1]
    assert meter.read()["valve"] == VALVE_OPEN  # an alarm punishes nobody


# Flash ----------------------------------------------------------------------------------------------------------------
def open_flash(path: Path) -> LittleFS:
    flash = LittleFS(
        block_size=4096, block_count=256, read_size=64, prog_size=64, cache_size=256, lookahead_size=32, mount=False
    )
    flash.context.buffer = bytearray(path.read_bytes())
    flash.mount()
    return flash


def spoil(path: Path, *names: str) -> None:
    """Flip a bit in the middle of these files and write the image back."""
    flash = open_flash(path)
    for name in names:
        with flash.open(name, "rb") as file:
            content = bytearray(file.read())
        content[len(content) // 2] ^= 1
        with flash.open(name, "wb") as file:
            file.write(bytes(content))
    path.write_bytes(bytes(flash.context.buffer))


def test_one_rotten_copy_is_outvoted_and_told(rig: Make) -> None:
    """M4: the CRC finds it, the other copy has it."""
    meter = rig(opening=RICH).start()
    meter.draw(12)
    meter.run(HOUR)
    before = meter.read()
    meter.kill()
    spoil(meter.flash, "/a/state", "/b/packs", "/a/identity")
    meter.restart()
    after = meter.read()
    assert (after["volume_l"], after["spent_mills"], after["opened"]) == (before["volume_l"], before["spent_mills"], 1)
    assert after["bad_copies"] == 3
    assert event_codes.FLASH_COPY_BAD in meter.event_codes()


def test_both_copies_of_the_state_gone_means_unopened_never_free_water(rig: Make) -> None:
    """A4: no statement is applied, no old OPENING is replayed, no counter is used twice, and the grace is a limit."""
    meter = rig(opening=opening(50_000), installation_grace_mills=1_000).start()
    meter.draw(20)
    meter.run(HOUR)
    meter.kill()
    spoil(meter.flash, "/a/state", "/b/state")
    meter.restart()
    reading = meter.read()
    assert (reading["opened"], reading["credited_mills"], reading["safe_mode"]) == (0, 0, 0)
    assert reading["log_generation"] == 1
    meter.credit(50_000)
    assert meter.read()["credited_mills"] == 0
    assert meter.draw(50) == 2
    assert meter.sent(UP_ANCHOR)  # it still speaks, under fresh counters (Books.read asserts that)


@pytest.mark.parametrize("damage", ["superblock", "identity"])
def test_a_flash_that_does_not_mount_is_never_formatted(rig: Make, damage: str) -> None:
    """M5: safe mode and a flag; the valve is left as it stands, nothing is transmitted, the bytes stay.

    Here without a keepsake; with one: test_keepsake.py.
    """
    meter = rig(opening=RICH).start()
    meter.draw(5)
    meter.kill()
    meter.eeprom.unlink()
    if damage == "superblock":
        image = bytearray(meter.flash.read_bytes())
        image[:8192] = bytes(8192)
        meter.flash.write_bytes(bytes(image))
    else:
        spoil(meter.flash, "/a/identity", "/b/identity")
    image = meter.flash.read_bytes()
    meter.frames.clear()
    meter.moves.clear()
    meter.start(provision=False)
    meter.run(2 * HOUR)
    reading = meter.read()
    assert (reading["safe_mode"], reading["interpreter"], reading["flash_operations"]) == (1, "micropython", 0)
    assert (meter.frames, meter.moves) == ([], [])
    assert meter.flash.read_bytes() == image


def test_the_ladder_in_figures() -> None:
    """After 1, 2, 5, 10, 15 minutes, then half-way between half-hourly reports, after a day every six hours."""
    half_way_us = 600_000_000  # ten minutes ago
    assert [ladder_after(s, half_way_us) // 1_000_000 for s in (0, 60, 899, 900, 86_399, 86_400)] == [
        60, 60, 1, 1_200, 1_200, 21_600,
    ]  # fmt: skip
