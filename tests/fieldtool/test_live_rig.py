"""The rig that the technician's tool is tested on: a meter behind a pseudo-terminal and the headend it talks to."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
import serial

from firmware.provisioning import identity_from_answer
from protocol.console_client import Client
from protocol.wire import cbor
from protocol.wire.console import console_key

from .conftest import MakeMeter
from .office import Office
from .table_meter import TableMeter

READ = cbor.encode_sequence([1, "read"])


def hear(line: serial.Serial, client: Client) -> Any:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        events = client.feed(line.read(line.in_waiting or 1))
        if events:
            return events[0]
    raise AssertionError("no answer")


def cable(port: str) -> serial.Serial:
    return serial.Serial(port, 115200, timeout=0.05, exclusive=True)


def reads(port: str, root: str) -> list[Any]:
    """The owner's reading, sealed."""
    client = Client(lambda meter_id, generation: console_key(bytes.fromhex(root), meter_id, generation), os.urandom)
    with cable(port) as line:
        line.write(client.hello())
        assert hear(line, client)[0] == "session"
        line.write(client.ask(READ))
        name, answer = hear(line, client)
    assert name == "answer"
    return cbor.decode_sequence(answer)


def test_a_blank_board_takes_its_identity_by_cable_and_becomes_a_meter_of_the_headend(
    blank_meter: TableMeter, headend: Office
) -> None:
    """What `guelta field commission` will do, by hand; the cable may be pulled in between."""
    client = Client(lambda meter_id, generation: b"", os.urandom)
    with cable(blank_meter.port) as line:
        line.write(client.ask_unsealed(READ))
        assert hear(line, client)[0] == "plain"
        blank_meter.unplug()
        with pytest.raises(serial.SerialException):
            line.read(1)
    blank_meter.plug()
    added = headend.add_meter()
    with cable(blank_meter.port) as line:
        line.write(client.ask_unsealed(cbor.encode_sequence([2, "provision", identity_from_answer(added)])))
        assert hear(line, client) == ("plain", cbor.encode_sequence([2, "provisioned"]))
    blank_meter.waits_for(lambda: blank_meter.face is not None)
    assert reads(blank_meter.port, added["root"])[0] == 1
    blank_meter.waits_for(lambda: headend.meter(added["meter_id"])["last_seen"])


def test_a_meter_closes_at_zero_counts_its_litres_and_opens_for_money(meter: TableMeter, headend: Office) -> None:
    assert meter.added is not None
    meter.waits_for(lambda: not meter.valve_is_open)
    assert meter.pour(3) == 0
    headend.pay(meter.added["customer_number"], 1000)
    meter.waits_for(lambda: meter.valve_is_open)
    assert meter.pour(3) == 3000
    assert 3 in reads(meter.port, meter.added["root"])


def test_a_pulse_may_be_another_than_the_meter_was_told_and_a_closed_valve_may_leak(
    make_meter: MakeMeter, headend: Office
) -> None:
    wrong = make_meter("wrong", added=headend.add_meter(), weight_l=10)
    wrong.waits_for(lambda: wrong.face is not None)
    wrong.pour(20)  # maybe in part: it has no credit, and closes
    wrong.waits_for(lambda: not wrong.valve_is_open)
    counted = wrong.live.do(lambda: wrong.live.table.pipe.pulses)
    wrong.leak(20_000_000)
    wrong.waits_for(lambda: wrong.live.do(lambda: wrong.live.table.pipe.pulses) > counted, within_s=30)
