"""The tariff pack: real tariffs in one frame, one body per meaning, and a refusal for every limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import errors
from protocol.errors import RuleRefused
from protocol.rules.calendar import Offsets
from protocol.rules.tariff import (
    BLOCK_UPTO_L_MAX,
    CHARGE_MILLS_MAX,
    PRICE_MILLS_MAX,
    Tariff,
    check,
    decode_body,
    encode_body,
)
from protocol.wire.downlinks import decode_down, encode_down
from protocol.wire.limits import BODY_MAX, SLOT_MAX
from protocol.wire.messages import DOWN_TARIFF
from protocol.wire.parts import join_parts, pack_parts, whole_pack
from tests.rules.packs import KIAMBU, MOGALE, NIAMEY, NIGER, pack

PARIS = Offsets(60, ((109_201, 120), (119_281, 60)))


def again(tariff: Tariff, body: bytes) -> Tariff:
    return decode_body(tariff.version, tariff.from_slot, body)


@pytest.mark.parametrize(
    ("tariff", "body"),
    [
        # format 1 scale 0 | no flags | UTC+1 = 4 quarter-hours → 08 | unit 1 | 10 m³ → 21 | 127 | 30 m³ → 61 | 279 |
        # open | 448
        (NIGER, "10 00 08 01 15 7f 3d 9702 00 c003"),
        # minimum flag | UTC+3 | unit 875 mills | minimum 66,000 x 875 | widths and prices in units: (6 m³, 0) (14, 13)
        # (30, 16) (50, 20) (200, 24) (open, 28)
        (KIAMBU, "10 04 18 eb06 d08304 0d00 1d0d 3d10 6514 910318 001c"),
        # unit 1,850 | (6 m³, 0) (open, 1)
        (MOGALE, "10 00 10 ba0e 0d00 0001"),
    ],
    ids=["niger", "kiambu", "mogale"],
)
def test_real_tariffs_fit_one_frame_and_come_back(tariff: Tariff, body: str) -> None:
    """The bytes of docs/TARIFFS.md; with header and envelope well below the 51 bytes of a downlink."""
    encoded = encode_body(tariff)
    assert encoded == bytes.fromhex(body)
    assert again(tariff, encoded) == tariff
    kind, plaintext = encode_down(whole_pack(tariff.version, tariff.from_slot, encoded), DOWN_TARIFF)
    assert 11 + len(plaintext) <= 51
    assert decode_down(kind, plaintext).chunk == encoded


def test_a_pack_with_everything_in_it_comes_back() -> None:
    full = pack(
        ((6_001, 5), (20_000, 12_500), (0, 99_995)),
        PARIS,
        scale=4,
        households=12,
        minimum=577_500,
        standing_day=25,
        standing_month=100_000,
    )
    assert again(full, encode_body(full)) == full


LIMITS = [
    ({"version": 0}, errors.RULE_OUT_OF_RANGE, "version"),
    ({"version": 65_536}, errors.RULE_OUT_OF_RANGE, "version"),
    ({"version": True}, errors.RULE_NOT_INTEGER, "version"),
    ({"from_slot": -1}, errors.RULE_OUT_OF_RANGE, "from_slot"),
    ({"from_slot": SLOT_MAX + 1}, errors.RULE_OUT_OF_RANGE, "from_slot"),
    ({"scale": 5}, errors.RULE_OUT_OF_RANGE, "scale"),
    ({"scale": -1}, errors.RULE_OUT_OF_RANGE, "scale"),
    ({"households": 0}, errors.RULE_OUT_OF_RANGE, "households"),
    ({"households": 256}, errors.RULE_OUT_OF_RANGE, "households"),
    ({"minimum": -1}, errors.RULE_OUT_OF_RANGE, "minimum"),
    ({"minimum": CHARGE_MILLS_MAX + 1}, errors.RULE_OUT_OF_RANGE, "minimum"),
    ({"standing_day": CHARGE_MILLS_MAX + 1}, errors.RULE_OUT_OF_RANGE, "standing_day"),
    ({"standing_month": CHARGE_MILLS_MAX + 1}, errors.RULE_OUT_OF_RANGE, "standing_month"),
    ({"standing_day": 0.5}, errors.RULE_NOT_INTEGER, "standing_day"),
    ({"offsets": Offsets(50, ())}, errors.RULE_OUT_OF_RANGE, "standard_minutes"),
    ({"offsets": Offsets(855, ())}, errors.RULE_OUT_OF_RANGE, "standard_minutes"),
    ({"offsets": Offsets(-735, ())}, errors.RULE_OUT_OF_RANGE, "standard_minutes"),
    ({"offsets": Offsets(60, ((5, 70),))}, errors.RULE_OUT_OF_RANGE, "transition minutes"),
    ({"offsets": Offsets(60, ((-1, 120),))}, errors.RULE_OUT_OF_RANGE, "transition slot"),
    ({"offsets": Offsets(60, ((5, 60),))}, errors.RULE_NOT_ASCENDING, "transitions"),
    ({"offsets": Offsets(60, ((5, 120), (5, 60)))}, errors.RULE_NOT_ASCENDING, "transitions"),
    (
        {"offsets": Offsets(60, tuple((n, 120 - 60 * (n % 2)) for n in range(17)))},
        errors.RULE_TOO_MANY,
        "transitions",
    ),
    ({"blocks": ()}, errors.RULE_OPEN_END, "blocks"),
    ({"blocks": ((10_000, 127),)}, errors.RULE_OPEN_END, "blocks"),
    ({"blocks": ((0, 127), (0, 128))}, errors.RULE_NOT_ASCENDING, "blocks"),
    ({"blocks": ((10_000, 127), (10_000, 279), (0, 448))}, errors.RULE_NOT_ASCENDING, "blocks"),
    ({"blocks": ((BLOCK_UPTO_L_MAX + 1, 127), (0, 448))}, errors.RULE_OUT_OF_RANGE, "upto_l"),
    ({"blocks": ((10_000, -1), (0, 448))}, errors.RULE_OUT_OF_RANGE, "price"),
    ({"blocks": ((0, PRICE_MILLS_MAX + 1),)}, errors.RULE_OUT_OF_RANGE, "price"),
    ({"blocks": (*((n * 1_000, n) for n in range(1, 9)), (0, 9))}, errors.RULE_TOO_MANY, "blocks"),
]


@pytest.mark.parametrize(("change", "code", "field"), LIMITS)
def test_every_limit_is_refused_with_its_code_and_field(change: dict[str, object], code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        encode_body(NIGER._replace(**change))
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 65_535, "from_slot": SLOT_MAX, "scale": 4, "households": 255},
        {"minimum": CHARGE_MILLS_MAX, "blocks": ((0, PRICE_MILLS_MAX),)},
        {"offsets": Offsets(-720, ())},
        {"offsets": Offsets(840, ())},
        {"blocks": ((BLOCK_UPTO_L_MAX, 0), (0, 0))},
    ],
)
def test_the_largest_allowed_values_come_back(change: dict[str, object]) -> None:
    tariff = NIGER._replace(**change)
    assert again(tariff, encode_body(tariff)) == tariff


def test_the_longest_tariff_the_limits_allow_goes_in_parts() -> None:
    """Each number as long as it can be beside the others: 16 clock changes, 8 blocks, no common unit, scale 4."""
    changes = tuple((2_000_000 + 700_000 * n, -720 if n % 2 else 840) for n in range(16))
    blocks = tuple((2_097_151 * n, PRICE_MILLS_MAX * 10_000 - n) for n in range(1, 8))
    longest = pack(
        (*blocks, (0, PRICE_MILLS_MAX * 10_000)),
        Offsets(-720, changes),
        scale=4,
        households=255,
        minimum=CHARGE_MILLS_MAX * 10_000,
        standing_day=CHARGE_MILLS_MAX * 10_000 - 1,
        standing_month=CHARGE_MILLS_MAX * 10_000 - 2,
    )
    body = encode_body(longest)
    assert 180 < len(body) <= BODY_MAX
    assert again(longest, join_parts(pack_parts(longest.version, longest.from_slot, body))) == longest


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ("", errors.RULE_TRUNCATED, "format"),
        ("10", errors.RULE_TRUNCATED, "flags"),
        ("20 00 08 01 15 7f 00 c003", errors.RULE_UNKNOWN_FORMAT, "format"),
        ("00 00 08 01 15 7f 00 c003", errors.RULE_UNKNOWN_FORMAT, "format"),
        ("10 20 08 01 15 7f 00 c003", errors.RULE_UNKNOWN_FLAGS, "flags"),
        ("10 80 08 01 15 7f 00 c003", errors.RULE_UNKNOWN_FLAGS, "flags"),
        ("15 00 08 01 15 7f 00 c003", errors.RULE_OUT_OF_RANGE, "scale"),
        ("10 00 08 01 15 7f 00", errors.RULE_TRUNCATED, "price"),
        ("10 00 08 01 15 7f", errors.RULE_TRUNCATED, "upto_l"),
        ("10 00 08 01 15 7f 00 c003 00", errors.RULE_NOT_CANONICAL, "body"),  # a byte too many
        ("10 00 08 01 15 7f 00 c08300", errors.RULE_NOT_CANONICAL, "body"),  # 448 in three bytes
        ("10 00 08 01 15 7e 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # 126 and 448 share a unit of 14
        ("10 00 08 01 a09c01 7f 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # 10 m³ written as 10,000 L
        ("10 02 08 01 01 15 7f 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # one household needs no field
        ("10 04 08 01 00 15 7f 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # a minimum of nothing
        ("10 00 08 00 15 7f 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # a unit of nothing
        ("10 01 08 00 01 15 7f 00 c003", errors.RULE_NOT_CANONICAL, "body"),  # an empty transition table
        ("10 01 08 11 01 15 7f 00 c003", errors.RULE_TOO_MANY, "transitions"),
        ("10 00 08 01" + "0301" * 8, errors.RULE_TOO_MANY, "blocks"),
        ("10 00 08 ffffffffffffffff7f 00 01", errors.RULE_OUT_OF_RANGE, "unit"),
    ],
)
def test_bodies_that_are_not_the_one_encoding_are_refused(body: str, code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        decode_body(1, 119_806, bytes.fromhex(body))
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(("version", "from_slot", "field"), [(0, 1, "version"), (1, -1, "from_slot")])
def test_the_numbers_beside_the_body_are_checked_too(version: int, from_slot: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        decode_body(version, from_slot, encode_body(NIGER))
    assert (refused.value.code, refused.value.field) == (errors.RULE_OUT_OF_RANGE, field)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_are_the_canonical_body(body: bytes) -> None:
    try:
        tariff = decode_body(1, 119_806, body)
    except RuleRefused:
        return
    assert check(tariff) == tariff
    if len(body) <= 34:
        assert encode_body(tariff) == body


@given(st.data())
def test_a_real_body_with_one_byte_changed_is_refused_or_means_something_else(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from([NIGER, KIAMBU, MOGALE]))
    body = bytearray(encode_body(original))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = again(original, bytes(body))
    except RuleRefused:
        return
    assert changed != original
    assert encode_body(changed) == body


def test_the_offsets_of_a_pack_come_back_as_minutes() -> None:
    tariff = pack(((0, 1),), PARIS)
    assert again(tariff, encode_body(tariff)).offsets == PARIS
    assert again(NIGER, encode_body(NIGER)).offsets == NIAMEY
