"""Tells the story: one plain line per event, on the terminal in one language and on the headend's page in both.

A line says when (local time of the world), who, what and why. A fact or a name that differs between the languages is
given as a function from language to text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .clock import local_text
from .texts import LANGUAGES, TOLD_BY_THE_HEADEND, TONES, sentence

Spoken = str | Callable[[str], str]


class Line(NamedTuple):
    """One event of the story; `who` and `what` by language."""

    now_us: int
    key: str
    tone: str
    who: dict[str, str]
    what: dict[str, str]


def words(key: str, **facts: object) -> Spoken:
    """A sentence of texts.py as a fact of another one."""
    return lambda lang: sentence(key, lang, **facts)


def moment(time_us: int) -> Spoken:
    """A local time as a fact."""
    return lambda lang: local_text(time_us, lang)


def say(spoken: object, lang: str) -> str:
    """A fact in one language."""
    return str(spoken(lang)) if callable(spoken) else str(spoken)


class Teller:
    """Keeps every line, shows it, and holds those for the page ready until someone posts them."""

    def __init__(self, lang: str, show: Callable[[str], None]) -> None:
        self.lang = lang
        self.lines: list[Line] = []
        self._show = show
        self._unposted: list[Line] = []

    def tell(self, now_us: int, who: Spoken, key: str, **facts: object) -> None:
        """Something happened: show it."""
        line = self.note(now_us, who, key, **facts)
        self._show(f"{local_text(now_us, self.lang)}  {line.who[self.lang]:<16} {line.what[self.lang]}")

    def note(self, now_us: int, who: Spoken, key: str, **facts: object) -> Line:
        """Something happened: keep it, and have it on the page unless the headend tells of it by itself."""
        line = Line(
            now_us,
            key,
            TONES.get(key, "plain"),
            {lang: say(who, lang) for lang in LANGUAGES},
            {
                lang: sentence(key, lang, **{name: say(fact, lang) for name, fact in facts.items()})
                for lang in LANGUAGES
            },
        )
        self.lines.append(line)
        if key not in TOLD_BY_THE_HEADEND:
            self._unposted.append(line)
        return line

    def remark(self, key: str, **facts: object) -> None:
        """Something about the demo itself, which has no time in the world."""
        self._show(sentence(key, self.lang, **{name: say(fact, self.lang) for name, fact in facts.items()}))

    def take_unposted(self) -> list[Line]:
        """The lines that the page has not had yet."""
        lines, self._unposted = self._unposted, []
        return lines

    def tell_all_again(self) -> None:
        """The page has lost its memory: everything so far is to be posted anew, in order."""
        self._unposted = list(self.lines)
