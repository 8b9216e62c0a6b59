"""TARIFF, POLICY and PLAN whole and in parts (SEMANTICS B4): one way to cut a body, and nothing else is accepted."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import FIELD_LENGTH, FIELD_RANGE, FIELD_TYPE, PACK_FRAGMENT, PACK_HASH, WireRefused
from protocol.wire import downlinks, messages
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Pack
from protocol.wire.parts import join_parts, pack_parts, whole_pack


def code_of(function: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(WireRefused) as caught:
        function(*arguments)
    return caught.value.code, caught.value.field


@settings(deadline=None, max_examples=300)
@given(st.binary(min_size=1, max_size=240), st.sampled_from((DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN)))
def test_every_body_arrives_as_it_was_cut(body: bytes, pack_type: int) -> None:
    """One format for the three kinds; every part fits a downlink frame."""
    plaintexts = [downlinks.encode_down(part, pack_type) for part in pack_parts(7, 120_048, body)]
    assert all(len(plaintext) <= 40 for _, plaintext in plaintexts)
    parts = tuple(downlinks.decode_down(*plaintext) for plaintext in plaintexts)
    assert join_parts(parts) == body
    assert {(part.version, part.from_slot, part.count) for part in parts} == {(7, 120_048, len(parts))}
    assert [part.index for part in parts] == list(range(len(parts)))


@pytest.mark.parametrize(("length", "frames"), [(1, 1), (34, 1), (35, 2), (60, 2), (61, 3), (211, 8), (240, 8)])
def test_a_body_takes_as_few_frames_as_it_can(length: int, frames: int) -> None:
    assert len(pack_parts(1, 0, bytes(length))) == frames


@pytest.mark.parametrize(("body", "code"), [(b"", FIELD_LENGTH), (bytes(241), FIELD_LENGTH), ("text", FIELD_TYPE)])
def test_a_body_of_another_length_is_not_cut(body: Any, code: int) -> None:
    assert code_of(pack_parts, 1, 0, body) == (code, "body")


def test_parts_that_make_another_body_than_their_hash_says_are_refused() -> None:
    """B4: nothing acts before the hash checks."""
    right = pack_parts(1, 0, bytes(range(75)))
    for wrong in (right[:2], (right[1], right[0], right[2]), tuple(part._replace(hash4=b"none") for part in right)):
        assert code_of(join_parts, wrong) == (PACK_HASH, "hash4")


def test_a_whole_pack_names_the_hash_of_its_body() -> None:
    pack = whole_pack(2, 120_000, b"body")
    assert downlinks.encode_down(pack, DOWN_PLAN) == (DOWN_PLAN, bytes.fromhex("000201d4c000") + b"body")
    assert code_of(downlinks.encode_down, pack._replace(hash4=b"1234")) == (PACK_HASH, "hash4")
    assert code_of(downlinks.encode_down, whole_pack(2, 120_000, b"")) == (FIELD_LENGTH, "chunk")
    assert code_of(downlinks.encode_down, whole_pack(2, 120_000, bytes(35))) == (FIELD_LENGTH, "chunk")


def test_what_no_cutting_makes_is_not_sent_either() -> None:
    part = pack_parts(2, 120_000, bytes(35))[1]
    assert downlinks.encode_down(part)[1].hex() == "000201d4c011" + part.hash4.hex() + "00" * 5
    for wrong, refused in (
        ({"index": 2}, (PACK_FRAGMENT, "part")),
        ({"index": -1}, (PACK_FRAGMENT, "part")),
        ({"count": 9}, (PACK_FRAGMENT, "part")),
        ({"index": 0, "count": 0}, (PACK_FRAGMENT, "part")),
        ({"chunk": bytes(4)}, (FIELD_LENGTH, "chunk")),
        ({"chunk": bytes(31)}, (FIELD_LENGTH, "chunk")),
        ({"index": 0}, (FIELD_LENGTH, "chunk")),
        ({"count": 3, "chunk": b""}, (FIELD_LENGTH, "chunk")),
        ({"hash4": b"123"}, (FIELD_LENGTH, "hash4")),
        ({"hash4": 1}, (FIELD_TYPE, "hash4")),
        ({"chunk": "text"}, (FIELD_TYPE, "chunk")),
        ({"version": 65_536}, (FIELD_RANGE, "version")),
        ({"from_slot": 2**24}, (FIELD_RANGE, "from_slot")),
    ):
        assert code_of(downlinks.encode_down, part._replace(**wrong)) == refused, wrong


def test_each_of_the_256_part_bytes_is_one_of_36_or_refused() -> None:
    accepted = set()
    for part in range(256):
        for chunk in (bytes(30), bytes(5), bytes(1)):
            plaintext = bytes.fromhex("000201d4c0") + bytes([part]) + (b"hash" if part & 15 else b"") + chunk
            try:
                pack = downlinks.decode_down(messages.DOWN_POLICY, plaintext)
            except WireRefused as refused:
                assert refused.code in (PACK_FRAGMENT, FIELD_LENGTH)
            else:
                assert isinstance(pack, Pack)
                accepted.add((pack.index, pack.count))
    assert accepted == {(0, 1)} | {(index, count) for count in range(2, 9) for index in range(count)}
