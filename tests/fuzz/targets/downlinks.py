"""Downlinks behind the tag: what is accepted keeps every limit and encodes back to the same bytes (I25)."""

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import downlinks
from tests.wire.limits_oracle import holds


def seeds() -> list[bytes]:
    made = [downlinks.encode_down(message, kind) for _, message, kind in cases.DOWNLINKS]
    return [bytes([kind]) + text for kind, text in made]


def one(data: bytes) -> None:
    if not data:
        return
    kind, text = data[0] & 7, data[1:]
    try:
        message = downlinks.decode_down(kind, text)
    except WireRefused:
        return
    assert holds(message), message
    assert downlinks.encode_down(message, kind) == (kind, text), message
