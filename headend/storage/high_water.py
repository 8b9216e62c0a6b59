"""The high-water file: what meters may have been given, kept on other storage than the database (SEMANTICS A5).

After a commit that granted something, and before anybody learns of it, its statements and packs go to this file and are
synced: one sync a batch. A database that is restored from a backup is behind the meters; this file says by how much.
While it cannot be written, nothing is acknowledged and nothing more is committed.

A line is the CRC-32 of the rest in 8 hex digits, then one of:

    S meter generation number time_us part…          a statement: the parts of C and D, in the order of statements.PARTS
    P meter kind version hash                        a pack, and the hash of its start and body
    F meter generation counter                       a downlink counter, told each time it passes a multiple of 4,096
    B batch hash                                     all of the books up to this batch is told
    R batch hash                                     a restore: the books go on from this batch

A line that is torn or rotten is left out; what the books say of it is told again at the next start.
"""

import contextlib
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headend.storage.copy import sync
from headend.storage.sqlite import StorageRefused
from headend.storage.tables import CREDIT_PARTS, DEBIT_PARTS

COUNTER_STEP = 4096
COMPACTED_BYTES = 1 << 20
GROWTH = 4
_PARTS = (*CREDIT_PARTS, *DEBIT_PARTS)


class HighWaterRefused(OSError):
    """The file cannot be written: what was committed is not acknowledged, and nothing more is until it can."""


@dataclass(frozen=True, slots=True)
class Told:
    """A statement as the file tells it; `parts` as in statements.PARTS."""

    number: int
    at_us: int
    parts: tuple[int, ...]


@dataclass(slots=True)
class Marks:
    """What a file tells: by (meter, generation) the highest statement and downlink counter; by (meter, kind, version)
    the hash of a pack; the last batch that is told whole; how many lines could not be read."""

    statements: dict[tuple[bytes, int], Told] = field(default_factory=dict)
    packs: dict[tuple[bytes, int, int], bytes] = field(default_factory=dict)
    counters: dict[tuple[bytes, int], int] = field(default_factory=dict)
    batch: int = 0
    head: str = ""
    unreadable: int = 0

    def lines(self) -> Iterator[str]:
        """The same again in as few lines as can be."""
        for (meter_id, generation), told in sorted(self.statements.items()):
            yield _statement(meter_id, generation, told)
        for (meter_id, kind, version), content in sorted(self.packs.items()):
            yield f"P {meter_id.hex()} {kind} {version} {content.hex()}"
        for (meter_id, generation), counter in sorted(self.counters.items()):
            yield f"F {meter_id.hex()} {generation} {counter}"
        yield f"B {self.batch} {self.head}"


def line_of(table: str, row: Mapping[str, Any], now_us: int) -> str | None:
    """What the file is to tell of a row of the books; None for most."""
    if table == "statement":
        parts = tuple(int(row[part] or 0) for part in _PARTS)
        return _statement(row["meter_id"], row["generation"], Told(row["number"], now_us, parts))
    if table == "pack":
        content = content_hash(row["from_slot"], row["body"])
        return f"P {bytes(row['meter_id']).hex()} {row['kind']} {row['version']} {content.hex()}"
    return None


def counter_line(meter_id: bytes, generation: int, counter: int) -> str:
    return f"F {meter_id.hex()} {generation} {counter}"


def content_hash(from_slot: int, body: bytes) -> bytes:
    """By which the content of a pack is known again."""
    return hashlib.sha256(from_slot.to_bytes(8, "big") + body).digest()[:8]


def read(path: Path) -> Marks:
    """What the file tells, as far as it can be read. Raises OSError."""
    marks = Marks()
    for line in path.read_text(encoding="ascii", errors="replace").split("\n"):
        if line:
            _take(marks, line)
    return marks


class HighWater:
    """One open file; only the writer's thread uses it after `catch_up`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []
        self._compact_at = COMPACTED_BYTES

    def catch_up(self, cursor: Any) -> None:
        """Tell what the books have and the file lacks: a commit whose lines were lost with the power, or all of it.

        Raises StorageRefused for books that are behind the file: someone put an old database in its place.
        """
        marks = read(self.path) if self.path.exists() else None
        if marks is None:
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            sync(self.path)
            marks = Marks()
        row = cursor.execute("SELECT hash FROM batch WHERE id = ?", (marks.batch,)).fetchone()
        if marks.batch and (row is None or bytes(row[0]).hex() != marks.head):
            raise StorageRefused(
                f"this database is not the one that {self.path} tells of: it was put back by hand, or is another one. "
                "Put a backup in place with 'guelta db restore', or name another --high-water"
            )
        if marks.unreadable:
            write(self.path, marks)
        last = cursor.execute("SELECT id, hash FROM batch ORDER BY id DESC LIMIT 1").fetchone()
        # Lines that could not be read may have told of any batch.
        lines = list(_missing(cursor, 0 if marks.unreadable else marks.batch))
        if lines and last is not None:
            self.keep(lines, int(last[0]), bytes(last[1]))
        self._compact_if_large()

    def keep(self, lines: Iterable[str], batch_id: int, head: bytes) -> None:
        """Tell of a commit, durably. Raises HighWaterRefused; then it stays to be told."""
        self._waiting += [*lines, f"B {batch_id} {head.hex()}"]
        self.flush()
        self._compact_if_large()

    def flush(self) -> None:
        """Tell what could not be told before. Raises HighWaterRefused."""
        if not self._waiting:
            return
        # A line begins on its own even after one that was torn.
        text = "\n" + "\n".join(_sealed(line) for line in self._waiting) + "\n"
        try:
            # The file must be there: on a share that went away, a new one would be somewhere else.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                _write_all(descriptor, text.encode("ascii"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as failure:
            why = f"{failure.strerror}: what was granted cannot be kept there, so nothing is acknowledged"
            raise HighWaterRefused(failure.errno, why, str(self.path)) from None
        self._waiting = []

    def _compact_if_large(self) -> None:
        """Write the file anew once it is large; one that cannot be is as good as before."""
        if self.path.stat().st_size < self._compact_at:
            return
        with contextlib.suppress(OSError):
            write(self.path, read(self.path))
        self._compact_at = max(COMPACTED_BYTES, GROWTH * self.path.stat().st_size)


def write(path: Path, marks: Marks) -> None:
    """Put a file that tells this in the place of one that tells more than it must."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        _write_all(descriptor, ("\n".join(_sealed(line) for line in marks.lines()) + "\n").encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(part, path)
    sync(path)


def restored(path: Path, batch_id: int, head: str) -> None:
    """Tell that the books go on from an older batch. Raises HighWaterRefused."""
    if path.exists():
        file = HighWater(path)
        file._waiting = [f"R {batch_id} {head}"]
        file.flush()


def _take(marks: Marks, line: str) -> None:
    """One line; what is no line of this file is counted."""
    seal, _, text = line.partition(" ")
    words = text.split(" ")
    try:
        if seal != _seal(text):
            raise ValueError(line)
        kind, *rest = words
        if kind == "S":
            key, told = (bytes.fromhex(rest[0]), int(rest[1])), Told(int(rest[2]), int(rest[3]), _numbers(rest[4:]))
            known = marks.statements.get(key)
            if known is None or known.number <= told.number:
                marks.statements[key] = told
        elif kind == "P":
            marks.packs[bytes.fromhex(rest[0]), int(rest[1]), int(rest[2])] = bytes.fromhex(rest[3])
        elif kind == "F":
            one = (bytes.fromhex(rest[0]), int(rest[1]))
            marks.counters[one] = max(int(rest[2]), marks.counters.get(one, 0))
        elif kind in ("B", "R"):
            marks.batch, marks.head = int(rest[0]), rest[1]
        else:
            raise ValueError(kind)
    except (ValueError, IndexError):
        marks.unreadable += 1


def _numbers(words: list[str]) -> tuple[int, ...]:
    """The parts; a file of an earlier release may know fewer."""
    return (*map(int, words), *(0 for _ in range(len(_PARTS) - len(words))))


def _statement(meter_id: bytes, generation: int, told: Told) -> str:
    parts = " ".join(map(str, told.parts))
    return f"S {bytes(meter_id).hex()} {generation} {told.number} {told.at_us} {parts}"


def _missing(cursor: Any, batch: int) -> Iterator[str]:
    """The lines of what was committed after a batch."""
    columns = f"s.meter_id, s.generation, s.number, b.committed_us, {', '.join('s.' + part for part in _PARTS)}"
    rows = cursor.execute(
        f"SELECT {columns} FROM statement s JOIN batch b ON b.id = s.batch_id WHERE s.batch_id > ? AND s.number = "
        "(SELECT max(number) FROM statement l WHERE l.meter_id = s.meter_id AND l.generation = s.generation) "
        "ORDER BY s.id",
        (batch,),
    )
    for meter_id, generation, number, at_us, *parts in rows.fetchall():
        yield _statement(meter_id, generation, Told(number, at_us, tuple(parts)))
    packs = cursor.execute(
        "SELECT meter_id, kind, version, from_slot, body FROM pack WHERE batch_id > ? ORDER BY id", (batch,)
    )
    for meter_id, kind, version, from_slot, body in packs.fetchall():
        yield f"P {bytes(meter_id).hex()} {kind} {version} {content_hash(from_slot, bytes(body)).hex()}"


def _sealed(line: str) -> str:
    return f"{_seal(line)} {line}"


def _seal(text: str) -> str:
    return f"{zlib.crc32(text.encode('ascii', errors='replace')):08x}"


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
