"""Our CBOR against `cbor2`, and what it refuses that `cbor2` lets pass (RFC 8949 §4.2.1)."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import CBOR_DEPTH, CBOR_ITEMS, CBOR_SIZE, WireRefused
from protocol.wire import cbor

integers = st.integers(min_value=-(2**64), max_value=2**64 - 1)
scalars = integers | st.binary(max_size=20) | st.text(max_size=10) | st.booleans() | st.none()
keys = st.integers(min_value=0, max_value=23) | st.text(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@settings(deadline=None)
@given(values)
def test_cbor2_reads_what_we_write_and_we_read_it_back(value: object) -> None:
    data = cbor.encode(value)
    assert cbor2.loads(data) == value
    assert cbor.decode(data, depth_max=12, items_max=200, bytes_max=4000) == value


@settings(deadline=None)
@given(scalars | st.lists(scalars, max_size=5))
def test_what_has_no_map_is_byte_for_byte_what_cbor2_writes(value: object) -> None:
    assert cbor.encode(value) == cbor2.dumps(value)


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=24))
def test_whatever_bytes_we_accept_encode_to_the_same_bytes(data: bytes) -> None:
    try:
        value = cbor.decode(data, depth_max=4)
    except WireRefused:
        return
    assert cbor.encode(value) == data
    assert cbor2.loads(data) == value


def test_cbor2_accepts_what_we_refuse() -> None:
    """The oracle is no judge of strictness: a long head, a duplicate key and a float pass it."""
    for text in ("1800", "a201020103", "f93c00"):
        cbor2.loads(bytes.fromhex(text))
        with pytest.raises(WireRefused):
            cbor.decode(bytes.fromhex(text))


def test_depth_items_and_size_are_the_caller_s_to_bound() -> None:
    assert cbor.decode(cbor.encode([[1]]), depth_max=2) == [[1]]
    assert refused(cbor.encode([[1]]), depth_max=1) == CBOR_DEPTH
    assert cbor.decode(cbor.encode([1, 2]), items_max=3) == [1, 2]
    assert refused(cbor.encode([1, 2]), items_max=2) == CBOR_ITEMS
    assert cbor.decode(cbor.encode(b"123"), bytes_max=4) == b"123"
    assert refused(cbor.encode(b"123"), bytes_max=3) == CBOR_SIZE
    with pytest.raises(WireRefused) as caught:
        cbor.decode_sequence(b"\x00\x00", bytes_max=1)
    assert caught.value.code == CBOR_SIZE


def refused(data: bytes, **bounds: int) -> int:
    with pytest.raises(WireRefused) as caught:
        cbor.decode(data, **bounds)
    code: int = caught.value.code
    return code


def test_a_sequence_of_nothing_is_empty() -> None:
    assert cbor.decode_sequence(b"") == []
    assert cbor.encode_sequence([]) == b""
