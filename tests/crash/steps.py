"""What Python does to files between SQLite's operations: backups, restores, changes of the key file.

A sync, a rename, a link or a removal by Python is told as an operation like SQLite's own. Mere writes are noticed when
something is next done to their file: what it holds then and the disk does not know was written since.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.disk import Disk
from tests.crash.story import Story
from tests.crash.vfs import Operation, watched

CHUNK = 1 << 14


class Steps:
    """Tells a story what Python does; `now` is the disk as the kernel shows it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.now = story.start.copy()

    def watch(self, operation: Operation) -> int:
        """SQLite is about to do something to a file, which Python may have made."""
        if operation.kind in ("open", "create", "folder"):
            self.notice_all()
        self.tell(operation)
        return 0

    def tell(self, operation: Operation) -> None:
        self.story.operations.append(operation)
        self.now.do(operation)

    def notice_all(self) -> None:
        """Tell what is in the folder and was not told; names in order, so that every run is alike."""
        for name in sorted(os.listdir(self.now.folder)):
            if not name.endswith(("-shm", ".lock")):
                self._notice(self.now.folder / name)

    def _notice(self, path: Path) -> None:
        if not path.is_file():
            return
        there = path.read_bytes()
        kept = self.now.names.get(path.name)
        if kept is None:
            self.tell(Operation("create", str(path)))
        known = b"" if kept is None else kept.content(kept.changes)
        if known == there:
            return
        if len(known) > len(there):
            self.tell(Operation("truncate", str(path), len(there)))
        for start in range(0, len(there), CHUNK):
            if known[start : start + CHUNK] != there[start : start + CHUNK]:
                self.tell(Operation("write", str(path), start, there[start : start + CHUNK]))

    def synced(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def fsync(descriptor: int) -> None:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            self.notice_all()
            real(descriptor)
            if path == self.now.folder or path.name in self.now.names:
                self.tell(Operation("folder" if path.is_dir() else "sync", str(path)))

        return fsync

    def moved(self, kind: str, real: Callable[..., None]) -> Callable[..., None]:
        def move(source: Any, target: Any, **options: Any) -> None:
            self.notice_all()
            real(source, target, **options)
            if Path(source).name in self.now.names:
                self.tell(Operation(kind, os.fspath(source), 0, os.fsencode(target)))

        return move

    def removed(self, real: Callable[..., None]) -> Callable[..., None]:
        def remove(path: Any, **options: Any) -> None:
            real(path, **options)
            if Path(path).name in self.now.names:
                self.tell(Operation("delete", os.fspath(path)))

        return remove


@contextmanager
def all_recorded(folder: Path) -> Iterator[Story]:
    """What SQLite and Python do to the files of a folder in the block."""
    story = Story(Disk.holding(folder))
    steps = Steps(story)
    with watched(steps.watch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", steps.synced(os.fsync))
        patch.setattr(os, "rename", steps.moved("rename", os.rename))
        patch.setattr(os, "replace", steps.moved("rename", os.replace))
        patch.setattr(os, "link", steps.moved("link", os.link))
        patch.setattr(os, "unlink", steps.removed(os.unlink))
        patch.setattr(os, "remove", steps.removed(os.remove))
        yield story
        steps.notice_all()
