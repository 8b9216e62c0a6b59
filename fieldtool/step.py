"""What every step of the checklist is: a name, what it asks, a run that ends in an Outcome, and a check afterwards.

A step reads and orders through the `Hands` it is given (hands.py) and keeps nothing of its own, so it can be begun
again after any interruption. Its texts say what to do with the hands ("do"), which value is good ("good") and what to
do when it is not ("fail"); the checklist shows the first two before the step and the third when it failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from .outcome import Outcome
from .texts import Texts

if TYPE_CHECKING:
    from .hands import Hands


class Wrong(Exception):
    """An answer that is not of its kind. `key` names a text of the step, `facts` fill it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts


class Question(NamedTuple):
    """What a step asks: its text is the step's text of the same name. `confirms`: --yes answers it with yes."""

    name: str
    parse: Callable[[str], Any]
    confirms: bool = False


@dataclass(frozen=True)
class Step:
    """One step; `waivable` says whether it may be left out (None), or stand as it failed, with a reason."""

    name: str
    texts: Texts
    run: Callable[[Hands], Outcome]
    asks: tuple[Question, ...] = ()
    check: Callable[[Hands, Outcome], bool] = lambda _hands, _outcome: True
    waivable: Callable[[Outcome | None], bool] = lambda _outcome: False
    waits: bool = False  # for the hands: nothing moves before the person says so


def yes_no(text: str) -> bool:
    """Yes or no, in either language."""
    told = text.strip().lower()
    if told in ("y", "yes", "o", "oui"):
        return True
    if told in ("n", "no", "non"):
        return False
    raise Wrong("wrong_yes_no")


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within limits."""

    def parse(text: str) -> int:
        told = text.strip()
        digits = told.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 12 and least <= int(told) <= most):
            raise Wrong("wrong_whole", least=least, most=most)
        return int(told)

    return parse


def free_text(most: int) -> Callable[[str], str]:
    """Something, on one line."""

    def parse(text: str) -> str:
        told = " ".join(text.split())
        if not told or len(told) > most or not told.isprintable():
            raise Wrong("wrong_text", most=most)
        return told

    return parse


def thousandths(text: str) -> int:
    """A decimal number of at most three decimals, comma or point, in thousandths: litres typed, millilitres meant."""
    told = text.strip().lower().removesuffix("l").strip().replace(",", ".")
    whole_part, point, decimals = told.partition(".")
    if not (whole_part.isascii() and whole_part.isdigit() and len(whole_part) <= 6):
        raise Wrong("wrong_litres")
    if point and not (decimals.isascii() and decimals.isdigit() and len(decimals) <= 3):
        raise Wrong("wrong_litres")
    return int(whole_part) * 1000 + int(decimals.ljust(3, "0") or 0)
