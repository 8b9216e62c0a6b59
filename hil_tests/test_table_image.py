"""The image on a table in wall time: its service port is a terminal whose cable can be pulled, its radio reaches a real
headend, its valve and counter are a pipe's. What `guelta field` is tried on (test_field_tool.py)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from firmware.console_fields import FIELDS
from firmware.provisioning import identity_from_answer
from hil_tests.field_rig import image_meter
from protocol.console_client import Client
from protocol.wire import cbor
from protocol.wire.console import MALFORMED, NOT_PROVISIONED, QUESTION, WRONG_TAG, console_key, to_line
from tests.fieldtool.office import Office
from tests.fieldtool.table_meter import TableMeter

pytestmark = pytest.mark.image_only


@pytest.fixture
def board(image: Path, field_office: Office, tmp_path: Path) -> Iterator[TableMeter]:
    meter = image_meter(image, tmp_path / "board.flash", field_office)
    meter.power_on()
    yield meter
    meter.power_off()


def asks(meter: TableMeter, said: bytes, client: Client) -> Any:
    with serial.Serial(meter.port, timeout=0.05, exclusive=True) as line:
        line.write(said)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if events := client.feed(line.read(line.in_waiting or 1)):
                return events[0]
    raise AssertionError("no answer")


def test_a_blank_image_becomes_a_meter_by_cable_is_heard_paid_for_and_counts(
    board: TableMeter, field_office: Office
) -> None:
    client = Client(lambda meter_id, generation: b"", os.urandom)
    assert asks(board, client.hello(), client) == ("refused", (NOT_PROVISIONED, 0))
    added = field_office.add_meter()
    board.unplug()
    assert not Path(board.port).exists()
    board.plug()
    question = cbor.encode_sequence([1, "provision", identity_from_answer(added)])
    assert asks(board, client.ask_unsealed(question), client) == ("plain", cbor.encode_sequence([1, "provisioned"]))
    board.waits_for(lambda: field_office.meter(added["meter_id"])["last_seen"])
    board.waits_for(lambda: not board.valve_is_open)
    assert board.pour(2) == 0, "no water without credit"
    field_office.pay(added["customer_number"], 1000)
    board.waits_for(lambda: board.valve_is_open)
    assert board.pour(7) == 7000
    board.waits_for(lambda: board.face is not None and board.face.volume_l == 7)
    board.power_off()
    board.power_on()
    board.pour(1)
    board.waits_for(lambda: board.face is not None and board.face.volume_l == 8)


def test_nobody_without_a_key_talks_the_image_out_of_its_heap(board: TableMeter, field_office: Office) -> None:
    """The longest question there is, of noise, and the longest message: refused; what is longer is noise."""
    added = field_office.add_meter()
    board.asks_unsealed(cbor.encode_sequence([1, "provision", identity_from_answer(added)]))
    root = bytes.fromhex(added["root"])
    client = Client(lambda meter_id, generation: console_key(root, meter_id, generation), os.urandom)
    board.waits_for(lambda: board.face is not None)
    for size, code in ((192, WRONG_TAG), (193, MALFORMED), (252, MALFORMED)):
        assert asks(board, client.hello(), client)[0] == "session"
        noise = to_line(bytes((QUESTION, 0, 1)) + os.urandom(size - 3))
        assert asks(board, noise, client) == ("refused", (code, 0))
    assert asks(board, client.hello(), client)[0] == "session"
    kind, said = asks(board, client.ask(cbor.encode_sequence([2, "read"])), client)
    reading = dict(zip(FIELDS, cbor.decode_sequence(said, 2, 200, 1_024)[1:], strict=True))
    assert (kind, reading["boot_count"]) == ("answer", 1)
