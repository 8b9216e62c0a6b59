"""Clocks that jump by a day or by thirty years, either way, at every step of a meter's life (SEMANTICS C1-C3, B7).

A meter lives through all the steps; at each one its clock jumps, it lives on under the wrong time, and then the right
time comes back. No slot is billed twice, no day is accrued twice, and the books agree each time.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.slot_log import RECORD_BYTES
from protocol.rules.calendar import SLOT_S, slot_of
from protocol.rules.policy import NEW
from protocol.rules.reason_codes import FIRE, FIRE_OPENS
from protocol.wire.envelope import read_header
from protocol.wire.messages import UP_DAY, UP_RANGE, Time
from tests.headend.world import START_SLOT, World
from tests.semantics.home import DAY_S, HOUR_S, Home, always, never

A_DAY_S = DAY_S - SLOT_S  # just what is believed of a real-time clock, which was heard half an hour ago at most
YEARS_30_S = 30 * 365 * DAY_S + 7 * DAY_S
PRICE, STANDING_DAY = 127, 50_000


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Home]:
    world = World(tmp_path, random.Random(1))
    world.publish({"utc_offset_minutes": 60, "blocks": [[0, 127]], "standing_day": 50}, START_SLOT - 48, "debit")
    made = Home(world)
    world.pay(made.number, 100_000, "top-up")
    made.live(2)
    yield made
    world.close()


# Jumps --------------------------------------------------------------------------------------------------------------
def rtc_at_boot(one: Home, jump_s: int) -> None:
    """A reset, and a real-time clock that says it is right and is not."""
    one.start(error_s=jump_s)


def one_time(one: Home, jump_s: int) -> None:
    """A reset without a clock, and one TIME that is wrong."""
    one.down = never
    one.start(clock=False)
    hear_time(one, jump_s)
    one.down = always


def two_times(one: Home, jump_s: int) -> None:
    """A reset without a clock, and two wrong TIMEs that agree."""
    one.down = never
    one.start(clock=False)
    hear_time(one, jump_s)
    one.run(60)
    hear_time(one, jump_s)
    one.down = always


def hear_time(one: Home, jump_s: int) -> None:
    counter, sent_us = one.meter.clock.sent[-1]
    sent_s = one.board.started_s - 1 + sent_us // 1_000_000
    one.meter.downlink._time(Time(counter, sent_s + jump_s))
    one.meter.sync.polls.pressed(one.board.now_us())  # another uplink, for another TIME
    one.meter.persist()
    one.run(1)


# Steps --------------------------------------------------------------------------------------------------------------
def at_rest(one: Home) -> None:
    one.run(777)


def before_a_slot(one: Home) -> None:
    one.run(SLOT_S - 1 - one.now_s % SLOT_S)


def at_a_slots_first_second(one: Home) -> None:
    one.run(SLOT_S - one.now_s % SLOT_S)


def before_a_report(one: Home) -> None:
    one.run(SLOT_S - one.now_s % SLOT_S)
    one.run(one.meter.sync.report_delay_us // 1_000_000 - 1)


def in_the_middle_of_a_report(one: Home) -> None:
    """Hours are due; the first frame gets through, the others and the answer do not."""
    one.up = never
    one.run(5 * HOUR_S)
    passed: list[bytes] = []
    one.up = lambda frame: read_header(frame).type in (UP_DAY, UP_RANGE) and not passed and not passed.append(frame)
    one.down = never
    while not passed:
        one.run(60)
    one.up = one.down = always


def after_a_report(one: Home) -> None:
    before_a_report(one)
    one.run(2)


def before_a_statement(one: Home) -> None:
    one.down = never
    one.world.pay(one.number, 10, f"p{one.now_s}")
    one.run(HOUR_S)
    one.down = always


def after_a_statement(one: Home) -> None:
    one.world.pay(one.number, 10, f"p{one.now_s}")
    one.run(HOUR_S)


def before_time(one: Home) -> None:
    one.down = never
    one.start(clock=False)
    one.run(2 * HOUR_S)
    one.down = always


def after_time(one: Home) -> None:
    one.start(clock=False)
    one.run(2 * HOUR_S)
    assert one.state.sure


def before_midnight(one: Home) -> None:
    one.run((23 * HOUR_S - one.now_s) % DAY_S - 1)


def at_midnight(one: Home) -> None:
    one.run((23 * HOUR_S - one.now_s) % DAY_S)


STEPS = (
    at_rest,
    before_a_slot,
    at_a_slots_first_second,
    before_a_report,
    in_the_middle_of_a_report,
    after_a_report,
    before_a_statement,
    after_a_statement,
    before_time,
    after_time,
    before_midnight,
    at_midnight,
)


# What must hold -----------------------------------------------------------------------------------------------------
def live_on(one: Home) -> None:
    for _ in range(3):
        one.pulses += 11
        one.run(HOUR_S)


def come_right(one: Home) -> None:
    """A reset with the right time; a meter that was ahead by up to a day holds its slot open until then."""
    one.start()
    one.run(HOUR_S)
    ahead_s = max(0, one.state.open_slot - slot_of(one.now_s)) * SLOT_S
    if ahead_s <= DAY_S + HOUR_S:
        one.run(ahead_s)
    one.live(3)


def logged_twice(one: Home) -> list[tuple[int, int]]:
    """(log generation, slot) of slots that stand in the ring more than once."""
    seen: list[tuple[int, int]] = []
    for path, content in one.files.content.items():
        if path.startswith("a/log/"):
            for at in range(0, len(content), RECORD_BYTES):
                record = content[at : at + RECORD_BYTES]
                seen.append((int.from_bytes(record[4:6], "big"), int.from_bytes(record[:4], "big")))
    return [key for key in seen if seen.count(key) > 1]


@pytest.mark.slow
@pytest.mark.parametrize("jump_s", [A_DAY_S, -A_DAY_S, YEARS_30_S, -YEARS_30_S], ids=["+1d", "-1d", "+30y", "-30y"])
@pytest.mark.parametrize("jump", [rtc_at_boot, one_time, two_times])
def test_no_jump_at_any_step_bills_twice(one: Home, jump: Callable[[Home, int], None], jump_s: int) -> None:
    """C1-C3: V is what flowed, S what it costs and each local day once, and the books come to the same."""
    started_s = one.now_s
    for step in STEPS:
        step(one)
        jump(one, jump_s)
        error_s = abs(one.meter.clock.unix_s(one.board.now_us()) - one.now_s)
        assert error_s > 23 * HOUR_S if abs(jump_s) == A_DAY_S else error_s < HOUR_S, step.__name__
        live_on(one)
        come_right(one)
        assert one.differences() == {}, step.__name__
        assert logged_twice(one) == [], step.__name__
        assert one.state.volume_l == one.pulses
        days, rest = divmod(one.state.rating.spent_mills - PRICE * one.pulses, STANDING_DAY)
        assert rest == 0 and days <= (one.now_s - started_s) // DAY_S + 2, step.__name__


def test_h08_an_opening_by_the_customer_keeps_its_time_when_the_clock_is_found(tmp_path: Path) -> None:
    """E1, H08: a power cut of ten hours, no clock after it; he opens for two hours, and a TIME sets the clock right."""
    world = World(tmp_path, random.Random(1))
    one = Home(world, policy=NEW._replace(fire_s=7_200, fire_every_days=30, fire_cap_l=500))
    one.live(1)
    one.run(HOUR_S)
    one.down = never
    one.now_s += 10 * HOUR_S
    one.start(clock=False)
    one.run(HOUR_S)
    assert one.state.valve_reason in FIRE_OPENS
    one.meter.button._fire(one.meter.unix_s())
    one.run(600)
    assert (one.state.valve_reason, one.state.sure) == (FIRE, 0)
    one.down = always
    one.meter.sync.polls.pressed(one.board.now_us())
    one.run(HOUR_S)
    assert (one.state.valve_reason, one.state.sure) == (FIRE, 1)
    one.run(HOUR_S)
    assert one.state.valve_reason in FIRE_OPENS, "and no longer than its two hours"
    world.close()
