"""One consistent copy of a database that may be in use, by SQLite's own backup (SEMANTICS G1).

The source is a reading connection of the one SQLite library: in WAL mode it sees one committed state and the writer
never waits for it. All pages go in one step, so the copy is that state and no mixture.
"""

import contextlib
import os
from pathlib import Path

import pysqlite3.dbapi2 as driver

from headend.storage.sqlite import BUSY_TIMEOUT_MS, StorageRefused, create_private, raw, reader_engine


def copy_database(source: Path, target: Path) -> None:
    """Write `target`, one file that belongs to its owner alone, durable when this returns. It must not be there yet.

    Raises StorageRefused when it cannot be written whole; nothing is left of it then.
    """
    if target.exists():
        raise FileExistsError(17, "is there already", str(target))
    create_private(target)
    engine = reader_engine(source)
    try:
        with engine.connect() as connection, contextlib.closing(driver.connect(str(target))) as copy:
            copy.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            raw(connection).backup(copy)
            # Back from WAL to one file, so that nothing of the copy is left in a second one.
            copy.execute("PRAGMA journal_mode=DELETE")
    except driver.Error as failure:
        target.unlink()
        raise StorageRefused(f"{target}: {failure}; nothing of it was kept") from None
    finally:
        engine.dispose()
    sync(target)


def to_one_file(path: Path) -> None:
    """Bring all of a database that nobody has open into its file; no write-ahead log is left beside it."""
    with contextlib.closing(driver.connect(str(path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    sync(path)


def sync(path: Path) -> None:
    """Make a file and its name durable."""
    _sync(path, os.O_RDONLY)
    sync_folder(path)


def sync_folder(path: Path) -> None:
    """Make the names in a file's folder durable; that of a file that is gone is then gone for good."""
    _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
