"""The `vfs` of MicroPython for CPython: C littlefs on the same block device, so that firmware/boards/littlefs.py itself
runs under both interpreters, source unchanged, with the same geometry and the same order of operations."""

from __future__ import annotations

import sys
import types
from errno import EIO
from typing import Any

from littlefs import lfs
from littlefs.errors import LittleFSError
from littlefs.lfs import LFSFileFlag as Flag

MODES = {
    "rb": Flag.rdonly,
    "wb": Flag.wronly | Flag.creat | Flag.trunc,
    "ab": Flag.wronly | Flag.creat | Flag.append,
}


class Context:
    """What littlefs-python calls for reads, programs and erases."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.read = device.reader()

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        try:
            self.device.writeblocks(block, data, off)
        except OSError as failed:
            return -(failed.errno or EIO)
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        try:
            self.device.erase(block)
        except OSError as failed:
            return -(failed.errno or EIO)
        return 0

    def sync(self, cfg: Any) -> int:
        return 0


def _config(device: Any, readsize: int, progsize: int, lookahead: int, **_: Any) -> Any:
    """As MicroPython makes it, but a whole cache is read at once: fewer reads, and the very same programs."""
    cache = 4 * max(readsize, progsize)
    return lfs.LFSConfig(
        context=Context(device),
        block_size=4096,
        block_count=device.ioctl(4, 0),
        read_size=cache,
        prog_size=progsize,
        cache_size=cache,
        lookahead_size=lookahead,
        block_cycles=100,
    )


class File:
    def __init__(self, fs: Any, path: str, mode: str) -> None:
        self.fs = fs
        self.file = _call(lfs.file_open, fs, path, MODES[mode])

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        _call(lfs.file_close, self.fs, self.file)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(_call(lfs.file_seek, self.fs, self.file, offset, whence))

    def read(self, size: int) -> bytes:
        return bytes(_call(lfs.file_read, self.fs, self.file, size))

    def write(self, content: bytes) -> int:
        return int(_call(lfs.file_write, self.fs, self.file, content))


def _call(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except LittleFSError as error:
        raise OSError(-error.code, str(error)) from None


class VfsLfs2:
    def __init__(self, device: Any, **options: int) -> None:
        self.fs = lfs.LFSFilesystem()
        self.config = _config(device, **options)
        _call(lfs.mount, self.fs, self.config)

    @staticmethod
    def mkfs(device: Any, **options: int) -> None:
        _call(lfs.format, lfs.LFSFilesystem(), _config(device, **options))


class Host:
    """Modules `vfs` and `os` and the function `open`, as far as firmware/boards/littlefs.py uses them."""

    def __init__(self) -> None:
        self.mounted: VfsLfs2 | None = None
        self.point = ""

    def mount(self, made: VfsLfs2, point: str) -> None:
        if self.mounted is not None:
            raise OSError(1)
        self.mounted, self.point = made, point

    def umount(self, point: str) -> None:
        if self.mounted is None:
            raise OSError(22)
        _call(lfs.unmount, self.mounted.fs)
        self.mounted = None

    def _at(self, path: str) -> tuple[Any, str]:
        if self.mounted is None:
            raise OSError(2)
        return self.mounted.fs, path[len(self.point) + 1 :]

    def open(self, path: str, mode: str) -> File:
        return File(*self._at(path), mode)

    def rename(self, old: str, new: str) -> None:
        fs, inner = self._at(old)
        _call(lfs.rename, fs, inner, self._at(new)[1])

    def mkdir(self, path: str) -> None:
        _call(lfs.mkdir, *self._at(path))


def littlefs_module() -> Any:
    """firmware.boards.littlefs, bound to C littlefs where this interpreter has no VfsLfs2."""
    host = Host()
    if "vfs" not in sys.modules:
        vfs = types.ModuleType("vfs")
        vfs.VfsLfs2, vfs.mount, vfs.umount = VfsLfs2, host.mount, host.umount  # type: ignore[attr-defined]
        sys.modules["vfs"] = vfs
        from firmware.boards import littlefs

        bound: Any = littlefs
        bound.open, bound.os = host.open, host
    from firmware.boards import littlefs

    return littlefs
