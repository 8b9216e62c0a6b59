"""The log codec: exact, canonical, small numbers only, and never longer for fewer slots."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import FIELD_RANGE, FIELD_TYPE, LOG_NOT_CANONICAL, LOG_RANGE, WireRefused
from protocol.wire import log_codec
from tests.wire import log_oracle

volumes = st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 65535))
logs = st.lists(volumes, min_size=1, max_size=255)
phases = st.integers(0, 47)


@settings(deadline=None)
@given(logs, phases)
def test_every_log_comes_back(litres: list[int], phase: int) -> None:
    assert log_codec.decode(log_codec.encode(litres, phase), len(litres), phase) == litres


@settings(deadline=None, max_examples=300)
@given(logs, phases)
def test_an_encoder_written_from_the_specification_alone_gives_the_same_bytes(litres: list[int], phase: int) -> None:
    assert log_oracle.encode(litres, phase) == log_codec.encode(litres, phase)


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=40), st.integers(1, 60), phases)
def test_bytes_that_are_accepted_are_the_only_ones_for_their_litres(data: bytes, count: int, phase: int) -> None:
    try:
        litres = log_codec.decode(data, count, phase)
    except WireRefused as refused:
        assert refused.code == LOG_NOT_CANONICAL
        return
    assert log_codec.encode(litres, phase) == data


@settings(deadline=None)
@given(logs, phases)
def test_fewer_slots_never_take_more_bytes(litres: list[int], phase: int) -> None:
    """So a sender may search by halves for how many slots fit a frame."""
    half = litres[: (len(litres) + 1) // 2]
    assert len(log_codec.encode(half, phase)) <= len(log_codec.encode(litres, phase))


def test_no_water_takes_no_bytes() -> None:
    assert log_codec.encode([0] * 48, 0) == b""
    assert log_codec.encode([0] * 255, 17) == b""
    assert log_codec.decode(b"", 255, 17) == [0] * 255


def test_a_steady_leak_is_learned_within_the_frame() -> None:
    assert len(log_codec.encode([4] * 48, 0)) < 15
    assert len(log_codec.encode([1000] * 48, 0)) < 75


class Watched(log_codec.Encoder):
    """Notes the greatest intermediate value."""

    greatest = 0

    def bit(self, table: list[int], index: int, bit: int) -> int:
        result = super().bit(table, index, bit)
        self.greatest = max(self.greatest, self.low, self.span, *table)
        return result

    def plain(self, width: int, value: int) -> int:
        result = super().plain(width, value)
        self.greatest = max(self.greatest, self.low, self.span)
        return result


@settings(deadline=None)
@given(logs, phases)
def test_all_numbers_stay_small(litres: list[int], phase: int) -> None:
    """A 32-bit port has 31-bit small integers; nothing comes near 2^30."""
    coder = Watched()
    list(log_codec.walk(coder, litres, phase, None))
    assert 0 < coder.greatest < 2**26
    assert coder.finish() == log_codec.encode(litres, phase)


@settings(deadline=None)
@given(logs, phases)
def test_probabilities_never_reach_certainty(litres: list[int], phase: int) -> None:
    class Bounded(log_codec.Encoder):
        def bit(self, table: list[int], index: int, bit: int) -> int:
            assert 15 <= table[index] <= 4081
            return super().bit(table, index, bit)

    list(log_codec.walk(Bounded(), litres, phase, None))


@pytest.mark.parametrize(
    ("litres", "code"),
    [
        ([], LOG_RANGE),
        ([0] * 256, LOG_RANGE),
        ([65536], FIELD_RANGE),
        ([-1], FIELD_RANGE),
        ([True], FIELD_TYPE),
        ([1.0], FIELD_TYPE),
    ],
)
def test_what_is_no_log_is_refused(litres: list[int], code: int) -> None:
    with pytest.raises(WireRefused) as caught:
        log_codec.encode(litres, 0)
    assert caught.value.code == code


@pytest.mark.parametrize("count", [0, 256, -1])
def test_a_count_that_no_log_has_is_refused(count: int) -> None:
    with pytest.raises(WireRefused) as caught:
        log_codec.decode(b"", count, 0)
    assert caught.value.code == LOG_RANGE
