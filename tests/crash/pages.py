"""All pages of a database as they are committed now, seen by a connection of its own: quick, and exact to the byte."""

import ctypes
from pathlib import Path

from tests.crash.vfs import LIBRARY

_READ_ONLY = 1

LIBRARY.sqlite3_serialize.restype = ctypes.c_void_p


class Pages:
    """A witness beside the writer; close it before the watch on the files ends."""

    def __init__(self, path: Path) -> None:
        self._handle = ctypes.c_void_p()
        code = LIBRARY.sqlite3_open_v2(str(path).encode(), ctypes.byref(self._handle), _READ_ONLY, None)
        assert code == 0, f"SQLite code {code}"

    def read(self) -> bytes:
        """The database file as a checkpoint would leave it."""
        size = ctypes.c_longlong()
        found = LIBRARY.sqlite3_serialize(self._handle, b"main", ctypes.byref(size), 0)
        assert found, "the pages cannot be read"
        try:
            return ctypes.string_at(found, size.value)
        finally:
            LIBRARY.sqlite3_free(ctypes.c_void_p(found))

    def close(self) -> None:
        assert LIBRARY.sqlite3_close(self._handle) == 0
