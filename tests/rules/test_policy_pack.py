"""The policy pack: one body per meaning, short when little is said, unknown flags refused, every limit by its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import errors
from protocol.errors import RuleRefused
from protocol.rules.calendar import day_of_date
from protocol.rules.policy import (
    AMNESTY_CAP_L_MAX,
    BATTERY_OPENS,
    DELAY_S_MAX,
    FIRE_EVERY_DAYS_MAX,
    FIRE_S_MAX,
    HOLIDAY_MAX,
    LITRES_MAX,
    MONEY_MILLS_MAX,
    NEW,
    PAUSE_S_MAX,
    TAMPER_CLOSES,
    check,
    decode_body,
    encode_body,
)
from protocol.wire.downlinks import encode_down
from protocol.wire.limits import BODY_MAX, SLOT_MAX, WHOLE_BODY_MAX
from protocol.wire.messages import DOWN_POLICY
from protocol.wire.parts import join_parts, pack_parts, whole_pack
from tests.rules.homes import LIFELINE, POLICY, STRICT

# The six named days of an Irish year: New Year, Good Friday, Easter Monday, Christmas and the two days after it.
IRISH_DAYS = ((2027, 1, 1), (2027, 3, 26), (2027, 3, 29), (2027, 12, 25), (2027, 12, 26), (2027, 12, 27))
HOLIDAYS = tuple(day_of_date(*day) for day in IRISH_DAYS)
FEASTS = POLICY._replace(holidays=HOLIDAYS, holiday_end_min=9 * 60)
FULL = FEASTS._replace(
    flags=TAMPER_CLOSES | BATTERY_OPENS,
    lifeline_l_per_day=50,
    vulnerable_until_slot=130_000,
    vulnerable_l_per_day=150,
    amnesty_until_slot=121_000,
    amnesty_cap_l=6_000,
    fire_s=6 * 3_600,
    fire_every_days=30,
    fire_cap_l=2_000,
    pulse_l=10,
    pause_s=900,
)


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


def test_a_year_of_irish_holidays_fits_one_frame_beside_the_weekends() -> None:
    """Section 1 | … | six days: the first, then the days skipped between | 09:00 in quarter-hours | bounds."""
    body = encode_body(FEASTS)
    days = "06 fd13 53 02 8e02 00 00 24"
    assert body == bytes.fromhex("1a 00 01 a08d06 05 0a 03 00 4f4424 304444" + days + "c801 eebe07 1e 0f")
    assert len(body) <= WHOLE_BODY_MAX
    assert decode_body(1, 0, body) == FEASTS


@pytest.mark.parametrize(
    ("change", "section"),
    [
        ({"jitter_s": 900}, "02 … 0f"),
        ({"vulnerable_until_slot": 130_000, "vulnerable_l_per_day": 150}, "04 … d0f707 9601"),
        ({"amnesty_until_slot": 121_000, "amnesty_cap_l": 6_000}, "08 … a8b107 f02e"),
        ({"fire_s": 21_600, "fire_every_days": 30, "fire_cap_l": 2_000}, "10 … e802 1e d00f"),
        ({"pulse_l": 10, "pause_s": 900}, "20 … 0a 0f"),
    ],
)
def test_each_section_is_a_bit_and_its_numbers(change: dict[str, int], section: str) -> None:
    """Seconds go in minutes; what a policy does not say costs nothing."""
    bit, numbers = section.split(" … ")
    body = encode_body(LIFELINE._replace(**change))
    assert body == bytes.fromhex(f"18 00 {bit} e0a712 00 00 01 32 {numbers}")
    assert decode_body(1, 0, body) == LIFELINE._replace(**change)


def test_a_policy_that_says_everything_goes_in_parts_and_comes_back() -> None:
    body = encode_body(FULL)
    parts = pack_parts(FULL.version, 119_806, body)
    assert WHOLE_BODY_MAX < len(body) <= 60
    assert len(parts) == 2
    assert decode_body(1, 119_806, join_parts(parts)) == FULL


def test_the_largest_values_come_back_and_have_room() -> None:
    """Each number as long as it can be: sixteen holidays far apart, four windows, no common unit of the amounts."""
    largest = NEW._replace(
        version=65_535,
        flags=15,
        emergency_mills=MONEY_MILLS_MAX - 1,
        emergency_unsure_mills=MONEY_MILLS_MAX,
        lifeline_l_per_day=LITRES_MAX,
        low_credit_mills=MONEY_MILLS_MAX,
        windows=((127, 0, 0), (1, 1_425, 1_425), (64, 720, 0), (2, 15, 30)),
        window_cap_l=LITRES_MAX,
        until_slot=SLOT_MAX,
        grace_s=DELAY_S_MAX,
        jitter_s=DELAY_S_MAX,
        holidays=tuple(HOLIDAY_MAX - 17_000 * (15 - n) for n in range(16)),
        holiday_end_min=1_425,
        vulnerable_until_slot=SLOT_MAX,
        vulnerable_l_per_day=LITRES_MAX,
        amnesty_until_slot=SLOT_MAX,
        amnesty_cap_l=AMNESTY_CAP_L_MAX,
        fire_s=FIRE_S_MAX,
        fire_every_days=FIRE_EVERY_DAYS_MAX,
        fire_cap_l=LITRES_MAX,
        pulse_l=LITRES_MAX,
        pause_s=PAUSE_S_MAX,
    )
    body = encode_body(largest)
    assert 120 < len(body) <= BODY_MAX
    assert decode_body(65_535, SLOT_MAX, body) == largest


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
        ({"flags": 24}, errors.RULE_OUT_OF_RANGE, "flags"),  # a last move either opens or closes
        ({"windows": (), "holidays": ()}, errors.RULE_OUT_OF_RANGE, "windows"),
        ({"holidays": (3, 3)}, errors.RULE_NOT_ASCENDING, "holidays"),
        ({"holidays": (4, 3)}, errors.RULE_NOT_ASCENDING, "holidays"),
        ({"holidays": tuple(range(17))}, errors.RULE_TOO_MANY, "holidays"),
        ({"holidays": (HOLIDAY_MAX + 1,)}, errors.RULE_OUT_OF_RANGE, "holidays"),
        ({"holidays": (-1,)}, errors.RULE_OUT_OF_RANGE, "holidays"),
        ({"holidays": (3,), "holiday_end_min": 1_440}, errors.RULE_OUT_OF_RANGE, "holiday_end_min"),
        ({"holidays": (3,), "holiday_end_min": 541}, errors.RULE_OUT_OF_RANGE, "holiday_end_min"),
        ({"holiday_end_min": 540}, errors.RULE_OUT_OF_RANGE, "holiday_end_min"),
        ({"windows": (), "holidays": (3,), "window_cap_l": 0}, errors.RULE_UNBOUNDED, "holidays"),
        ({"windows": (), "holidays": (3,), "until_slot": 0}, errors.RULE_UNBOUNDED, "holidays"),
        ({"vulnerable_until_slot": 9}, errors.RULE_UNBOUNDED, "vulnerable_until_slot"),
        ({"vulnerable_l_per_day": 9}, errors.RULE_UNBOUNDED, "vulnerable_until_slot"),
        ({"vulnerable_until_slot": SLOT_MAX + 1}, errors.RULE_OUT_OF_RANGE, "vulnerable_until_slot"),
        ({"vulnerable_l_per_day": LITRES_MAX + 1}, errors.RULE_OUT_OF_RANGE, "vulnerable_l_per_day"),
        ({"amnesty_until_slot": 9}, errors.RULE_UNBOUNDED, "amnesty_until_slot"),
        ({"amnesty_cap_l": 9}, errors.RULE_UNBOUNDED, "amnesty_until_slot"),
        ({"amnesty_until_slot": -1}, errors.RULE_OUT_OF_RANGE, "amnesty_until_slot"),
        ({"amnesty_cap_l": AMNESTY_CAP_L_MAX + 1}, errors.RULE_OUT_OF_RANGE, "amnesty_cap_l"),
        ({"fire_s": 3_600}, errors.RULE_UNBOUNDED, "fire_s"),
        ({"fire_s": 3_600, "fire_every_days": 30}, errors.RULE_UNBOUNDED, "fire_s"),
        ({"fire_s": 3_600, "fire_cap_l": 500}, errors.RULE_UNBOUNDED, "fire_s"),
        ({"fire_every_days": 30, "fire_cap_l": 500}, errors.RULE_UNBOUNDED, "fire_s"),
        ({"fire_s": FIRE_S_MAX + 60}, errors.RULE_OUT_OF_RANGE, "fire_s"),
        ({"fire_s": 61, "fire_every_days": 30, "fire_cap_l": 500}, errors.RULE_OUT_OF_RANGE, "fire_s"),
        ({"fire_every_days": FIRE_EVERY_DAYS_MAX + 1}, errors.RULE_OUT_OF_RANGE, "fire_every_days"),
        ({"fire_cap_l": LITRES_MAX + 1}, errors.RULE_OUT_OF_RANGE, "fire_cap_l"),
        ({"pulse_l": 10, "pause_s": 900}, errors.RULE_OUT_OF_RANGE, "pulse_l"),  # there is no lifeline to pulse
        ({"lifeline_l_per_day": 50, "pulse_l": 10}, errors.RULE_UNBOUNDED, "pulse_l"),
        ({"lifeline_l_per_day": 50, "pause_s": 900}, errors.RULE_UNBOUNDED, "pulse_l"),
        ({"lifeline_l_per_day": 50, "pulse_l": 51, "pause_s": 900}, errors.RULE_OUT_OF_RANGE, "pulse_l"),
        ({"lifeline_l_per_day": 50, "pulse_l": 10, "pause_s": 30}, errors.RULE_OUT_OF_RANGE, "pause_s"),
        ({"lifeline_l_per_day": 50, "pulse_l": 10, "pause_s": PAUSE_S_MAX + 60}, errors.RULE_OUT_OF_RANGE, "pause_s"),
    ],
)
def test_every_limit_is_refused_with_its_code_and_field(change: dict[str, object], code: int, field: str) -> None:
    """E1 among them: friendly hours without an end or a cap, and a clock loss that would close, cannot be written."""
    with pytest.raises(RuleRefused) as refused:
        encode_body(POLICY._replace(**change))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_jitter_that_nothing_uses_is_refused() -> None:
    """Without friendly hours and without a lifeline no valve moves at an hour of the clock."""
    with pytest.raises(RuleRefused) as refused:
        encode_body(STRICT._replace(jitter_s=900))
    assert (refused.value.code, refused.value.field) == (errors.RULE_OUT_OF_RANGE, "jitter_s")
    assert check(LIFELINE._replace(jitter_s=900))


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
        ("18 00 40 01 00 00 01 32 01", errors.RULE_UNKNOWN_FLAGS, "sections"),
        ("18 00 80 01 00 00 01 32 01", errors.RULE_UNKNOWN_FLAGS, "sections"),
        ("18 00 00 01 00 00 01 32", errors.RULE_NOT_CANONICAL, "body"),  # a byte of sections that says none
        ("18 00", errors.RULE_TRUNCATED, "sections"),
        ("18 00 02 01 00 00 01 32 00", errors.RULE_NOT_CANONICAL, "body"),  # a jitter of nothing
        ("18 00 04 01 00 00 01 32 d0f707", errors.RULE_TRUNCATED, "vulnerable_l_per_day"),
        ("18 00 04 01 00 00 01 32 d0f707 00", errors.RULE_UNBOUNDED, "vulnerable_until_slot"),
        ("18 00 04 01 00 00 01 32 00 00", errors.RULE_NOT_CANONICAL, "body"),
        ("18 00 08 01 00 00 01 32 00 01", errors.RULE_UNBOUNDED, "amnesty_until_slot"),
        ("18 00 10 01 00 00 01 32 01 01", errors.RULE_TRUNCATED, "fire_cap_l"),
        ("18 00 20 01 00 00 01 00 0a 0f", errors.RULE_OUT_OF_RANGE, "pulse_l"),
        ("18 00 01 01 00 00 01 00 11" + "01" * 17 + "00 01 01 00 00", errors.RULE_TOO_MANY, "holidays"),
        ("18 00 01 01 00 00 01 00 00 00 01 01 00 00", errors.RULE_NOT_CANONICAL, "body"),  # no holiday at all
        ("18 00 01 01 00 00 01 00 01 ffffffff7f 00 01 01 00 00", errors.RULE_OUT_OF_RANGE, "holidays"),
        ("18 00 01 01 00 00 01 00 01 05 60 01 01 00 00", errors.RULE_OUT_OF_RANGE, "holiday_end_min"),
        ("18 00 01 01 00 00 01 00 01 05 24 00 01 00 00", errors.RULE_UNBOUNDED, "holidays"),
        ("18 00 03 01 00 00 01 00 01 05 24 01 01 00 00", errors.RULE_NOT_CANONICAL, "body"),  # the jitter said twice
        ("15 00 01 01 01 01 00" + "010004" * 5 + "01 01 00 00", errors.RULE_TOO_MANY, "windows"),
    ],
)
def test_bodies_that_are_not_the_one_encoding_are_refused(body: str, code: int, field: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        decode_body(1, 0, bytes.fromhex(body))
    assert (refused.value.code, refused.value.field) == (code, field)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\x1a\x00\x3f\x01" + tail))
def test_any_bytes_are_refused_or_are_the_canonical_body(body: bytes) -> None:
    try:
        policy = decode_body(1, 0, body)
    except RuleRefused:
        return
    assert check(policy) == policy
    assert encode_body(policy) == body
