"""`flash` on a real meter: plan, pieces, pulled cables, cuts of power, wrong files; a meter that runs at every end.

The Unix meter's image is its own build in one piece; the signature is verified by the interpreter that `make firmware`
builds, so these tests are among the slow ones.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from fieldtool import exit_codes
from fieldtool.update_file import version_text
from firmware.boards.unix.bundle import pack
from firmware.image import release
from firmware.version import FIRMWARE_VERSION

from .conftest import MakeMeter
from .grants_in_hand import MAINTAINER, TECHNICIAN, has_grant
from .office import Office
from .table_meter import TableMeter
from .tool import FieldTool

pytestmark = pytest.mark.slow
NEXT = FIRMWARE_VERSION + 1


class Releases:
    """Somebody with the release key: makes update files."""

    def __init__(self, folder: Path, built: Path) -> None:
        self._folder = folder
        self.public = release.new_key(folder / "release.key")
        self._key = release.read_key(folder / "release.key")
        release.new_key(folder / "other.key")
        self._other = release.read_key(folder / "other.key")
        self.image = pack({file.name: file.read_bytes() for file in built.glob("*.mpy")})

    def make(
        self, version: int = NEXT, hardware: str = "unix", min_version: int = FIRMWARE_VERSION, stranger: bool = False
    ) -> Path:
        file = self._folder / f"{hardware}-{version}-{min_version}-{stranger}.update"
        key = self._other if stranger else self._key
        file.write_bytes(release.update(self.image, key, hardware, version, min_version))
        return file


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory, unix_build: Path) -> Releases:
    return Releases(tmp_path_factory.mktemp("releases"), unix_build)


@pytest.fixture
def tool(tmp_path: Path) -> FieldTool:
    return FieldTool(tmp_path / "laptop")


@pytest.fixture
def meter(make_meter: MakeMeter, headend: Office, releases: Releases, tool: FieldTool) -> TableMeter:
    """A provisioned meter that takes updates, and a grant to bring them."""
    made = make_meter("meter", added=headend.add_meter(), options=("--release-key", releases.public.hex()))
    assert made.added is not None
    has_grant(tool, made.added, role=MAINTAINER)
    return made


def flash(tool: FieldTool, meter: TableMeter, file: Path, *words: object) -> tuple[int, Any]:
    done = tool.run("flash", file, "--port", meter.port, "--yes", "--json", *words)
    return done.returncode, json.loads(done.stdout)


def test_a_meter_takes_a_signed_version_and_runs_it(meter: TableMeter, tool: FieldTool, releases: Releases) -> None:
    """Plan first, nothing written by --dry-run; then all bytes, verified by the meter; the second time, nothing."""
    file = releases.make()
    code, plan = flash(tool, meter, file, "--dry-run")
    assert code == 0 and plan["dry_run"] and (plan["started_at_byte"], plan["bytes_sent"]) == (0, 0)
    assert not Path(f"{meter.flash}.slots").exists() or set(Path(f"{meter.flash}.slots").read_bytes()) == {0xFF}
    code, told = flash(tool, meter, file)
    assert code == 0, told
    assert told["verified"] and told["trial"] == 1 and told["bytes_sent"] == len(releases.image) == told["size"]
    assert (told["running"], told["offered"]) == (version_text(FIRMWARE_VERSION), version_text(NEXT))
    print(f"flashed: {told['bytes_sent']} bytes, verified, restarted and read back in {told['seconds']} s")
    code, again = flash(tool, meter, file)
    assert code == 0 and again["bytes_sent"] == 0 and again["running"] == version_text(NEXT)
    assert tool.does("read", "--port", meter.port)["values"]["volume_l"] == 0, "it is the same meter"


def test_a_blank_board_takes_firmware_before_its_life_and_never_goes_back(
    make_meter: MakeMeter, tool: FieldTool, releases: Releases
) -> None:
    blank = make_meter("blank", options=("--release-key", releases.public.hex()))
    code, told = flash(tool, blank, releases.make())
    assert code == 0 and told["meter_id"] is None and told["trial"] == 0, told
    code, told = flash(tool, blank, releases.make(FIRMWARE_VERSION))
    assert (code, told["refused"]["code"]) == (exit_codes.NOT_VERIFIED, "update_downgrade")


def test_a_cable_pulled_out_in_mid_flash_is_waited_for(meter: TableMeter, tool: FieldTool, releases: Releases) -> None:
    """The tool waits, finds the meter again and goes on at its offset."""
    talk = tool.talks("flash", releases.make(), "--port", meter.port, "--yes", "--json")
    talk.expect(r" [1-9]\d* % ")
    meter.unplug()
    talk.expect("The meter is gone; waiting")
    meter.plug()
    talk.expect(r"It is back: going on at byte (\d+)")
    assert int(talk.match.group(1)) > 0
    talk.expect(r"\{.*\}")
    told = json.loads(talk.match.group(0))
    talk.wait()
    assert talk.exitstatus == 0 and told["verified"] and told["bytes_sent"] < 2 * len(releases.image)


def test_a_cable_that_stays_out_ends_with_7_and_the_same_command_goes_on(
    meter: TableMeter, tool: FieldTool, releases: Releases
) -> None:
    file = releases.make()
    done = _interrupted(tool, meter, file, unplug=True)
    assert done == exit_codes.INCOMPLETE
    meter.plug()
    code, told = flash(tool, meter, file)
    assert code == 0 and told["verified"] and 0 < told["bytes_sent"] < len(releases.image)


def test_ctrl_c_in_mid_flash_ends_with_130_and_the_same_command_goes_on(
    meter: TableMeter, tool: FieldTool, releases: Releases
) -> None:
    file = releases.make()
    assert _interrupted(tool, meter, file, unplug=False) == exit_codes.INTERRUPTED
    code, told = flash(tool, meter, file)
    assert code == 0 and told["verified"] and 0 < told["bytes_sent"] < len(releases.image)


def test_a_killed_tool_and_a_cut_of_power_lose_nothing_that_was_written(
    meter: TableMeter, tool: FieldTool, releases: Releases
) -> None:
    """Neither end keeps anything but the meter's flash; where it stands is where it goes on."""
    file = releases.make()
    words = ("flash", file, "--port", meter.port, "--yes")
    tool.is_stopped(signal.SIGKILL, lambda said: " 30 %" in said or "\n 4" in said, *words)
    meter.power_off()
    meter.power_on()
    meter.waits_for(lambda: meter.face is not None)
    code, told = flash(tool, meter, file)
    assert code == 0 and told["verified"] and 0 < told["bytes_sent"] <= 0.9 * len(releases.image)


def _interrupted(tool: FieldTool, meter: TableMeter, file: Path, unplug: bool) -> int:
    """How it ends when the cable goes for good, or the technician does."""
    talk = tool.talks("flash", file, "--port", meter.port, "--yes", "--wait", "1")
    talk.expect(r" [2-9]\d % ")
    if unplug:
        meter.unplug()
    else:
        talk.sendintr()
    talk.wait()
    talk.close()
    return int(talk.exitstatus)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"hardware": "qemu-mps2"}, "update_hardware"),
        ({"min_version": NEXT, "version": NEXT + 1}, "update_too_old"),
        ({"stranger": True}, "update_signature"),
    ],
)
def test_what_a_meter_must_not_take_it_refuses_and_runs_on(
    meter: TableMeter, tool: FieldTool, releases: Releases, fault: dict[str, Any], code: str
) -> None:
    ended, told = flash(tool, meter, releases.make(**fault))
    assert (ended, told["refused"]["code"]) == (exit_codes.NOT_VERIFIED, code)
    ended, plan = flash(tool, meter, releases.make(), "--dry-run")
    assert ended == 0 and plan["running"] == version_text(FIRMWARE_VERSION)


def test_a_meter_without_a_release_key_takes_no_update(
    make_meter: MakeMeter, headend: Office, tool: FieldTool, releases: Releases
) -> None:
    plain = make_meter("plain", added=headend.add_meter())
    assert plain.added is not None
    has_grant(tool, plain.added, role=MAINTAINER)
    ended, told = flash(tool, plain, releases.make())
    assert ended != 0 and told["refused"]["code"] in ("update_signature", "update_no_verifier", "update_no_slots")


def test_only_a_maintainer_may_and_a_script_says_yes(meter: TableMeter, tool: FieldTool, releases: Releases) -> None:
    assert meter.added is not None
    file = releases.make()
    done = tool.run("flash", file, "--port", meter.port, "--json")
    assert done.returncode == exit_codes.USAGE and json.loads(done.stdout)["refused"]["code"] == "no_terminal"
    talk = tool.talks("flash", file, "--port", meter.port)
    talk.expect(r"Write it to meter .*\[y/N\]")
    talk.sendline("n")
    talk.wait()
    talk.close()
    assert talk.exitstatus == exit_codes.FAILED
    has_grant(tool, meter.added, 1, role=TECHNICIAN)
    ended, told = flash(tool, meter, file)
    assert (ended, told["refused"]["code"]) == (exit_codes.FAILED, "no_grant")
