"""What a session by cable may ask of the image's 40 KB: sealed pieces of an update of every size (FEATURES B9)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from firmware.console_fields import FIELDS
from firmware.image import release
from firmware.image.build import UPDATE
from firmware.provisioning import identity_from_answer
from firmware.version import FIRMWARE_VERSION
from hil_tests.field_rig import image_meter
from hil_tests.rig.images import PRODUCTION, built_image
from hil_tests.rig.slots import as_version
from protocol.console_client import Client
from protocol.wire import cbor, manifest
from protocol.wire.console import MALFORMED
from protocol.wire.console_codes import MAINTAINER
from protocol.wire.grants import Grant, grant_key
from protocol.wire.update_codes import VALVE_MOVING
from tests.fieldtool.office import Office
from tests.fieldtool.table_meter import TableMeter

pytestmark = pytest.mark.image_only

NEXT = FIRMWARE_VERSION + 100
HOUR_S = 3_600
PIECE = 128  # the largest that is taken sealed (docs/SPEC.md, Appendix D)
ANSWERED_MAX = 192
HEAP_FREE_MIN = 2_048


class Visit:
    """A maintainer's session at a meter's service port."""

    def __init__(self, meter: TableMeter) -> None:
        assert meter.added is not None
        self.meter = meter
        root, meter_id = (bytes.fromhex(meter.added[name]) for name in ("root", "meter_id"))
        now_s = int(time.time())
        self.grant = Grant(meter_id, meter.added["generation"], 1, MAINTAINER, 9, now_s - HOUR_S, now_s + HOUR_S)
        self.client = Client(lambda _meter_id, _generation: grant_key(root, self.grant), os.urandom)

    def says(self, data: bytes) -> Any:
        """What the meter says to it, ("silence", b"") for nothing."""
        with serial.Serial(self.meter.port, timeout=0.05, exclusive=True) as line:
            line.write(data)
            until = time.monotonic() + 10
            while time.monotonic() < until:
                if events := self.client.feed(line.read(line.in_waiting or 1)):
                    return events[0]
        return "silence", b""

    def begin(self) -> Any:
        return self.says(self.client.hello_grant(self.grant))

    def ask(self, *question: Any) -> list[Any]:
        kind = "silence"
        for _ in range(3):  # a line full of noise may swallow a question; the tool asks again too
            if kind == "silence":
                kind, told = self.says(self.client.ask(cbor.encode_sequence([7, *question])))
        return list(cbor.decode_sequence(told, 2, 200, 1_024))[1:] if kind == "answer" else [kind, told]

    def read(self) -> dict[str, Any]:
        return dict(zip(FIELDS, self.ask("read"), strict=True))


@pytest.fixture
def meter(request: pytest.FixtureRequest, field_office: Office, tmp_path: Path) -> Iterator[TableMeter]:
    """A meter of the office, whose factory image has a release key in it."""
    release.new_key(tmp_path / "release.key")
    image = tmp_path / PRODUCTION
    public = release.read_public(tmp_path / "release.key.pub")
    image.write_bytes(release.keyed(built_image(PRODUCTION, request.config.getoption("--images")), public))
    on_table = image_meter(image, tmp_path / "meter.flash", field_office)
    on_table.power_on()
    on_table.added = field_office.add_meter()
    on_table.asks_unsealed(cbor.encode_sequence([1, "provision", identity_from_answer(on_table.added)]))
    on_table.waits_for(lambda: on_table.face is not None and not on_table.valve_is_open)
    time.sleep(3)
    yield on_table
    on_table.power_off()


@pytest.fixture
def update(request: pytest.FixtureRequest, meter: TableMeter, tmp_path: Path) -> bytes:
    code = built_image(UPDATE, request.config.getoption("--images")).read_bytes()
    key = release.read_key(tmp_path / "release.key")
    return release.update(as_version(code, NEXT), key, "qemu-mps2", NEXT, FIRMWARE_VERSION)


def test_a_piece_beyond_what_the_heap_affords_is_refused_and_costs_nothing(
    meter: TableMeter, update: bytes, field_office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """In mid-update, the valve at work and noise on the line: no size of piece has the meter begin again."""
    visit = Visit(meter)
    assert visit.begin()[0] == "session"
    before = visit.read()
    assert visit.ask("update-begin", update[: manifest.LENGTH]) == ["ready", 0]
    image, at = update[manifest.LENGTH :], 0
    assert meter.added is not None
    field_office.pay(meter.added["customer_number"], 1_000)
    meter.press()
    for size in (PIECE, 192, PIECE, 256, 320, PIECE, 512, PIECE, PIECE):
        question = ["update-data", at, image[at : at + size]]
        if size > ANSWERED_MAX:  # such a line is noise
            unended(meter, visit.client.ask(cbor.encode_sequence([7, *question])))
            continue
        said = visit.ask(*question)
        while said == ["refused", VALVE_MOVING]:
            time.sleep(1)
            said = visit.ask(*question)
        assert said == (["ready", at + size] if size == PIECE else ["refused", (MALFORMED, 0)])
        at += size if size == PIECE else 0
    unended(meter, b"\x01" * 590)
    meter.waits_for(lambda: meter.valve_is_open)
    assert meter.pour(3) == 3_000
    meter.press()
    unended(meter, b"\x01" * 5_000 + b"\0")
    assert visit.ask("update-data", at, image[at : at + PIECE]) == ["ready", at + PIECE]
    after = visit.read()
    with capsys.disabled():
        print(f"\nfree at least: {before['heap_free_min']} bytes in a session, {after['heap_free_min']} in an update")
    assert (after["boot_count"], after["volume_l"]) == (before["boot_count"], 3)
    assert after["heap_free_min"] >= HEAP_FREE_MIN


def unended(meter: TableMeter, noise: bytes) -> None:
    """Bytes that end no frame, from anybody with a cable."""
    with serial.Serial(meter.port, timeout=0.05, exclusive=True) as line:
        line.write(noise)
        time.sleep(1)
