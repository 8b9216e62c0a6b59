"""What failed when a commit failed: the disk is full, or disk or memory fail. Both may pass; nothing was kept."""

import errno

from sqlalchemy.exc import DBAPIError

_SQLITE_FULL = 13
# The low byte of an extended code: NOMEM, IOERR, CANTOPEN.
_SQLITE_FAILING = (7, 10, 14)


def is_full(failure: BaseException) -> bool:
    """Whether there was no room for what should have been written."""
    return _sqlite_code(failure) == _SQLITE_FULL or _number(failure) in (errno.ENOSPC, errno.EDQUOT)


def is_failing(failure: BaseException) -> bool:
    """Whether a file could not be read, written or opened, or memory ran out."""
    return isinstance(failure, MemoryError) or _sqlite_code(failure) in _SQLITE_FAILING or _number(failure) == errno.EIO


def _sqlite_code(failure: BaseException) -> int | None:
    """SQLite's primary code, whether SQLAlchemy stands between or not."""
    found = failure.orig if isinstance(failure, DBAPIError) else failure
    code = getattr(found, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _number(failure: BaseException) -> int | None:
    return failure.errno if isinstance(failure, OSError) else None
