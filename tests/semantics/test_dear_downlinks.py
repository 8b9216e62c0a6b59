"""A radio on which downlinks are dear: no lost frame leaves a meter waiting for what the headend never sends.

SEMANTICS A4, C1, F1, F3, and CT-05 for other cadences than the daily one.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headend.ingest.received import Bearer
from headend.meters.commands import order
from protocol.wire import command_codes
from protocol.wire.envelope import read_header
from protocol.wire.messages import DOWN_TARIFF, UP_ANCHOR, UP_DEVICE, UP_EVENT
from tests.headend.world import START_SLOT, World
from tests.semantics.home import DAY_S, Home, always, never


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """`home(**how)` makes a Home on LoRaWAN with 100,000 F in its wallet."""
    world = World(tmp_path, random.Random(1))

    def make(**how: Any) -> Home:
        one = Home(world, bearer=Bearer.LORAWAN, **how)
        world.pay(one.number, 100_000, "top-up")
        return one

    yield make
    world.close()


def live_busily(one: Home, days: int) -> None:
    """Water in every half-hour, never as much as before: logs that are long on air."""
    chance = random.Random(one.now_s)
    for _ in range(48 * days):
        one.pulses += chance.randrange(60)
        one.run(1_800)


def test_ct_05_reports_every_six_hours_are_acknowledged_because_they_go_back_to_the_acked_slot(
    home: Callable[..., Home],
) -> None:
    """F1, F3: a busy meter tells four frames from the acked slot on; told of none, it would tell the same for ever."""
    one = home(report_slots=12)
    live_busily(one, 7)
    assert one.state.open_slot - one.world.one("SELECT frontier_slot FROM meter_state") <= 24
    assert one.state.open_slot - one.state.acked_slot <= 24


def test_i22_half_hours_from_before_a_clock_was_set_are_acknowledged_though_each_says_that_it_is_unsure(
    home: Callable[..., Home],
) -> None:
    """I22, C3, F1 (worlds, seed 100): four frames of such half-hours were each answered with the time, for ever; the
    meter knew it long since, and told the same four again at every report."""
    one = home(report_slots=12)
    live_busily(one, 2)
    one.up = never
    one.start(clock=False)
    live_busily(one, 20)
    one.up = always
    live_busily(one, 8)
    assert one.state.sure
    assert one.state.open_slot - one.world.one("SELECT frontier_slot FROM meter_state") <= 24
    assert one.state.open_slot - one.state.acked_slot <= 24


def test_i22_a_tariff_is_not_kept_away_by_the_corrections_that_its_absence_makes(home: Callable[..., Home]) -> None:
    """I22, B4, B5 (worlds, seed 33): each daily report was priced by the old tariff, so each made a credit and a new
    STATEMENT, and that took the one downlink of the day, for weeks."""
    one = home(report_slots=48)
    live_busily(one, 3)
    cheaper = {"blocks": [[0, 50]], "utc_offset_minutes": 60}
    one.world.publish(cheaper, START_SLOT)
    before = one.meter.packs.version[DOWN_TARIFF]
    live_busily(one, 5)
    assert one.meter.packs.version[DOWN_TARIFF] > before


def test_ct_05_a_new_cadence_is_told_at_once(home: Callable[..., Home]) -> None:
    """D1: the headend must know it, to acknowledge as that cadence needs."""
    one = home(report_slots=48)
    live_busily(one, 16)
    assert one.world.one("SELECT report_slots FROM meter_link") == 48
    expires_s = one.now_s + 5 * DAY_S
    one.world.writer.run(lambda tx: order(tx, one.meter_id, command_codes.REPORT_PERIOD, 12, 0, expires_s))
    live_busily(one, 2)
    assert one.world.one("SELECT report_slots FROM meter_link") == 12


def test_tell_is_answered_with_anchor_and_device_in_every_cadence(home: Callable[..., Home]) -> None:
    """docs/SPEC.md 10, COMMAND: also from a meter that tells a DEVICE with every fourth ANCHOR only."""
    one = home(report_slots=48)
    live_busily(one, 16)
    assert one.state.acked_slot > one.state.first_slot
    sent: list[int] = []
    one.up = lambda frame: not sent.append(read_header(frame).type)
    expires_s = one.now_s + 5 * DAY_S
    one.world.writer.run(lambda tx: order(tx, one.meter_id, command_codes.TELL, 0, 0, expires_s))
    one.run(2 * DAY_S)
    assert one.world.rows("SELECT state FROM meter_command") == [("done",)]
    assert {UP_ANCHOR, UP_DEVICE} <= set(sent)


def test_a4_a_meter_that_waits_for_its_opening_says_so_whenever_it_asks(home: Callable[..., Home]) -> None:
    """A4: the DEVICE of its first boot is lost; the next of the daily cadence would be eight weeks away."""
    one = home(report_slots=48, opened=False, up=lambda frame: read_header(frame).type != UP_DEVICE)
    assert not one.state.opened
    one.up = always
    one.run(DAY_S)
    assert (one.state.opened, one.state.credited_mills) == (1, 100_000_000)


@pytest.mark.parametrize("lost", [(), (UP_EVENT,)])
def test_c1_f3_the_slots_around_a_new_log_that_nobody_heard_are_asked_for(
    home: Callable[..., Home], lost: tuple[int, ...]
) -> None:
    """C1, F1: the clock stepped two days back; the end of the one log and the begin of the other fell into a silence,
    once with the event that tells where the new one begins.
    """
    one = home(report_slots=48)
    live_busily(one, 2)
    for ahead_s in (DAY_S * 9 // 10, DAY_S * 18 // 10, DAY_S * 27 // 10):
        one.start(error_s=ahead_s)
        live_busily(one, 1)
    one.up = lambda frame: read_header(frame).type not in lost
    one.start(clock=False)
    one.run(DAY_S)
    assert (one.state.sure, one.state.log_generation) == (1, 1)
    one.up = never
    live_busily(one, 8)
    one.up = always
    live_busily(one, 12)
    ends = one.world.rows("SELECT log_generation, volume_l FROM meter_state")
    assert ends[0][0] == 1 and one.state.volume_l - ends[0][1] < 48 * 60 * 3
    assert one.cases_of_the_books() == []
