"""Strict CBOR: what is accepted encodes back to the same bytes and means to cbor2 what it means to us, and nothing
that deterministic encoding allows is refused (RFC 8949 §4.2.1, I25)."""

from typing import Any

import cbor2

from protocol import errors
from protocol.vectors import cases
from protocol.wire import cbor
from tests.fuzz.judge import alike

DEPTH, ITEMS, BYTES = 4, 64, 242
_LIMITS = (errors.CBOR_DEPTH, errors.CBOR_ITEMS, errors.CBOR_SIZE)


def seeds() -> list[bytes]:
    return [bytes.fromhex(text) for text in (*cases.CBOR_ACCEPTED, *cases.CBOR_REFUSED)]


def one(data: bytes) -> None:
    try:
        values = cbor.decode_sequence(data, DEPTH, ITEMS, BYTES)
    except errors.WireRefused as refused:
        assert refused.code in _LIMITS or not _is_ours(data), f"{refused} of a deterministic item"
        return
    assert cbor.encode_sequence(values) == data
    try:
        value = cbor.decode(data, DEPTH, ITEMS, BYTES)
    except errors.WireRefused as refused:
        assert refused.code in (errors.CBOR_TRAILING, errors.CBOR_TRUNCATED)
        assert len(values) != 1
        return
    assert len(values) == 1 and alike(value, values[0]) and cbor.encode(value) == data
    assert alike(cbor2.loads(data), value)


def _is_ours(data: bytes) -> bool:
    """Whether cbor2 reads one item of our kinds whose deterministic encoding these bytes are."""
    try:
        value = cbor2.loads(data)
        return _plain(value) and cbor.encode(value) == data
    except Exception:  # noqa: BLE001  # whatever the other decoder has against it
        return False


def _plain(value: Any) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, bytes | str):
        return True
    if isinstance(value, int):
        return -(2**64) <= value < 2**64
    if isinstance(value, dict):
        keys = all(isinstance(key, int | bytes | str) and not isinstance(key, bool) for key in value)
        return keys and all(map(_plain, value)) and all(map(_plain, value.values()))
    return isinstance(value, list) and all(map(_plain, value))
