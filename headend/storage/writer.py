"""The one thread that writes (SEMANTICS G1): jobs in, one commit per batch, results only after the commit.

While a commit is on its way to the disk the next jobs collect; when it returns they form the next batch. So the batch
size follows the load and no timer is needed. Every job has its own savepoint: one that raises undoes itself alone.
One batch is one transaction, one fsync and one link of the hash chain.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from headend.clock import Clock
from headend.storage import audit, chain, remembered, sqlite, tables
from headend.storage.audit import SYSTEM, Actor
from headend.storage.high_water import HighWater, line_of

T = TypeVar("T")

BATCH_MAX = 500

_INSERTS = {
    name: f"INSERT INTO {name} ({', '.join(c.name for c in table.columns if c.name != 'id')}) "
    f"VALUES ({', '.join(':' + c.name for c in table.columns if c.name != 'id')})"
    for name, table in tables.metadata.tables.items()
    if name in chain.CHAINED
}
_DEFAULTS = {name: dict.fromkeys(c.name for c in tables.metadata.tables[name].columns) for name in chain.CHAINED}


class WriterClosed(RuntimeError):
    """The writer takes no more jobs; nothing of this one was done."""


class Tx:
    """What a job may use: the open transaction. It must not leave the job, and a job must not wait for anything.

    `connection` is for SQLAlchemy statements, `cursor` the driver's cursor for plain SQL; both are in one transaction.
    `now_us` is the batch's time, which every row of the batch carries. A command says who gave it in `actor`; what the
    job changed then becomes audit rows (audit.py). `remembered` keeps what seldom changes. On a reading connection a
    Tx reads the books as of a batch; it cannot write there.
    """

    def __init__(self, connection: Connection, batch_id: int, now_us: int) -> None:
        self.connection = connection
        self.cursor = sqlite.raw(connection).cursor()
        self.batch_id = batch_id
        self.now_us = now_us
        self.records: list[bytes] = []
        self.told: list[str] = []  # for the high-water file
        self.actor: Actor = SYSTEM
        self.changes = audit.changes_of(connection)
        self.remembered = remembered.of(connection)

    def append(self, table: str, row: Mapping[str, Any]) -> int:
        """Insert a row of the books, enter it in the batch's manifest, and return its id; missing columns are NULL."""
        unknown = row.keys() - _DEFAULTS[table].keys()
        if unknown:
            raise KeyError(f"{table} has no column {sorted(unknown)}")
        full = {**_DEFAULTS[table], **row, "batch_id": self.batch_id}
        del full["id"]
        self.cursor.execute(_INSERTS[table], full)
        if self.cursor.rowcount != 1:
            # Where memory ran out the driver has been seen to return as if all were well.
            raise MemoryError(f"a row of {table} was not stored")
        full["id"] = row_id = int(self.cursor.lastrowid)
        self.records.append(chain.row_record(table, full))
        line = line_of(table, full, self.now_us)
        if line is not None:
            self.told.append(line)
        return row_id


Job = Callable[[Tx], T]


class Writer:
    """Owns the writing connection: `submit` in a coroutine, `run` elsewhere; `close` waits for what was accepted.

    `observe` is called by its thread after each commit with the number of jobs and the seconds it took. `high_water` is
    the file that tells what was granted, synced before a result is known; None where meters can be asked for all.
    Raises StorageRefused for a database that is behind it. Without a thread of its own each job is a batch by itself,
    in the thread that brings it, and only one thread may: for a simulation, which waits for each answer, half of the
    time would go by with the threads waking each other.
    """

    def __init__(self, path: Path, clock: Clock, high_water: Path | None = None, own_thread: bool = True) -> None:
        self._clock = clock
        self._engine = sqlite.writer_engine(path)
        self._jobs: queue.SimpleQueue[tuple[Job[Any], Future[Any]] | None] = queue.SimpleQueue()
        self.observe: Callable[[int, float], None] = lambda _jobs, _took_s: None
        self._closed = False
        self._gate = threading.Lock()
        self._connection = self._engine.connect()
        audit.install(self._connection)
        row = self._connection.exec_driver_sql("SELECT id, hash FROM batch ORDER BY id DESC LIMIT 1").fetchone()
        self._head: tuple[int, bytes] = (row[0], row[1]) if row else (0, chain.GENESIS)
        self._high_water = None if high_water is None else HighWater(high_water)
        if self._high_water is not None:
            try:
                self._high_water.catch_up(sqlite.raw(self._connection).cursor())
            except BaseException:
                self._connection.close()
                self._engine.dispose()
                raise
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True) if own_thread else None
        if self._thread is not None:
            self._thread.start()

    async def submit(self, job: Job[T]) -> T:
        """Run `job` inside the next batch; returns its result, or raises what it raised, after the commit."""
        return await asyncio.wrap_future(self._enqueue(job))

    def run(self, job: Job[T]) -> T:
        """The same, for a thread that may block."""
        return self._enqueue(job).result()

    @property
    def waiting(self) -> int:
        """Jobs that wait for the next commit."""
        return self._jobs.qsize()

    def close(self) -> None:
        """Finish what was accepted, then stop."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()
        self._connection.close()
        self._engine.dispose()

    def _enqueue(self, job: Job[T]) -> "Future[T]":
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise WriterClosed("the writer is closed")
            if self._thread is None:
                self._do([(job, future)])
            else:
                self._jobs.put((job, future))
        return future

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            while len(batch) < BATCH_MAX and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    self._jobs.put(None)
                    break
                batch.append(following)
            self._do(batch)

    def _do(self, batch: list[tuple[Job[Any], "Future[Any]"]]) -> None:
        started_s = time.perf_counter()
        outcomes = self._commit([pair for pair in batch if pair[1].set_running_or_notify_cancel()])
        self.observe(len(outcomes), time.perf_counter() - started_s)
        self._resolve(outcomes)

    def _commit(self, batch: list[tuple[Job[Any], "Future[Any]"]]) -> list[tuple["Future[Any]", Any, bool]]:
        """Run and commit a batch: (future, result or exception, done), to be told only now that it is durable."""
        if not batch:
            return []
        connection = self._connection
        try:
            self._undo()
            if self._high_water is not None:
                self._high_water.flush()
            sqlite.raw(connection).execute("BEGIN IMMEDIATE")
            tx = Tx(connection, self._head[0] + 1, self._clock.unix_us())
            outcomes = [(future, *_run_job(tx, job)) for job, future in batch]
            head = self._append_link(tx)
            tx.cursor.execute("COMMIT")
            self._head = head
            if self._high_water is not None and tx.told:
                self._high_water.keep(tx.told, *head)
        except BaseException as failure:  # noqa: BLE001  (disk full, I/O error: nobody is told that it is durable)
            remembered.of(connection).forget()
            # Undoing may need what is lacking, memory above all; then it is done before the next batch.
            with contextlib.suppress(Exception):
                self._undo()
            return [(future, failure, False) for _, future in batch]
        return outcomes

    def _undo(self) -> None:
        """Leave no transaction open."""
        raw = sqlite.raw(self._connection)
        if raw.in_transaction:
            raw.execute("ROLLBACK")

    def _append_link(self, tx: Tx) -> tuple[int, bytes]:
        """Add the chain's link over the rows of this batch; a batch without rows of the books has none."""
        if not tx.records:
            return self._head
        manifest = b"".join(tx.records)
        digest = chain.link(self._head[1], tx.batch_id, chain.LANE, chain.FORMAT, tx.now_us, manifest)
        tx.cursor.execute(
            "INSERT INTO batch (id, lane, format, committed_us, previous_hash, manifest, hash) VALUES (?,?,?,?,?,?,?)",
            (tx.batch_id, chain.LANE, chain.FORMAT, tx.now_us, self._head[1], manifest, digest),
        )
        return tx.batch_id, digest

    def _resolve(self, outcomes: list[tuple["Future[Any]", Any, bool]]) -> None:
        for future, outcome, done in outcomes:
            if done:
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


def _run_job(tx: Tx, job: Job[Any]) -> tuple[Any, bool]:
    """(result, True) or (exception, False); what a failed job wrote is gone, from the tables and from the manifest."""
    mark, told = len(tx.records), len(tx.told)
    tx.actor = SYSTEM
    tx.changes.clear()
    tx.cursor.execute("SAVEPOINT job")
    try:
        result = job(tx)
        audit.record(tx)
    except Exception as failure:
        if not sqlite.raw(tx.connection).in_transaction:
            raise  # a full disk or a broken one: SQLite has undone the whole batch, and each of its jobs is told so
        tx.cursor.execute("ROLLBACK TO job")
        tx.cursor.execute("RELEASE job")
        tx.remembered.forget()
        del tx.records[mark:]
        del tx.told[told:]
        return failure, False
    tx.cursor.execute("RELEASE job")
    return result, True
