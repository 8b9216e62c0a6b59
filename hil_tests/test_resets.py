"""The image in the wall's time: what resets a processor, and that nothing is lost by it (CT-04).

Faults are real: a debugger's hand puts an instruction where the processor is just now, a loop without end or one that
does not exist. The watchdog and the fault handler of the production image do the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.rig.console import SealedConsole
from hil_tests.rig.debugger import LOOP_FOR_EVER, UNDEFINED
from hil_tests.rig.desk import Desk
from hil_tests.rig.live_meter import LiveMeter
from protocol.wire.messages import UP_DEVICE
from simulator.clock import HOUR_US, unix_s
from simulator.prices import FIRST_BLOCK_MILLS_PER_L, STANDING_DAY_MILLS

POWER_ON, RESET_PIN, WATCHDOG, FAULT = 1, 2, 3, 4
CREDITED_MILLS = 100_000
MORNING_S = unix_s(9 * HOUR_US)
WATCHDOG_S = 8

pytestmark = pytest.mark.image_only


@pytest.fixture
def desk() -> Desk:
    return Desk(CREDITED_MILLS)


@pytest.fixture
def live(image: Path, desk: Desk, tmp_path: Path) -> Iterator[LiveMeter]:
    """A meter with credit, in real time, with power."""
    meter = LiveMeter(image, tmp_path / "flash", desk.identity, SealedConsole(desk.identity))
    try:
        meter.power_on(MORNING_S)
        meter.provision(desk.record)
        meter.lives_until(lambda: meter.face is not None and meter.face.balance_mills > 0, within_s=10)
        yield meter
    finally:
        meter.dispose()


def cause(live: LiveMeter, desk: Desk) -> int:
    """Why it started last, as it tells by radio when it is ordered to."""
    told = len(live.ear.messages(UP_DEVICE))
    live.hear(desk.tell())
    live.lives_until(lambda: len(live.ear.messages(UP_DEVICE)) > told, within_s=10)
    return int(live.ear.device().reset_cause)


def breaks(live: LiveMeter, instruction: bytes) -> None:
    live.face = None
    live.machine.break_program(instruction)


def comes_back(live: LiveMeter, within_s: float) -> float:
    """How long the reset took; the meter answers again."""
    took_s = live.lives_until(live.machine.was_reset, within_s)
    live.lives_until(lambda: live.face is not None, within_s=10)
    return took_s


def nothing_lost(live: LiveMeter) -> None:
    told = live.reads()
    assert (told["safe_mode"], told["bad_copies"]) == (0, 0)
    assert told["volume_l"] == live.delivered_l
    assert told["credited_mills"] == CREDITED_MILLS
    assert told["spent_mills"] == STANDING_DAY_MILLS + FIRST_BLOCK_MILLS_PER_L * live.delivered_l


def test_a_meter_that_hangs_is_reset_by_its_watchdog_and_nothing_is_lost(live: LiveMeter, desk: Desk) -> None:
    live.pulses(40)
    live.lives(0.5)
    boots = live.reads()["boot_count"]
    assert cause(live, desk) == POWER_ON
    breaks(live, LOOP_FOR_EVER)
    live.pulses(3)
    assert comes_back(live, within_s=2 * WATCHDOG_S) > 1, "it hung, until the watchdog bit"
    assert cause(live, desk) == WATCHDOG
    assert live.reads()["boot_count"] == boots + 1
    nothing_lost(live)


def test_a_fault_is_a_reset_that_says_so(live: LiveMeter, desk: Desk) -> None:
    live.pulses(40)
    live.lives(0.5)
    boots = live.reads()["boot_count"]
    breaks(live, UNDEFINED)
    live.pulses(3)
    assert comes_back(live, within_s=5) < WATCHDOG_S / 2
    assert cause(live, desk) == FAULT
    live.face = None
    live.machine.reset()
    comes_back(live, within_s=5)
    assert cause(live, desk) == RESET_PIN
    assert live.reads()["boot_count"] == boots + 2
    nothing_lost(live)


def test_a_reset_from_outside_is_no_watchdog_s_however_long_the_meter_slept(live: LiveMeter, desk: Desk) -> None:
    """CT-04: the watchdog is fed before half its time, when it would note itself as the cause of what comes next."""
    live.lives(WATCHDOG_S / 2 + 1)
    live.face = None
    live.machine.reset()
    comes_back(live, within_s=5)
    assert cause(live, desk) == RESET_PIN


def test_a_frozen_meter_goes_on_where_it_stood(live: LiveMeter) -> None:
    live.pulses(40)
    live.lives(0.5)
    before = live.reads()
    live.machine.freeze()
    live.pulses(5)
    time.sleep(2)
    live.machine.thaw()
    live.lives_until(lambda: live.face is not None and live.face.volume_l == 45, within_s=5)
    after = live.reads()
    assert after["boot_count"] == before["boot_count"]
    assert after["unix_s"] - before["unix_s"] <= 2, "its clocks stood still as well"
    nothing_lost(live)
