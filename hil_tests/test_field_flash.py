"""The real command gives the image a new firmware by cable: pulled out in mid-flight, killed, and gone on with; the new
one proves itself by a real headend's answer and stays (FEATURES B9, IW-83)."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from fieldtool import exit_codes
from firmware.image import release
from firmware.image.build import UPDATE
from firmware.provisioning import identity_from_answer
from firmware.version import FIRMWARE_VERSION
from hil_tests.field_rig import image_meter
from hil_tests.rig.images import PRODUCTION, built_image
from hil_tests.rig.slots import as_version, filled, put
from protocol.wire import cbor, manifest
from tests.fieldtool.office import Office
from tests.fieldtool.table_meter import TableMeter
from tests.fieldtool.tool import FieldTool

pytestmark = pytest.mark.image_only

NEXT = FIRMWARE_VERSION + 100
BEGUN, PAGE = 180 * 1024, 256
PROGRESS = r"\s(\d\d) %  (\d+) of"


@pytest.fixture
def update(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A signed release of the image that was built, one version later."""
    release.new_key(tmp_path / "release.key")
    code = built_image(UPDATE, request.config.getoption("--images")).read_bytes()
    key = release.read_key(tmp_path / "release.key")
    file = tmp_path / "new.update"
    file.write_bytes(release.update(as_version(code, NEXT), key, "qemu-mps2", NEXT, FIRMWARE_VERSION))
    return file


@pytest.fixture
def meter(request: pytest.FixtureRequest, update: Path, field_office: Office, tmp_path: Path) -> Iterator[TableMeter]:
    """A meter of the office, whose factory image has the release key in it. An earlier visit began with the update,
    and the power was cut: most of it lies in the slot already, so that the rest is soon there."""
    public = release.read_public(tmp_path / "release.key.pub")
    image = tmp_path / PRODUCTION
    image.write_bytes(release.keyed(built_image(PRODUCTION, request.config.getoption("--images")), public))
    on_table = image_meter(image, tmp_path / "meter.flash", field_office)
    on_table.power_on()
    on_table.added = field_office.add_meter()
    provision = cbor.encode_sequence([1, "provision", identity_from_answer(on_table.added)])
    assert on_table.asks_unsealed(provision) == cbor.encode_sequence([1, "provisioned"])
    on_table.power_off()
    put(on_table.flash, 0, filled(update.read_bytes()[: manifest.LENGTH + BEGUN], ()))
    on_table.power_on()
    yield on_table
    on_table.power_off()


@pytest.mark.timeout(280)
def test_pulled_out_and_killed_in_mid_flash_it_goes_on_and_the_new_image_stays(
    meter: TableMeter, update: Path, field_office: Office, tmp_path: Path
) -> None:
    assert meter.added is not None
    tool = FieldTool(tmp_path / "laptop")
    tool.enrols(field_office)
    visit = {"meter_id": meter.added["meter_id"], "role": 3}
    tool.takes(field_office.job("visit", technician=tool.technician, **visit))
    words = ("flash", update, "--port", meter.port, "--yes", "--json")
    talk = tool.talks(*words)
    talk.expect(PROGRESS)
    assert int(talk.match.group(2)) == BEGUN - PAGE, "it goes on with the page that the cut was in"
    talk.expect(PROGRESS)
    meter.unplug()
    talk.expect("The meter is gone; waiting")
    meter.plug()
    talk.expect(r"going on at byte (\d+)")
    back_at = int(talk.match.group(1))
    assert back_at >= BEGUN - PAGE
    talk.expect(PROGRESS)
    talk.expect(PROGRESS)
    talk.kill(signal.SIGKILL)
    talk.close(force=True)

    talk = tool.talks(*words)
    talk.expect(r"\{.*\}")
    told = json.loads(talk.match.group(0))
    talk.expect(pexpect.EOF)
    talk.close()
    assert talk.exitstatus == exit_codes.OK and told["verified"] and told["trial"] == 1
    assert told["started_at_byte"] >= back_at - PAGE, "it went on"
    assert told["bytes_sent"] <= told["size"] - back_at + 2 * PAGE, "and sent no more than a piece or two again"
    meter.press()  # it asks the headend now, rather than at the next half-hour
    meter.waits_for(lambda: not tool.does(*words[:-1])["trial"])
    meter.power_off()
    meter.power_on()
    told = tool.does(*words[:-1])
    assert (told["running"], told["trial"], told["bytes_sent"]) == (release.version_text(NEXT), 0, 0)
    assert field_office.meter(meter.added["meter_id"])["firmware_version"], os.fspath(update)
