"""Amounts as providers write them, taken exactly or not at all.

An integer is minor units. A string is a decimal number of the currency itself: "500.25" is 50025 Kenyan cents. What the
currency cannot hold ("500.5" F CFA) is never rounded away; a decimal comma, a sign or an exponent is not read at all.
"""

import re
from enum import Enum

AMOUNT_MINOR_MAX = 10**12

# Digits after the point, ISO 4217. Data, not a rule: add a line for a currency.
EXPONENTS = {
    "XOF": 0, "XAF": 0, "RWF": 0, "UGX": 0, "GNF": 0, "BIF": 0,
    "KES": 2, "GHS": 2, "NGN": 2, "TZS": 2, "ZMW": 2, "ZAR": 2, "NAD": 2, "CDF": 2, "MAD": 2, "USD": 2, "EUR": 2,
    "TND": 3,
}  # fmt: skip

_DECIMAL = re.compile(r"^(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,6}))?(?![\s\S])")


class Unusable(Enum):
    """Why an amount cannot be taken."""

    UNREADABLE = "amount_unreadable"
    FRACTION = "amount_fraction"
    NOT_POSITIVE = "amount_not_positive"
    TOO_LARGE = "amount_too_large"


def minor_units(amount: int | str, exponent: int) -> int | Unusable:
    """The exact minor units, 1..10^12, or why there are none. ("12.345", 3) → 12345; ("12.5", 0) → FRACTION."""
    if isinstance(amount, str):
        found = _DECIMAL.match(amount)
        if found is None:
            return Unusable.UNREADABLE
        whole, fraction = found.group(1), (found.group(2) or "").rstrip("0")
        if len(fraction) > exponent:
            return Unusable.FRACTION
        amount = int(whole + fraction.ljust(exponent, "0"))
    if amount < 1:
        return Unusable.NOT_POSITIVE
    return amount if amount <= AMOUNT_MINOR_MAX else Unusable.TOO_LARGE
