"""Reading beside the writer: connections that cannot write, each query on one committed state."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from headend.storage import sqlite

T = TypeVar("T")


class Reader:
    """Runs queries in threads; none holds a transaction across an await (SEMANTICS G1)."""

    def __init__(self, path: Path) -> None:
        self._engine = sqlite.reader_engine(path)

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` on one snapshot, in this thread."""
        with self.connected() as connection:
            return query(connection)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection on one snapshot, for as long as the block lasts."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")

    async def fetch(self, query: Callable[[Connection], T]) -> T:
        """The same, in a worker thread, for coroutines."""
        return await asyncio.to_thread(self.read, query)

    def close(self) -> None:
        self._engine.dispose()
