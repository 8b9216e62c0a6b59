"""What a disk may hold after the power went: the files as they were last synced, and any part of what came after.

A sync makes the content of one file durable, a sync of the folder the names in it; nothing else does. What was written
since then may have arrived or not, in any order, and torn at any sector.
"""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

from tests.crash.vfs import Operation

SECTOR = 512

Image = dict[str, bytes]
Changes = list[tuple[int, bytes | None]]


class Kept:
    """A file: its content at its last sync and, what was done to it since: (offset, bytes) or (size, None)."""

    def __init__(self, durable: bytes) -> None:
        self.durable = durable
        self.changes: Changes = []

    def content(self, changes: Changes) -> bytes:
        """The durable content with some changes made to it."""
        if not changes:
            return self.durable
        made = bytearray(self.durable)
        for offset, data in changes:
            if data is None:
                made[offset:] = bytes(max(0, offset - len(made)))
                continue
            if len(made) < offset:
                made.extend(bytes(offset - len(made)))
            made[offset : offset + len(data)] = data
        return bytes(made)

    def sync(self) -> None:
        self.durable = self.content(self.changes)
        self.changes = []


class Disk:
    """One folder, moved on operation by operation. Names are kept apart from files: both must be made durable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Kept] = {}
        self.durable_names: dict[str, Kept] = {}

    @classmethod
    def holding(cls, folder: Path) -> "Disk":
        """A disk on which all that is in the folder now is durable."""
        disk = cls(folder)
        for file in sorted(folder.iterdir()):
            disk.names[file.name] = Kept(file.read_bytes())
        disk.durable_names = dict(disk.names)
        return disk

    def copy(self) -> "Disk":
        """The same disk; contents are shared, because they are only ever replaced."""
        twin = Disk(self.folder)
        files = {id(kept): kept for kept in (*self.names.values(), *self.durable_names.values())}
        twins = {number: Kept(kept.durable) for number, kept in files.items()}
        for number, kept in files.items():
            twins[number].changes = list(kept.changes)
        twin.names = {name: twins[id(kept)] for name, kept in self.names.items()}
        twin.durable_names = {name: twins[id(kept)] for name, kept in self.durable_names.items()}
        return twin

    def do(self, operation: Operation) -> None:
        """Take one operation as done."""
        kind, path, offset, data = operation
        name = Path(path).name
        if kind == "folder":
            self.durable_names = dict(self.names)
        elif kind == "delete":
            self.names.pop(name, None)
        elif kind == "rename":
            self.names[Path(data.decode()).name] = self.names.pop(name)
        elif kind == "link":
            self.names[Path(data.decode()).name] = self.names[name]
        elif kind in ("create", "open"):
            self.names.setdefault(name, Kept(b""))
        elif kind == "write":
            self.names[name].changes.append((offset, data))
        elif kind == "truncate":
            self.names[name].changes.append((offset, None))
        elif kind == "sync":
            self.names[name].sync()
        else:
            raise ValueError(f"an operation of the kind {kind}")

    def is_settled(self) -> bool:
        """Whether everything is durable, so that there is one image only."""
        kept = [*self.names.values(), *self.durable_names.values()]
        return self.names == self.durable_names and not any(one.changes for one in kept)

    def image(self, way: "Way", chance: random.Random) -> Image:
        """One disk that may be found after the power went now."""
        names = {}
        for name in sorted(self.names.keys() | self.durable_names.keys()):
            now, before = self.names.get(name), self.durable_names.get(name)
            found = now if now is before or way is arrived or (way is not dropped and chance.random() < 0.5) else before
            if found is not None:
                names[name] = found
        return {name: kept.content(way(kept.changes, chance)) for name, kept in names.items()}


# A way in which the changes since the last sync may have reached the disk.
Way = Callable[[Changes, random.Random], Changes]


def dropped(_changes: Changes, _chance: random.Random) -> Changes:
    """The kernel wrote nothing back."""
    return []


def arrived(changes: Changes, _chance: random.Random) -> Changes:
    """The kernel wrote everything back."""
    return changes


def scattered(changes: Changes, chance: random.Random) -> Changes:
    """Each write arrived or did not: the later ones before the earlier ones as well."""
    share = chance.choice((0.1, 0.5, 0.9))
    return [change for change in changes if chance.random() < share]


def late(changes: Changes, chance: random.Random) -> Changes:
    """The last writes arrived, those before them did not."""
    return changes[chance.randrange(len(changes)) :] if changes else []


def torn(changes: Changes, chance: random.Random) -> Changes:
    """Everything up to one write, of which a part arrived."""
    if not changes:
        return []
    at = chance.randrange(len(changes))
    return [*changes[:at], *_torn(changes[at], chance)]


def sectors(changes: Changes, chance: random.Random) -> Changes:
    """Each sector of each write arrived or did not."""
    share = chance.choice((0.1, 0.5, 0.9, 0.99))
    return [piece for change in changes for piece in _pieces(change) if chance.random() < share]


def spoilt(changes: Changes, chance: random.Random) -> Changes:
    """Each sector of each write arrived, or holds noise where it should have been."""
    share = chance.choice((0.5, 0.9, 0.99))
    made: Changes = []
    for change in changes:
        for offset, data in _pieces(change):
            if data is not None and chance.random() >= share:
                data = chance.randbytes(len(data))
            made.append((offset, data))
    return made


WAYS: tuple[Way, ...] = (dropped, arrived, scattered, late, torn, sectors, spoilt)


def _pieces(change: tuple[int, bytes | None]) -> Changes:
    """A write, cut at the edges of sectors."""
    offset, data = change
    if data is None:
        return [change]
    first = SECTOR - offset % SECTOR
    cuts = [0, *range(first, len(data), SECTOR), len(data)]
    return [(offset + start, data[start:end]) for start, end in itertools.pairwise(cuts)]


def _torn(change: tuple[int, bytes | None], chance: random.Random) -> Changes:
    """The first sectors of a write, or the last ones."""
    pieces = _pieces(change)
    at = chance.randrange(len(pieces) + 1)
    return pieces[:at] if chance.random() < 0.5 else pieces[at:]
