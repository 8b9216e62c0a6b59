"""A board over a serial line and nothing else: `--device` works, shown on the unix meter behind a pseudo-terminal."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.rig.device import SerialMeter, Table
from hil_tests.rig.office import Utility
from simulator import link
from simulator.clock import HOUR_US, unix_s
from simulator.face import parse_reading, read_request
from simulator.meter_process import MeterFailed

_STAND_IN = (sys.executable, "-m", "hil_tests.rig.pty_board")


@pytest.fixture
def serial_board(unix_build: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(the port, the command that reaches the table) of a stand-in for a board."""
    (tmp_path / "firmware").symlink_to(unix_build)
    command = [*_STAND_IN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), shlex.join(command)
            subprocess.run([*command, "end"], check=True)
        finally:
            process.kill()


def at_power_on(now_us: int, pulses: int) -> list[bytes]:
    return [link.pulses(pulses), link.real_time(unix_s(now_us), True), link.battery(3600), link.tamper(False)]


@pytest.mark.xdist_group("unix-build")
def test_a_board_on_a_serial_line_is_provisioned_counts_and_survives_a_cut(
    serial_board: tuple[str, str], utility: Utility
) -> None:
    port, command = serial_board
    world = utility.new_world()
    customer = utility.new_customer(world)
    meter = SerialMeter("1", port, Table(command), customer.provision_hex)
    try:
        first = meter.start(world.now_us, at_power_on(world.now_us, 0))
        assert first.frames, "a meter that boots says so"
        spoken = meter.advance(world.now_us + HOUR_US, [link.cut_power(2, link.CUT_TORN), link.pulses(40)])
        assert spoken.cut
        meter.kill()
        assert not meter.running
        meter.start(world.now_us + 2 * HOUR_US, at_power_on(world.now_us + 2 * HOUR_US, 55))
        question = link.record(link.CONSOLE, read_request())
        told = parse_reading(meter.advance(world.now_us + 2 * HOUR_US, [question]).console)
        assert (told["volume_l"], told["boot_count"], told["safe_mode"]) == (55, 2, 0)
    finally:
        meter.dispose()


def test_a_port_that_is_not_there_is_a_failure_that_names_the_option(tmp_path: Path) -> None:
    meter = SerialMeter("1", str(tmp_path / "no-port"), Table("true"), "00")
    with pytest.raises(MeterFailed, match="name the board's port with --device"):
        meter.start(0, [])
    meter.dispose()


def test_a_table_command_that_fails_is_a_failure_with_its_words() -> None:
    with pytest.raises(MeterFailed, match="`sh -c 'echo no relay >&2; false' on` failed: no relay"):
        Table("sh -c 'echo no relay >&2; false'").say("on")
