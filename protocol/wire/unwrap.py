"""Full values from the low bits on air (docs/SPEC.md, "Truncated fields").

Counters that never decrease are unwrapped forward from the last known value; slots and echoes, which may lie on either
side of what the receiver expects, to the nearest value. Both are exact as long as the true value is closer than the
modulus (forward) or half of it (near).
"""


def unwrap_forward(low: int, bits: int, reference: int) -> int:
    """The smallest value ≥ `reference` whose lowest `bits` bits are `low`; e.g. (2, 16, 65535) → 65538."""
    modulus = 1 << bits
    return reference + (low - reference) % modulus


def unwrap_near(low: int, bits: int, expected: int) -> int:
    """The value ≥ 0 nearest to `expected` whose lowest `bits` bits are `low`; of two equally near, the lower."""
    modulus = 1 << bits
    above = expected + (low - expected) % modulus
    below = above - modulus
    if below < 0 or above - expected < expected - below:
        return above
    return below
