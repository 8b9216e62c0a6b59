"""The known-volume test: no wrong pulse weight passes, no right one is called wrong (M01, CT-33)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtool import volume_test as rule
from fieldtool.steps.volume_test import litres_text, percent_text

weights = st.sampled_from(rule.WEIGHTS_ML)


def counted(volume_ml: int, weight_ml: int, phase_ml: int) -> int:
    """The pulses of a volume, from wherever the wheel stood."""
    return (volume_ml + phase_ml) // weight_ml


@st.composite
def draws(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """(set weight, true weight, bucket, pulses) of a tap that runs through a faultless meter."""
    is_set, true = draw(weights), draw(weights)
    bucket_ml = draw(st.integers(rule.bucket_ml_min(is_set), rule.BUCKET_ML_MAX))
    return is_set, true, bucket_ml, counted(bucket_ml, true, draw(st.integers(0, true - 1)))


@settings(max_examples=2000)
@given(draws())
def test_a_wrong_weight_never_passes_and_is_named_where_pulses_tell(drawn: tuple[int, int, int, int]) -> None:
    is_set, true, bucket_ml, pulses = drawn
    verdict = rule.judge(bucket_ml, pulses, is_set)
    if is_set != true:
        if pulses >= 2:
            assert (verdict.code, verdict.fits_ml) == (rule.WRONG_WEIGHT, true)
        else:  # a single pulse of any weight can be one too few: more water is asked for
            assert verdict.code in (rule.WRONG_WEIGHT, rule.NO_PULSES, rule.TOO_COARSE)
    else:
        assert verdict.code in (rule.PASSED, rule.TOO_COARSE, rule.NO_PULSES)
        if bucket_ml >= 20 * true:
            assert verdict.code == rule.PASSED


@given(weights, st.integers(1, 60), st.integers(rule.BUCKET_ML_MIN, rule.BUCKET_ML_MAX))
def test_the_error_is_the_nearest_permille_and_five_percent_is_the_edge(
    pulse_ml: int, pulses: int, bucket: int
) -> None:
    verdict = rule.judge(bucket, pulses, pulse_ml)
    exact = 1000 * (pulses * pulse_ml - bucket)
    assert abs(verdict.error_permille * bucket - exact) * 2 <= bucket
    if bucket >= rule.bucket_ml_min(pulse_ml):
        assert (verdict.code == rule.PASSED) == (abs(exact) <= 50 * bucket)


@pytest.mark.parametrize(
    ("bucket_ml", "pulses", "pulse_ml", "code", "fits_ml"),
    [
        (10_000, 10, 1000, rule.PASSED, 1000),
        (10_500, 10, 1000, rule.PASSED, 1000),
        (10_527, 10, 1000, rule.TOO_COARSE, 1000),
        (10_000, 1, 1000, rule.WRONG_WEIGHT, 10_000),
        (10_000, 100, 1000, rule.WRONG_WEIGHT, 100),
        (10_000, 0, 1000, rule.NO_PULSES, None),
        (4_999, 5, 1000, rule.TOO_LITTLE, None),
        (10_000, 10, 10_000, rule.TOO_LITTLE, None),
        (20_000, 4, 1000, rule.OFF, None),
    ],
)
def test_verdicts(bucket_ml: int, pulses: int, pulse_ml: int, code: str, fits_ml: int | None) -> None:
    verdict = rule.judge(bucket_ml, pulses, pulse_ml)
    assert (verdict.code, verdict.fits_ml) == (code, fits_ml)


def test_what_is_advised_is_enough_and_within_one_order_where_it_can_be() -> None:
    assert [rule.bucket_ml_advised(weight) for weight in rule.WEIGHTS_ML] == [10_000, 10_000, 40_000, 200_000]
    assert all(rule.bucket_ml_advised(weight) >= rule.bucket_ml_min(weight) for weight in rule.WEIGHTS_ML)


def test_litres_and_percent_as_people_read_them() -> None:
    assert [litres_text(ml) for ml in (9_850, 10_000, 100, 5)] == ["9.85", "10", "0.1", "0.005"]
    assert [percent_text(permille) for permille in (-12, 0, 50, 900)] == ["-1.2", "0.0", "+5.0", "+90.0"]
