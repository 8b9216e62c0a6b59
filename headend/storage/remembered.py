"""What was read of tables that seldom change, kept until one of them does (docs/adr/0085).

An uplink asks for its meter's prices, keys and orders, and nearly always they are what they were at the one before.
Only the writer's connection writes, and every change of an audited table is told by a trigger of its own (audit.py). So
what was read of such tables is kept until a row of one of them is told. A job that is undone forgets everything, since
what it read of its own changes never was. A connection that only reads keeps nothing: it is not told what changes.
"""

from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

ENTRIES_MAX = 100_000
_INFO = "remembered"
_MISSING = object()


class Topic(Enum):
    """What is read together, and the tables it is read from: all of them are audited."""

    METER = frozenset({"meter"})
    KEYS = frozenset({"meter_key"})
    HOLDERS = frozenset({"contract", "retirement"})
    TARIFFS = frozenset({"tariff", "tariff_terms"})
    PACKS = frozenset({"pack"})
    RATES = frozenset({"pack", "tariff", "contract", "retirement", "meter"})
    COMMANDS = frozenset({"meter_command"})
    UPDATES = frozenset({"meter_update"})
    REQUESTS = frozenset({"slot_request"})


class Remembered:
    """What one writing connection remembers, by topic."""

    def __init__(self) -> None:
        self._kept: dict[Topic, dict[Hashable, Any]] = {topic: {} for topic in Topic}

    def recall(self, topic: Topic, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` gave when it was last asked for this, or gives now. It must not be changed by who gets it."""
        kept = self._kept[topic]
        value = kept.get(key, _MISSING)
        if value is _MISSING:
            value = read()
            if len(kept) >= ENTRIES_MAX:
                kept.clear()
            kept[key] = value
        return value  # type: ignore[no-any-return]

    def changed(self, table: str) -> None:
        """A row of this table is not what it was."""
        for topic in Topic:
            if table in topic.value:
                self._kept[topic].clear()

    def forget(self) -> None:
        """What was written is undone."""
        for kept in self._kept.values():
            kept.clear()


class Nothing(Remembered):
    """What a connection remembers that is not told of changes."""

    def recall(self, topic: Topic, key: Hashable, read: Callable[[], T]) -> T:
        return read()


_NOTHING = Nothing()


def begin(connection: Connection) -> Remembered:
    """From now on this connection remembers; it must be the one that writes, with the audit's triggers on it."""
    remembered: Remembered = connection.info.setdefault(_INFO, Remembered())
    return remembered


def of(connection: Connection) -> Remembered:
    """What a connection remembers."""
    return connection.info.get(_INFO, _NOTHING)  # type: ignore[no-any-return]
