"""What a meter tells: its face, which anyone in the kitchen can read, and its console, which needs a cable.

The fields and their order are the firmware's own (firmware/face.py, firmware/console_fields.py).
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import cbor2

from firmware import console_fields
from firmware.alarms import LEAK
from protocol.rules import reason_codes
from protocol.wire.messages import VALVE_CLOSED

READ_ID = 1


class Face(NamedTuple):
    """The display and the lamp of a meter, as firmware/face.py sends them."""

    balance_mills: int
    low_credit: int
    valve: int
    reason: int
    volume_l: int
    alarms: int
    clock_sure: int
    until_unix_s: int

    @property
    def friendly(self) -> bool:
        """The credit is used up and friendly hours keep the valve open."""
        return self.reason == reason_codes.FRIENDLY_HOURS

    @property
    def leak(self) -> bool:
        """The leak alarm is up."""
        return bool(self.alarms & LEAK)


def sequence(data: bytes) -> list[Any]:
    """The items of a CBOR sequence."""
    stream, items = BytesIO(data), []
    while stream.tell() < len(data):
        items.append(cbor2.load(stream))
    return items


def parse_face(data: bytes) -> Face:
    """The face in an `F` record."""
    return Face(*sequence(data))


def read_request() -> bytes:
    """The console question for every counter."""
    return cbor2.dumps(READ_ID) + cbor2.dumps("read")


def parse_reading(data: bytes) -> dict[str, Any]:
    """The console's answer, by name. ValueError when it is no answer to `read_request`."""
    items = sequence(data)
    if len(items) != 1 + len(console_fields.FIELDS) or items[0] != READ_ID:
        raise ValueError(f"not an answer to read: {data.hex()}")
    return dict(zip(console_fields.FIELDS, items[1:], strict=True))


def valve_is_open(valve: int) -> bool:
    """Whether a valve field of a status byte lets water through."""
    return valve != VALVE_CLOSED
