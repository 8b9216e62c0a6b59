"""The known-volume test: a measured bucket against the pulses the meter counted meanwhile (domain rule M01). Pure.

A pulse stands for 0.1, 1, 10 or 100 litres, by model. A meter set to the wrong one bills ten times too much or too
little for years, and nothing else at an installation shows it. The count may differ from the bucket by 5 %.

Why two pulses are enough to catch it: pulses come whole, so the count n of a volume B lies within one pulse of the
truth. Where the true weight is w' and the set one w, with B >= 2 w: w' >= 10 w gives n w <= B/10 + w <= 0.6 B, and
w' <= w/10 gives n w >= 10 B - w >= 9.5 B. Both are far outside of 5 %. With less than two pulses, chance decides; the
test refuses to judge that.
"""

from typing import NamedTuple

WEIGHTS_ML = (100, 1_000, 10_000, 100_000)
TOLERANCE_PERMILLE = 50
BUCKET_ML_MIN = 5_000  # below this, half a cup left in the bucket is 5 %
BUCKET_ML_MAX = 5_000_000
PULSES_MIN = 2
PULSES_ADVISED = 10
BUCKET_ML_ADVISED = 10_000
ONE_ORDER_ML = 40_000  # a technician's order to open ends after 50 litres

PASSED = "passed"
WRONG_WEIGHT = "wrong_weight"  # another weight explains bucket and pulses: `fits_ml`
NO_PULSES = "no_pulses"
TOO_COARSE = "too_coarse"  # within one pulse of right: only more water can tell
TOO_LITTLE = "too_little"  # a bucket that chance decides about
OFF = "off"  # no weight explains it: the bucket, the reading, or the meter


class Verdict(NamedTuple):
    """What the test says; `error_permille` is of the bucket, to the nearest, positive where too much was counted."""

    code: str
    counted_ml: int
    error_permille: int
    fits_ml: int | None


def bucket_ml_min(pulse_ml: int) -> int:
    """The least that a test of this weight is judged by."""
    return max(BUCKET_ML_MIN, PULSES_MIN * pulse_ml)


def bucket_ml_advised(pulse_ml: int) -> int:
    """What to draw, so that one pulse more or less seldom spoils the test, within what one order lets through."""
    return max(BUCKET_ML_ADVISED, min(PULSES_ADVISED * pulse_ml, ONE_ORDER_ML), bucket_ml_min(pulse_ml))


def judge(bucket_ml: int, pulses: int, pulse_ml: int) -> Verdict:
    """The verdict on `pulses` of `pulse_ml` each, against a bucket of up to BUCKET_ML_MAX."""
    assert pulse_ml in WEIGHTS_ML and pulses >= 0 and 0 < bucket_ml <= BUCKET_ML_MAX
    counted_ml = pulses * pulse_ml
    twice = 2000 * (counted_ml - bucket_ml) + bucket_ml
    error_permille = twice // (2 * bucket_ml)
    if bucket_ml < bucket_ml_min(pulse_ml):
        return Verdict(TOO_LITTLE, counted_ml, error_permille, None)
    if _within(counted_ml, bucket_ml, 0):
        return Verdict(PASSED, counted_ml, error_permille, pulse_ml)
    if pulses == 0:
        return Verdict(NO_PULSES, counted_ml, error_permille, None)
    if _within(counted_ml, bucket_ml, pulse_ml):
        return Verdict(TOO_COARSE, counted_ml, error_permille, pulse_ml)
    fits = fitting_ml(bucket_ml, pulses)
    return Verdict(OFF if fits is None else WRONG_WEIGHT, counted_ml, error_permille, fits)


def fitting_ml(bucket_ml: int, pulses: int) -> int | None:
    """The weight under which so many pulses come nearest to the bucket, if one comes within 5 % and a pulse."""
    near = [weight for weight in WEIGHTS_ML if _within(pulses * weight, bucket_ml, weight)]
    return min(near, key=lambda weight: abs(pulses * weight - bucket_ml), default=None)


def _within(counted_ml: int, bucket_ml: int, pulse_ml: int) -> bool:
    """Whether some volume less than a pulse from the count (the count itself for 0) is within 5 % of the bucket."""
    off = max(0, abs(counted_ml - bucket_ml) - pulse_ml)
    return 1000 * off <= TOLERANCE_PERMILLE * bucket_ml
