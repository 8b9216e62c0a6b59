"""Every file operation of the process's one SQLite library, seen and, if wanted, refused (SEMANTICS G1).

SQLite reaches files through a table of functions, its VFS. Here a copy of the real VFS is made the default one; in it
and in the methods of each file it opens, what changes a file is replaced by a function that asks the `Watch` first and
then calls the real one. Reading, locking and shared memory stay SQLite's own. No second library, no compiler.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pysqlite3._sqlite3

OK = 0

LIBRARY = ctypes.CDLL(pysqlite3._sqlite3.__file__)

_POINTER = ctypes.c_void_p
_INT = ctypes.c_int
_LONG = ctypes.c_longlong


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = [
        ("version", _INT),
        ("file_bytes", _INT),
        ("path_max", _INT),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("data", _POINTER),
        *((name, _POINTER) for name in ("open", "delete", "access", "full_path", "dl_open", "dl_error", "dl_symbol")),
        *((name, _POINTER) for name in ("dl_close", "randomness", "sleep", "time", "last_error", "time_64")),
        *((name, _POINTER) for name in ("set_system_call", "get_system_call", "next_system_call")),
    ]


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [
        ("version", _INT),
        *((name, _POINTER) for name in ("close", "read", "write", "truncate", "sync", "size", "lock", "unlock")),
        *((name, _POINTER) for name in ("check_lock", "control", "sector", "traits", "shm_map", "shm_lock")),
        *((name, _POINTER) for name in ("shm_barrier", "shm_unmap", "fetch", "unfetch")),
    ]


_OPEN = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_DELETE = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _INT)
_CLOSE = ctypes.CFUNCTYPE(_INT, _POINTER)
_READ = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_WRITE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _POINTER, _LONG)
_SYNC = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)
_FOLDER = ctypes.CFUNCTYPE(_INT, ctypes.c_char_p, _POINTER)
_SET_CALL = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _POINTER)
_GET_CALL = ctypes.CFUNCTYPE(_POINTER, _POINTER, ctypes.c_char_p)


class Operation(NamedTuple):
    """What is about to be done to a file: `kind` is open, create, read, write, truncate, sync, folder or delete.

    Python's own are rename and link besides (steps.py); `data` is the other name then.
    """

    kind: str
    path: str
    offset: int = 0
    data: bytes = b""


# Asked before each operation: 0 lets it pass, any other number is the SQLite code it fails with.
Watch = Callable[[Operation], int]


def _let_pass(_operation: Operation) -> int:
    return OK


class _Seen:
    """The one watching VFS of this process; made once and never freed, because SQLite may hold what points to it."""

    def __init__(self) -> None:
        self.watch: Watch = _let_pass
        self.reads = False
        LIBRARY.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self.real: _Vfs = LIBRARY.sqlite3_vfs_find(None).contents
        self.vfs = _Vfs.from_buffer_copy(self.real)
        self.vfs.name, self.vfs.next = b"watched", None
        self.paths: dict[int, str] = {}
        self.methods: dict[int, _Methods] = {}
        self.kept: list[object] = []
        self.vfs.open = self._keep(_OPEN(self._opener(_OPEN(self.real.open))))
        self.vfs.delete = self._keep(_DELETE(self._deleter(_DELETE(self.real.delete))))
        self.open_folder = int(_GET_CALL(self.real.get_system_call)(self._real_address(), b"openDirectory"))
        self.watched_folder = self._keep(_FOLDER(self._folder_opener(_FOLDER(self.open_folder))))

    def _real_address(self) -> int:
        return ctypes.addressof(self.real)

    def _keep(self, function: "ctypes._CFunctionType") -> int:
        self.kept.append(function)
        return int(ctypes.cast(function, _POINTER).value or 0)

    def _opener(self, real: Callable[..., int]) -> Callable[..., int]:
        def opened(vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
            if name is None:
                return real(vfs, name, file, flags, out)
            path = ctypes.string_at(name).decode()
            code = self.watch(Operation("open" if os.path.exists(path) else "create", path))
            if code:
                ctypes.c_void_p.from_address(file).value = None
                return code
            code = real(vfs, name, file, flags, out)
            if code == OK:
                self.paths[file] = path
                slot = ctypes.c_void_p.from_address(file)
                assert slot.value is not None
                slot.value = ctypes.addressof(self._watched(slot.value))
            return code

        return opened

    def _deleter(self, real: Callable[..., int]) -> Callable[..., int]:
        def deleted(vfs: int, name: bytes, sync_folder: int) -> int:
            return self.watch(Operation("delete", name.decode())) or real(vfs, name, sync_folder)

        return deleted

    def _folder_opener(self, real: Callable[..., int]) -> Callable[..., int]:
        """SQLite opens a folder for one purpose: to sync the names in it."""

        def opened(name: bytes, out: int) -> int:
            code = self.watch(Operation("folder", os.path.dirname(name.decode())))
            # SQLITE_CANTOPEN is what the real one gives; SQLite goes on without the sync then.
            return 14 if code else real(name, out)

        return opened

    def _watched(self, address: int) -> _Methods:
        """The methods of one kind of file, those that change it replaced."""
        if address not in self.methods:
            real = _Methods.from_address(address)
            mine = _Methods.from_buffer_copy(real)
            mine.close = self._keep(_CLOSE(self._closer(_CLOSE(real.close))))
            mine.read = self._keep(_READ(self._reader(_READ(real.read))))
            mine.write = self._keep(_WRITE(self._writer(_WRITE(real.write))))
            mine.truncate = self._keep(_TRUNCATE(self._truncater(_TRUNCATE(real.truncate))))
            mine.sync = self._keep(_SYNC(self._syncer(_SYNC(real.sync))))
            self.methods[address] = mine
        return self.methods[address]

    def _closer(self, real: Callable[..., int]) -> Callable[..., int]:
        def closed(file: int) -> int:
            self.paths.pop(file, None)
            return real(file)

        return closed

    def _reader(self, real: Callable[..., int]) -> Callable[..., int]:
        def read(file: int, data: int, count: int, offset: int) -> int:
            code = self.watch(Operation("read", self.paths[file], offset)) if self.reads else OK
            return code or real(file, data, count, offset)

        return read

    def _writer(self, real: Callable[..., int]) -> Callable[..., int]:
        def written(file: int, data: int, count: int, offset: int) -> int:
            code = self.watch(Operation("write", self.paths[file], offset, ctypes.string_at(data, count)))
            return code or real(file, data, count, offset)

        return written

    def _truncater(self, real: Callable[..., int]) -> Callable[..., int]:
        def truncated(file: int, size: int) -> int:
            return self.watch(Operation("truncate", self.paths[file], size)) or real(file, size)

        return truncated

    def _syncer(self, real: Callable[..., int]) -> Callable[..., int]:
        def synced(file: int, flags: int) -> int:
            return self.watch(Operation("sync", self.paths[file])) or real(file, flags)

        return synced

    def folder_call(self, address: int) -> None:
        """What SQLite calls to open a folder."""
        assert _SET_CALL(self.real.set_system_call)(self._real_address(), b"openDirectory", address) == OK


_SEEN: list[_Seen] = []


@contextmanager
def watched(watch: Watch, reads: bool = False) -> Iterator[None]:
    """Every SQLite file that is opened in the block is watched; all of them must be closed before it ends."""
    if not _SEEN:
        _SEEN.append(_Seen())
    seen = _SEEN[0]
    assert not seen.paths, f"still open: {seen.paths}"
    seen.watch, seen.reads = watch, reads
    LIBRARY.sqlite3_vfs_register(ctypes.byref(seen.vfs), 1)
    seen.folder_call(seen.watched_folder)
    try:
        yield
    finally:
        seen.watch = _let_pass
        seen.folder_call(seen.open_folder)
        LIBRARY.sqlite3_vfs_unregister(ctypes.byref(seen.vfs))
    assert not seen.paths, f"still open: {seen.paths}"
