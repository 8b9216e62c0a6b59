"""The policy pack: one frame, one body per meaning, unknown flags refused, every limit with its code and field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import errors
from protocol.errors import RuleRefused
from protocol.rules.policy import (
    DELAY_S_MAX,
    LITRES_MAX,
    MONEY_MILLS_MAX,
    NEW,
    check,
    decode_body,
    encode_body,
)
from protocol.wire.downlinks import encode_down
from protocol.wire.limits import SLOT_MAX
from protocol.wire.messages import DOWN_POLICY
from protocol.wire.parts import whole_pack
from tests.rules.homes import POLICY, STRICT


def test_a_policy_of_a_whole_weekend_fits_one_frame() -> None:
    """format 1 with 2 windows | flags | unit 100,000 | 5, 10, 3 | lifeline | windows in quarter-hours | bounds."""
    body = encode_body(POLICY)
    assert body == bytes.fromhex("12 00 a08d06 05 0a 03 00 4f4424 304444 c801 eebe07 1e 0f")
    assert decode_body(1, 0, body) == POLICY
    _, plaintext = encode_down(whole_pack(1, 119_806, body), DOWN_POLICY)
    assert 11 + len(plaintext) <= 51


def test_a_policy_without_friendly_hours_is_short() -> None:
    body = encode_body(STRICT._replace(lifeline_l_per_day=50))
    assert body == bytes.fromhex("10 00 e0a712 00 00 01 32")


def test_the_largest_values_come_back() -> None:
    largest = NEW._replace(
        version=65_535,
        flags=3,
        emergency_mills=MONEY_MILLS_MAX,
        emergency_unsure_mills=MONEY_MILLS_MAX,
        lifeline_l_per_day=LITRES_MAX,
        low_credit_mills=MONEY_MILLS_MAX,
        windows=((127, 0, 0), (1, 1_425, 1_425), (64, 720, 0)),
        window_cap_l=LITRES_MAX,
        until_slot=SLOT_MAX,
        grace_s=DELAY_S_MAX,
        jitter_s=DELAY_S_MAX,
    )
    assert decode_body(65_535, SLOT_MAX, encode_body(largest)) == largest
    four = POLICY._replace(windows=(*largest.windows, (2, 15, 30)))
    assert decode_body(1, 0, encode_body(four)) == four
    with pytest.raises(RuleRefused) as refused:
        encode_body(largest._replace(windows=four.windows))
    assert (refused.value.code, refused.value.field) == (errors.RULE_TOO_LONG, "body")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"version": 0}, errors.RULE_OUT_OF_RANGE, "version"),
        ({"flags": 32}, errors.RULE_UNKNOWN_FLAGS, "flags"),
        ({"flags": 128}, errors.RULE_UNKNOWN_FLAGS, "flags"),
        ({"flags": 256}, errors.RULE_OUT_OF_RANGE, "flags"),
        ({"emergency_mills": -1}, errors.RULE_OUT_OF_RANGE, "emergency_mills"),
        ({"emergency_unsure_mills": MONEY_MILLS_MAX + 1}, errors.RULE_OUT_OF_RANGE, "emergency_unsure_mills"),
        ({"emergency_unsure_mills": 499_999}, errors.RULE_CLOCK_CLOSES, "emergency_unsure_mills"),
        ({"low_credit_mills": 0.5}, errors.RULE_NOT_INTEGER, "low_credit_mills"),
        ({"lifeline_l_per_day": LITRES_MAX + 1}, errors.RULE_OUT_OF_RANGE, "lifeline_l_per_day"),
        ({"windows": ((0, 60, 120),)}, errors.RULE_OUT_OF_RANGE, "weekday_mask"),
        ({"windows": ((128, 60, 120),)}, errors.RULE_OUT_OF_RANGE, "weekday_mask"),
        ({"windows": ((1, 1_440, 120),)}, errors.RULE_OUT_OF_RANGE, "start_min"),
        ({"windows": ((1, 61, 120),)}, errors.RULE_OUT_OF_RANGE, "start_min"),
        ({"windows": ((1, 60, 121),)}, errors.RULE_OUT_OF_RANGE, "end_min"),
        ({"windows": ((1, 60, 120),) * 5}, errors.RULE_TOO_MANY, "windows"),
        ({"window_cap_l": 0}, errors.RULE_UNBOUNDED, "windows"),
        ({"until_slot": 0}, errors.RULE_UNBOUNDED, "windows"),
        ({"window_cap_l": LITRES_MAX + 1}, errors.RULE_OUT_OF_RANGE, "window_cap_l"),
        ({"until_slot": SLOT_MAX + 1}, errors.RULE_OUT_OF_RANGE, "until_slot"),
        ({"grace_s": DELAY_S_MAX + 60}, errors.RULE_OUT_OF_RANGE, "grace_s"),
        ({"grace_s": 61}, errors.RULE_OUT_OF_RANGE, "grace_s"),
        ({"jitter_s": -60}, errors.RULE_OUT_OF_RANGE, "jitter_s"),
        ({"windows": ()}, errors.RULE_OUT_OF_RANGE, "windows"),
    ],
)
def test_every_limit_is_refused_with_its_code_and_field(change: dict[str, object], code: int, field: str) -> None:
    """E1 among them: friendly hours without an end or a cap, and a clock loss that would close, cannot be written."""
    with pytest.raises(RuleRefused) as refused:
        encode_body(POLICY._replace(**change))
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ("", errors.RULE_TRUNCATED, "format"),
        ("20 00 01 00 00 01 32", errors.RULE_UNKNOWN_FORMAT, "format"),
        ("10 20 01 00 00 01 32", errors.RULE_UNKNOWN_FLAGS, "flags"),
        ("10 00 01 00 00 01", errors.RULE_TRUNCATED, "lifeline_l_per_day"),
        ("10 00 02 00 00 01 32 00", errors.RULE_NOT_CANONICAL, "body"),
        ("10 00 01 00 00 02 32", errors.RULE_NOT_CANONICAL, "body"),  # a threshold of 2 is one unit of 2
        ("10 00 01 03 02 01 32", errors.RULE_CLOCK_CLOSES, "emergency_unsure_mills"),
        ("11 00 01 01 01 01 00 01 00", errors.RULE_TRUNCATED, "end_min"),
        ("11 00 01 01 01 01 00 01 60 00 01 01 00 00", errors.RULE_OUT_OF_RANGE, "start_min"),
        ("11 00 01 01 01 01 00 01 00 04 00 01 00 00", errors.RULE_UNBOUNDED, "windows"),
        ("17 00 01 01 01 01 00" + "010004" * 7 + "01 01 00 00", errors.RULE_TOO_MANY, "windows"),
    ],
)
def test_bodies_that_are_not_the_one_encoding_are_refused(body: str, code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        decode_body(1, 0, bytes.fromhex(body))
    assert (refused.value.code, refused.value.field) == (code, field)


@given(st.binary(max_size=34))
def test_any_bytes_are_refused_or_are_the_canonical_body(body: bytes) -> None:
    try:
        policy = decode_body(1, 0, body)
    except RuleRefused:
        return
    assert check(policy) == policy
    assert encode_body(policy) == body
