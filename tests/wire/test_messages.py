"""Every message at zero, at its limit and one beyond; sizes on air; what the encoders refuse."""

from typing import Any

import pytest

from protocol.errors import (
    FIELD_COUNT,
    FIELD_LENGTH,
    FIELD_RANGE,
    FIELD_TYPE,
    FRAME_LENGTH,
    RANGE_ORDER,
    TYPE_RESERVED,
    WireRefused,
)
from protocol.vectors import cases
from protocol.wire import downlinks, messages, uplinks
from protocol.wire.messages import (
    Anchor,
    Command,
    Day,
    Device,
    Event,
    EventEntry,
    Gap,
    Nack,
    Opening,
    Progress,
    Range,
    Rekey,
    Result,
    Statement,
    Time,
)
from tests.wire.limits_oracle import GREATEST, POSITIVE

RECORDS: list[type[Any]] = [Anchor, Gap, Device, Result, Statement, Time, Command, Opening, Rekey, Progress]
UPLINKS = Day | Range | Event | Anchor | Gap | Device | Result | Progress
DRY = (0,) * 48


def code_of(function: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(WireRefused) as caught:
        function(*arguments)
    return caught.value.code, caught.value.field


def encode(message: Any) -> tuple[int, bytes]:
    return uplinks.encode_up(message) if isinstance(message, UPLINKS) else downlinks.encode_down(message)


def log_message(kind: Any, values: tuple[int, ...]) -> Any:
    return kind(*values, DRY)


@pytest.mark.parametrize("kind", [*RECORDS, Day, Range])
def test_each_field_may_be_its_least_and_its_greatest_but_not_more_or_less(kind: Any) -> None:
    greatest = GREATEST[kind.__name__]
    least = tuple(int((kind.__name__, field) in POSITIVE) for field in kind._fields[: len(greatest)])
    build = (lambda values: log_message(kind, values)) if kind in (Day, Range) else (lambda values: kind(*values))
    encode(build(least))
    for place, most in enumerate(greatest):
        encode(build((*least[:place], most - (kind is Gap and place == 0), *least[place + 1 :])))
        below = ((least[place] - 1, FIELD_RANGE), (-1, FIELD_RANGE))
        for wrong, code in ((most + 1, FIELD_RANGE), *below, (True, FIELD_TYPE), ("1", FIELD_TYPE)):
            values = (*least[:place], wrong, *least[place + 1 :])
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


def test_a_gap_is_51_bytes_on_air_and_ends_with_a_slot_that_has_a_number() -> None:
    """C4: everything that the counters did in the slots that are lost."""
    gap = Gap(2**24 - 3, 3, 41_930, 41_426, 11_558_154, 99, 250_000, 99, 930, 1, 1234, 5)
    message_type, plaintext = uplinks.encode_up(gap)
    assert (message_type, len(plaintext)) == (messages.UP_GAP, 40)
    assert uplinks.decode_up(message_type, plaintext) == gap
    assert code_of(encode, gap._replace(slots=4)) == (FIELD_RANGE, "slots")


def test_a_nack_names_1_to_4_ranges_upwards() -> None:
    """CT-05: the headend asks for slots that it saw a gap in; two ranges may touch but not overlap."""
    nack = Nack(1, ((100, 5), (105, 255), (9_000, 1)))
    assert downlinks.decode_down(*downlinks.encode_down(nack)) == nack
    assert downlinks.encode_down(nack)[1].hex() == "0182186405" + "82186918ff" + "8219232801"
    for ranges, refused in (
        ((), (FIELD_COUNT, "ranges")),
        (((1, 1), (3, 1), (5, 1), (7, 1), (9, 1)), (FIELD_COUNT, "ranges")),
        ((5,), (FIELD_TYPE, "range")),
        (((5,),), (FIELD_COUNT, "range")),
        (((5, 0),), (FIELD_RANGE, "slots")),
        (((5, 256),), (FIELD_RANGE, "slots")),
        (((2**24 - 1, 2),), (FIELD_RANGE, "slots")),
        (((2**24, 1),), (FIELD_RANGE, "first_slot")),
        (((9, 1), (5, 1)), (RANGE_ORDER, "first_slot")),
        (((5, 2), (6, 1)), (RANGE_ORDER, "first_slot")),
    ):
        assert code_of(encode, Nack(1, ranges)) == refused
    assert code_of(encode, Nack(2**32, ((1, 1),))) == (FIELD_RANGE, "log_generation")


def test_a_command_carries_what_this_meter_may_not_know() -> None:
    """A code, argument or limit that means nothing is answered by a RESULT, not refused by the decoder."""
    command = Command(7, 0, 99, 2**32 - 1, 65_535)
    assert downlinks.decode_down(*downlinks.encode_down(command)) == command
    result = Result(7, 99, 3, 0)
    assert uplinks.decode_up(*uplinks.encode_up(result)) == result
    assert uplinks.encode_up(result) == (messages.UP_EXTENDED, bytes.fromhex("00" + "00000007" + "6303" + "00000000"))


def test_c_and_d_travel_whole() -> None:
    """A1: the counters that a meter applies are never truncated."""
    statement = Statement(4_000_000_000, 2**53 - 1, 2**53 - 2, 1, 120_000)
    assert downlinks.decode_down(*downlinks.encode_down(statement)) == statement
    opening = Opening(1, 0, 0, 0, 0, 0, 2**53 - 1, 2**53 - 2, 1)
    assert downlinks.decode_down(*downlinks.encode_down(opening)) == opening


def test_a_type_beyond_three_bits_is_no_message() -> None:
    """No frame can carry one; a caller that takes types from elsewhere is refused all the same."""
    assert code_of(uplinks.decode_up, 8, b"") == (TYPE_RESERVED, "type")
    assert code_of(downlinks.decode_down, 8, b"") == (TYPE_RESERVED, "type")
