"""What a check says when something is not as it must be."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`check` is the rule it breaks (I1 to I25), `home` the home's number, 0 for the books or the whole world."""

    check: str
    home: int
    text: str

    def __str__(self) -> str:
        where = f"home {self.home}" if self.home else "books"
        return f"{self.check}: {where}: {self.text}"
