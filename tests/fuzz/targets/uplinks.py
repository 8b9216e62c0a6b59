"""Uplinks behind the tag: what is accepted keeps every limit and encodes back to the same bytes (I25)."""

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import uplinks
from protocol.wire.limits import SLOTS_PER_DAY
from tests.wire.limits_oracle import holds


def seeds() -> list[bytes]:
    made = [(*uplinks.encode_up(message, phase), phase) for _, message, phase in cases.UPLINKS]
    return [bytes([kind, phase]) + text for kind, text, phase in made]


def one(data: bytes) -> None:
    if len(data) < 2:
        return
    kind, phase, text = data[0] & 7, data[1] % SLOTS_PER_DAY, data[2:]
    try:
        message = uplinks.decode_up(kind, text, phase)
    except WireRefused:
        return
    assert holds(message), message
    assert uplinks.encode_up(message, phase) == (kind, text), message
