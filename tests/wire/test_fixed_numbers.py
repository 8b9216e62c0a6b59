"""CPython writes many numbers in one go; byte for byte and refusal for refusal what the meter writes one by one."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.compat import add_fixed, add_numbers

NUMBERS = st.lists(
    st.integers(1, 8).flatmap(
        lambda width: st.tuples(
            st.one_of(st.integers(0, 256**width - 1), st.sampled_from((-1, 0, 256**width - 1, 256**width))),
            st.just(width),
        )
    ),
    max_size=12,
)


def one_by_one(numbers: list[tuple[int, int]]) -> bytes | None:
    """None where a number is too wide or negative."""
    try:
        return b"".join([value.to_bytes(width, "big") for value, width in numbers])
    except OverflowError:
        return None


@given(NUMBERS)
def test_numbers_are_written_in_one_go_as_one_by_one(numbers: list[tuple[int, int]]) -> None:
    parts: list[bytes] = []
    written: bytes | None
    try:
        add_fixed(parts, tuple(value for value, _ in numbers), tuple(width for _, width in numbers))
        written = b"".join(parts)
    except OverflowError:
        written = None
    assert written == one_by_one(numbers)


def test_attributes_are_written_in_the_order_of_their_table() -> None:
    class Holder:
        volume_l, opened, until_s = 0x01020304050607, 1, 0xFF

    parts = [b"\x09"]
    add_numbers(parts, Holder(), ("opened", 1, "volume_l", 7, "until_s", 5))
    assert b"".join(parts).hex() == "0901" + "01020304050607" + "00000000ff"
