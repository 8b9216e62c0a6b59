"""Memory that runs out: the Nth allocation of the SQLite library fails, in a process of its own.

    python -m tests.crash.memory FOLDER FIRST STEP

Each piece of work is tried with one allocation failing, then with a later one, … until it needs no further one; what
was found is said as JSON. The allocator is changed before the library is first used, which only a fresh process can do.
"""

import ctypes
import json
import sys
from pathlib import Path

from tests.crash.vfs import LIBRARY

_POINTER = ctypes.c_void_p
_INT = ctypes.c_int
_MALLOC = ctypes.CFUNCTYPE(_POINTER, _INT)
_REALLOC = ctypes.CFUNCTYPE(_POINTER, _POINTER, _INT)
SET_MALLOC, GET_MALLOC = 4, 5


class _Allocator(ctypes.Structure):
    """sqlite3_mem_methods."""

    _fields_ = [(name, _POINTER) for name in ("malloc", "free", "realloc", "size", "round", "init", "end", "data")]


class Scarce:
    """Counts allocations once it is armed, and refuses the one whose turn has come, or all from it on."""

    def __init__(self) -> None:
        self.left = 0
        self.lasting = False
        self.fired = 0
        self.real = _Allocator()
        assert LIBRARY.sqlite3_shutdown() == 0
        assert LIBRARY.sqlite3_config(GET_MALLOC, ctypes.byref(self.real)) == 0
        self.mine = _Allocator.from_buffer_copy(self.real)
        malloc, realloc = _MALLOC(self.real.malloc), _REALLOC(self.real.realloc)
        self.kept = (
            _MALLOC(lambda size: None if self.refuses() else malloc(size)),
            _REALLOC(lambda block, size: None if self.refuses() else realloc(block, size)),
        )
        self.mine.malloc = ctypes.cast(self.kept[0], _POINTER).value
        self.mine.realloc = ctypes.cast(self.kept[1], _POINTER).value
        assert LIBRARY.sqlite3_config(SET_MALLOC, ctypes.byref(self.mine)) == 0
        assert LIBRARY.sqlite3_initialize() == 0

    def arm(self, nth: int, lasting: bool) -> None:
        self.left, self.lasting, self.fired = nth, lasting, 0

    def disarm(self) -> None:
        self.left, self.lasting = 0, False

    def refuses(self) -> bool:
        if not self.left and not (self.lasting and self.fired):
            return False
        self.left = max(0, self.left - 1)
        refused = self.left == 0
        self.fired += refused
        return refused


def main(folder: Path, first: int, step: int) -> None:
    scarce = Scarce()
    # Only now may the library be used.
    from tests.crash.scarce import tried

    print(json.dumps(tried(folder, scarce, first, step)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
