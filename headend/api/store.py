"""The database as the HTTP side sees it: one writer, many readers, one clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from sqlalchemy import Connection

from headend.clock import Clock
from headend.storage.reader import Reader
from headend.storage.writer import Job, Writer

T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """What a request may use. Writes answer after the commit; reads see one committed state and cannot write.

    `started_ms` is when this process started by the machine's clock: it rises from start to start.
    """

    clock: Clock
    writer: Writer
    reader: Reader
    started_ms: int

    def now_unix_s(self) -> int:
        return self.clock.unix_us() // 1_000_000

    async def read(self, query: Callable[[Connection], T]) -> T:
        return await self.reader.fetch(query)

    async def write(self, job: Job[T]) -> T:
        return await self.writer.submit(job)


STORE: web.AppKey[Store] = web.AppKey("store", Store)
