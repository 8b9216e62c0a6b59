"""Counter rebuild and replay window (SEMANTICS D1, D2), and truncated fields made whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.wire import unwrap, window
from protocol.wire.window import EMPTY, Window


def after(*counters: int) -> Window:
    seen = EMPTY
    for counter in counters:
        assert window.is_fresh(seen, counter)
        seen = window.accept(seen, counter)
    return seen


def test_the_first_frame_is_rebuilt_from_zero() -> None:
    assert list(window.candidates(EMPTY, 5, 2)) == [5, 65541, 131077]


def test_the_counter_is_rebuilt_forward_from_the_window_s_start() -> None:
    """D2: never more than 63 back, up to 65472 forward, then whole windows of 65536."""
    seen = after(100_000)
    assert next(window.candidates(seen, 100_000 & 0xFFFF, 0)) == 100_000
    assert next(window.candidates(seen, (100_000 - 63) & 0xFFFF, 0)) == 99_937
    assert next(window.candidates(seen, (100_000 - 64) & 0xFFFF, 0)) == 99_936 + 65_536
    assert list(window.candidates(seen, 0, 2)) == [131_072, 196_608, 262_144]
    assert len(list(window.candidates(seen, 0, window.EXTRA_WINDOWS_HEADEND))) == 17


def test_no_counter_beyond_32_bits_is_tried() -> None:
    assert list(window.candidates(after(0xFFFFFFF0), 0xFFFF, 2)) == [0xFFFFFFFF]
    assert list(window.candidates(after(0xFFFFFFFF), 5, 2)) == []


def test_each_counter_is_used_once_in_any_order_within_64() -> None:
    """D1: order does not matter, repetition does."""
    seen = after(100, 37, 99, 163)
    for used in (100, 163):
        assert not window.is_fresh(seen, used)
    assert not window.is_fresh(seen, 99)  # 64 behind: too old to tell
    assert window.is_fresh(seen, 101)


def test_a_jump_forgets_what_is_too_old() -> None:
    seen = after(5, 1_000_000)
    assert seen == Window(1_000_000, 1)
    assert not window.is_fresh(seen, 5)
    assert window.is_fresh(seen, 1_000_000 - 63)
    assert not window.is_fresh(seen, 1_000_000 - 64)


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=300), max_size=120))
def test_the_window_is_a_set_of_the_last_64(counters: list[int]) -> None:
    seen, used = EMPTY, set[int]()
    for counter in counters:
        expected = counter not in used and counter > max(used, default=-1) - 64
        assert window.is_fresh(seen, counter) == expected
        if expected:
            seen = window.accept(seen, counter)
            used.add(counter)
        assert seen.bitmap < 2**64


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**32 - 1), st.integers(min_value=-63, max_value=65_472))
def test_the_true_counter_is_the_first_candidate_within_a_window(highest: int, step: int) -> None:
    counter = highest + step
    if 0 <= counter < 2**32:
        assert next(window.candidates(Window(highest, 1), counter & 0xFFFF, 0)) == counter


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**53), st.integers(min_value=0, max_value=2**24 - 1))
def test_a_counter_unwraps_forward_from_any_reference_less_than_a_modulus_behind(true: int, behind: int) -> None:
    reference = max(0, true - behind)
    assert unwrap.unwrap_forward(true & 0xFFFFFF, 24, reference) == true


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**24), st.integers(min_value=-8191, max_value=8191))
def test_a_slot_unwraps_to_the_nearest(true: int, off: int) -> None:
    if true + off >= 0:
        assert unwrap.unwrap_near(true & 0x3FFF, 14, true + off) == true


@pytest.mark.parametrize(
    ("low", "expected", "found"), [(0, 0, 0), (16383, 0, 16383), (16383, 8191, 16383), (5, 8197, 5)]
)
def test_near_zero_and_half_way(low: int, expected: int, found: int) -> None:
    assert unwrap.unwrap_near(low, 14, expected) == found
