"""What a seal's number may be: capitals, digits and hyphens, so that label, QR code and record say it alike."""

from __future__ import annotations

CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
LENGTH_MIN, LENGTH_MAX = 3, 16


def is_number(text: str) -> bool:
    return LENGTH_MIN <= len(text) <= LENGTH_MAX and set(text) <= CHARACTERS
