"""One program at a time writes a database (SEMANTICS G1): a lock beside the file, held while the program runs.

The kernel drops the lock when its holder dies, however it dies, so a killed headend never leaves one behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InUse(RuntimeError):
    """Another program has the database open for writing."""


@contextmanager
def alone_with(database: Path) -> Iterator[None]:
    """Hold the lock of this database. Raises InUse at once when somebody else holds it."""
    descriptor = os.open(f"{database}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(
                f"{database} is open in another program, most likely a running headend: stop it first, or use REST"
            ) from None
        yield
    finally:
        os.close(descriptor)
