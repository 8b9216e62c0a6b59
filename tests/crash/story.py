"""A stretch of a headend's life, recorded: every file operation, and between them which work was acknowledged.

The production code works on a real folder; the watching VFS notes what it does to files. After each piece of work all
rows of all tables are read and hashed: these are the only states in which the books may ever be found again.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from headend.storage.writer import Job, Tx, Writer
from tests.crash.disk import Disk
from tests.crash.vfs import Operation, watched

DATABASE = "books.db"

# What is told between the operations: the work with this number was acknowledged.
ACKNOWLEDGED = "acknowledged"


@dataclass
class Story:
    """What happened, in order; `states[n]` is the books' content after n pieces of work."""

    start: Disk
    operations: list[Operation] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)

    def watch(self, operation: Operation) -> int:
        self.operations.append(operation)
        return 0

    def acknowledge(self, number: int) -> None:
        self.operations.append(Operation(ACKNOWLEDGED, "", number))


@contextmanager
def recorded(folder: Path) -> Iterator[Story]:
    """What is done to the folder's files in the block; every connection must be closed when it ends."""
    story = Story(Disk.holding(folder))
    with watched(story.watch):
        yield story


class Teller:
    """Gives a writer its work, notes when each piece is acknowledged, and how the books stand after it."""

    def __init__(self, story: Story, writer: Writer, read: Callable[[Callable[[Connection], bytes]], bytes]) -> None:
        self.story = story
        self.writer = writer
        self.read = read
        if not story.states:
            story.states.append(read(content))

    def do(self, *jobs: Job[Any]) -> list[Any]:
        """All of them in one commit; returns what they returned."""
        number = len(self.story.states)
        gate = threading.Event()
        held = self.writer._enqueue(lambda tx: gate.wait(60)) if len(jobs) > 1 else None
        futures: list[Future[Any]] = []
        for job in jobs:
            future = self.writer._enqueue(job)
            future.add_done_callback(lambda done: self._told(done, number))
            futures.append(future)
        gate.set()
        results = [future.result() for future in futures]
        if held is not None:
            held.result()
        self.writer.run(_nothing)
        self.story.states.append(self.read(content))
        return results

    def _told(self, done: "Future[Any]", number: int) -> None:
        if done.exception() is None:
            self.story.acknowledge(number)


def _nothing(_tx: Tx) -> None:
    """Returns only after what was begun before it."""


def content(connection: Connection) -> bytes:
    """A hash over every row of every table, the schema among them."""
    digest = hashlib.sha256()
    names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in ("sqlite_master", *sorted(names)):
        digest.update(name.encode())
        for row in sorted(repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")):
            digest.update(row.encode())
    return digest.digest()
