"""Every message at zero, at its limit and one beyond; sizes on air; what the encoders refuse."""

from typing import Any

import pytest

from protocol.errors import (
    FIELD_COUNT,
    FIELD_LENGTH,
    FIELD_RANGE,
    FIELD_TYPE,
    FRAME_LENGTH,
    PACK_FRAGMENT,
    PACK_HASH,
    WireRefused,
)
from protocol.vectors import cases
from protocol.wire import downlinks, messages, uplinks
from protocol.wire.messages import Anchor, Day, Device, Event, EventEntry, Opening, Pack, Range, Statement, Time
from protocol.wire.parts import whole_pack
from tests.wire.limits_oracle import GREATEST

RECORDS: list[type[Any]] = [Anchor, Device, Statement, Time, Opening]
DRY = (0,) * 48


def code_of(function: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(WireRefused) as caught:
        function(*arguments)
    return caught.value.code, caught.value.field


def encode(message: Any) -> tuple[int, bytes]:
    up = isinstance(message, Day | Range | Event | Anchor | Device)
    return uplinks.encode_up(message) if up else downlinks.encode_down(message)


def log_message(kind: Any, values: tuple[int, ...]) -> Any:
    return kind(*values, DRY)


@pytest.mark.parametrize("kind", [*RECORDS, Day, Range])
def test_each_field_may_be_zero_and_its_greatest_but_not_more_or_less(kind: Any) -> None:
    greatest = GREATEST[kind.__name__]
    build = (lambda values: log_message(kind, values)) if kind in (Day, Range) else (lambda values: kind(*values))
    encode(build((0,) * len(greatest)))
    encode(build(greatest))
    for place, most in enumerate(greatest):
        for wrong, code in ((most + 1, FIELD_RANGE), (-1, FIELD_RANGE), (True, FIELD_TYPE), ("1", FIELD_TYPE)):
            values = (*greatest[:place], wrong, *greatest[place + 1 :])
            assert code_of(encode, build(values)) == (code, kind._fields[place])


@pytest.mark.parametrize(("place", "field"), list(enumerate(EventEntry._fields)))
def test_each_field_of_an_event_has_its_limit(place: int, field: str) -> None:
    greatest = GREATEST["EventEntry"]
    entry = EventEntry(*greatest[:place], greatest[place] + 1, *greatest[place + 1 :])
    assert code_of(encode, Event((entry,))) == (FIELD_RANGE, field)


def test_an_event_message_holds_one_to_four() -> None:
    assert code_of(encode, Event(())) == (FIELD_COUNT, "events")
    assert code_of(encode, Event((EventEntry(1, 2, 3, 4),) * 5)) == (FIELD_COUNT, "events")


def test_a_day_costs_21_bytes_and_its_log() -> None:
    """B8: S, instalments, statement and pack travel with every day; a day without water adds no byte."""
    message_type, plaintext = uplinks.encode_up(log_message(Day, GREATEST["Day"]))
    assert (message_type, len(plaintext) + 11) == (messages.UP_DAY, 21)


def test_a_day_has_48_slots_and_a_range_1_to_255_that_fit_a_frame() -> None:
    assert code_of(encode, Day(0, 0, 0, 0, 0, 0, 0, 0, DRY[:47]))[0] == FIELD_LENGTH
    assert code_of(encode, Range(0, 0, 0, 0, 0, 0, 0, 0, ()))[1] == "litres"
    assert code_of(encode, Range(0, 0, 0, 0, 0, 0, 0, 0, (0,) * 256))[1] == "litres"
    assert code_of(encode, Range(0, 0, 0, 0, 0, 0, 0, 0, (65535, 1) * 120)) == (FRAME_LENGTH, "litres")
    for wrong in (-1, 65536, True, None):
        assert code_of(encode, Day(0, 0, 0, 0, 0, 0, 0, 0, (*DRY[:47], wrong)))[1] == "litres"


def test_the_log_head_is_read_before_the_phase_is_known() -> None:
    day = Day(1, 9112, 41_230, 5_110_464, 3, 17, 2, 0x84, cases.HOME)
    plaintext = uplinks.encode_up(day, 12)[1]
    assert uplinks.read_log_head(plaintext) == day[:8]
    assert uplinks.decode_up(messages.UP_DAY, plaintext, 12) == day._replace(litres=list(cases.HOME))


def test_an_anchor_is_51_bytes_on_air_whatever_it_says() -> None:
    for values in ((0,) * 9, GREATEST["Anchor"]):
        assert len(uplinks.encode_up(Anchor(*values))[1]) == 40


@pytest.mark.parametrize(("name", "message", "pack_type"), cases.DOWNLINKS)
def test_every_downlink_fits_51_bytes_at_its_limits(name: str, message: Any, pack_type: int) -> None:
    assert len(downlinks.encode_down(message, pack_type)[1]) <= 40, name


def test_a_pack_is_whole_and_its_hash_is_that_of_its_body() -> None:
    """B4: a pack acts once it is complete and its hash checks."""
    pack = whole_pack(2, 120_000, b"body")
    assert downlinks.encode_down(pack, messages.DOWN_PLAN) == (
        messages.DOWN_PLAN,
        bytes.fromhex("000201d4c000") + b"body",
    )
    assert code_of(encode, pack._replace(index=1)) == (PACK_FRAGMENT, "part")
    assert code_of(encode, pack._replace(hash4=b"1234")) == (PACK_HASH, "hash4")
    assert code_of(encode, whole_pack(2, 120_000, b"")) == (FIELD_LENGTH, "chunk")
    assert code_of(encode, whole_pack(2, 120_000, bytes(35))) == (FIELD_LENGTH, "chunk")
    assert code_of(encode, whole_pack(65_536, 0, b"x")) == (FIELD_RANGE, "version")
    assert code_of(encode, whole_pack(1, 2**24, b"x")) == (FIELD_RANGE, "from_slot")
    assert code_of(encode, Pack(1, 0, 0, 1, b"", "x")) == (FIELD_TYPE, "chunk")


def test_c_and_d_travel_whole() -> None:
    """A1: the counters that a meter applies are never truncated."""
    statement = Statement(4_000_000_000, 2**53 - 1, 2**53 - 2, 1, 120_000)
    assert downlinks.decode_down(*downlinks.encode_down(statement)) == statement
    opening = Opening(1, 0, 0, 0, 0, 0, 2**53 - 1, 2**53 - 2, 1)
    assert downlinks.decode_down(*downlinks.encode_down(opening)) == opening
