"""A fault in the books, as a check reports it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Which check, where (a row, an account, a meter), and what is wrong there."""

    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.what}"
