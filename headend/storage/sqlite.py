"""One SQLite library per process (SEMANTICS G1), new enough, durable at every commit.

Two libraries in one process break POSIX locks: closing a reader of the one drops the writer's lock of the other, and
an acknowledged commit can vanish. So this module puts pysqlite3, which bundles its own SQLite, in the place of the
standard library's sqlite3 before SQLAlchemy looks for a driver, and refuses to go on if the other one is there already.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pysqlite3
import pysqlite3.dbapi2

# 3.51.3 fixes the WAL-reset bug (two connections checkpointing at once corrupt the file); all of 3.7.0–3.51.2 have it.
OLDEST_VERSION = (3, 51, 3)

BUSY_TIMEOUT_MS = 5_000


class StorageRefused(RuntimeError):
    """The headend must not start on this library or this file; the message says what to change."""


def _take_over() -> None:
    """Make `import sqlite3` mean pysqlite3 everywhere in this process."""
    if "_sqlite3" in sys.modules:
        raise StorageRefused("a second SQLite library is loaded: import headend.storage.sqlite before sqlite3")
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


_take_over()

import sqlalchemy  # noqa: E402  (only now may SQLAlchemy choose its driver)
from sqlalchemy import Connection, Engine, event  # noqa: E402

if "_sqlite3" in sys.modules:
    raise StorageRefused("a second SQLite library was loaded beside pysqlite3 while SQLAlchemy started")


def check_version(version: tuple[int, ...]) -> None:
    """Refuse a library with the WAL-reset bug."""
    if version < OLDEST_VERSION:
        have, need = ".".join(map(str, version)), ".".join(map(str, OLDEST_VERSION))
        raise StorageRefused(f"SQLite {have} can corrupt a WAL database: install pysqlite3 with SQLite {need} or newer")


def writer_engine(path: Path) -> Engine:
    """The engine of the one connection that writes and checkpoints. The caller says BEGIN IMMEDIATE itself."""
    return _engine(path, read_only=False)


def reader_engine(path: Path) -> Engine:
    """The engine for reads; every connection is query_only and sees one committed state per statement."""
    return _engine(path, read_only=True)


def create_private(path: Path) -> None:
    """Create an empty database file that only its owner can read, or leave the one that is there."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _engine(path: Path, read_only: bool) -> Engine:
    check_version(pysqlite3.dbapi2.sqlite_version_info)
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False},
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=1 if not read_only else 4,
        max_overflow=0 if not read_only else 8,
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: Any) -> None:
        _prepare(dbapi_connection, read_only)

    return engine


def _prepare(connection: Any, read_only: bool) -> None:
    """Set and read back what durability rests on: a pragma that is not understood changes nothing and says nothing."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if not read_only:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA recursive_triggers=ON")
    else:
        cursor.execute("PRAGMA query_only=ON")
    assert_durable(cursor, read_only)
    cursor.close()


def assert_durable(cursor: Any, read_only: bool) -> None:
    """Refuse to start unless the pragmas hold: WAL always; synchronous=FULL (2) to write; query_only to read."""

    def pragma(name: str) -> Any:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]

    if read_only:
        if pragma("query_only") != 1:
            raise StorageRefused("a reading connection can write: query_only is off")
        return
    if str(pragma("journal_mode")).lower() != "wal":
        raise StorageRefused("journal_mode is not WAL: put the database on a local disk that supports it")
    if pragma("synchronous") != 2:
        raise StorageRefused("synchronous is not FULL: an acknowledged commit could be lost")
    if pragma("foreign_keys") != 1:
        raise StorageRefused("foreign_keys is off")


def raw(connection: Connection) -> Any:
    """The driver's own connection under a SQLAlchemy connection, for the hot statements in plain SQL."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver
