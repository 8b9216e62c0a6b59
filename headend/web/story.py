"""The story as it happens: a bounded list of lines in two languages, and whoever is listening.

Lines are told after the commit they speak of. They are a window on what happened, not a record of it: the record is the
ledger, from which a restarted headend recalls the last of them (past.py).
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LINES_KEPT = 300
WAITING_MAX = 1000

WATER = "water"
MONEY = "money"
WARN = "warn"
BAD = "bad"
PLAIN = "plain"
TONES = (WATER, MONEY, WARN, BAD, PLAIN)


@dataclass(frozen=True)
class Told:
    """Something to tell: when (headend's or simulated time), who, what in both languages."""

    at_unix_s: int
    who_fr: str
    who_en: str
    what_fr: str
    what_en: str
    tone: str = PLAIN


@dataclass(frozen=True)
class Numbered:
    """A told line with its place in the story."""

    number: int
    told: Told


def put_last(queue: "asyncio.Queue[Any]", item: object) -> None:
    """Put without waiting; from a full queue the oldest goes."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)


class Story:
    """The last lines, and queues of listeners. One who does not keep up loses the oldest lines and blocks nobody.

    `first_number` rises from start to start of the headend (its start time in milliseconds), so that a page that was
    open through a restart never takes a new line for one it has.
    """

    def __init__(self, first_number: int) -> None:
        self._lines: deque[Numbered] = deque(maxlen=LINES_KEPT)
        self._recalled: list[Numbered] = []
        self._numbers = itertools.count(first_number)
        self._listeners: set[asyncio.Queue[Any]] = set()

    def tell(self, told: Told) -> Numbered:
        line = Numbered(next(self._numbers), told)
        self._lines.append(line)
        for queue in self._listeners:
            put_last(queue, line)
        return line

    def recall(self, past: list[Told]) -> None:
        """Lines of before the start, oldest first: shown on the page, never streamed to one that is open already."""
        self._recalled = [Numbered(index - len(past), told) for index, told in enumerate(past)]

    def shown(self) -> list[Numbered]:
        """What a fresh page shows, oldest first."""
        return [*self._recalled, *self._lines]

    def lines(self, after: int = 0) -> list[Numbered]:
        """Lines with a number above `after`, oldest first."""
        return [line for line in self._lines if line.number > after]

    @contextmanager
    def listening(self) -> Iterator["asyncio.Queue[Any]"]:
        """A queue that receives every line told from now on."""
        queue: asyncio.Queue[Any] = asyncio.Queue(WAITING_MAX)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
