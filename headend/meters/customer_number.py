"""Customer numbers: 8 digits that people type, the last two being check digits (ISO 7064 MOD 97-10).

Every single wrong digit and every swap of two neighbours is caught, and nearly every other slip.
"""

BODY_MAX = 999_999
LENGTH = 8


def customer_number(body: int) -> str:
    """The number with its check digits: 1 gives "00000195", and 195 = 2 · 97 + 1."""
    if not 0 <= body <= BODY_MAX:
        raise ValueError(f"customer numbers have 6 digits before the check digits, not {body}")
    return f"{body:06d}{98 - body * 100 % 97:02d}"


def is_valid(number: str) -> bool:
    """Whether these are 8 ASCII digits with the remainder 1 modulo 97, as ISO 7064 asks."""
    return len(number) == LENGTH and number.isascii() and number.isdigit() and int(number) % 97 == 1
