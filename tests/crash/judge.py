"""Whether a headend that starts on what the power left has what it acknowledged, and nothing that it never committed.

Every image is opened by SQLite, recovered, closed, and read back as one file. A file that was not seen before is judged
whole, once: by the production code that starts a headend, by every check of the books, and by the rows themselves,
which must be those of a state that was committed. All further images are compared with the judged files byte by byte.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysqlite3.dbapi2 as driver

from headend.clock import SimClock
from headend.ledger.chain_check import chain_faults
from headend.ledger.checks import check_books, trial_balance
from headend.ledger.payments import Payment, credit_payment
from headend.storage.reader import Reader
from headend.storage.writer import Writer
from tests.crash.disk import Image
from tests.crash.story import DATABASE, content

WAL = DATABASE + "-wal"

# Every so many of the different files are judged after the whole start of a headend, which is dear; one without a
# schema always is.
STARTS_EACH = 4


@dataclass(frozen=True)
class Verdict:
    """After which pieces of work the books stood so, none if they never did; and what speaks against them."""

    holds: tuple[int, ...]
    faults: tuple[str, ...]

    def violation(self, acknowledged: int) -> str:
        """What is wrong with it where so much work was acknowledged and the next may have begun; "" if nothing."""
        if self.faults:
            return self.faults[0]
        if not self.holds:
            return "the rows are those of no state that was ever committed"
        if self.holds[-1] < acknowledged:
            return f"{acknowledged} pieces of work were acknowledged, {self.holds[-1]} are there"
        return "" if self.holds[0] <= acknowledged + 1 else "work is there that had not begun"


class Judge:
    """Judges images in a folder of its own, which should be in memory. `states` are those of the story."""

    def __init__(self, folder: Path, states: list[bytes], begin: Callable[[Path], None]) -> None:
        self.path = folder / DATABASE
        self.states = states
        self.begin = begin
        self.known: list[tuple[bytes, Verdict]] = []
        self.there: Image = {}

    def verdict(self, image: Image) -> Verdict:
        """What becomes of a headend that starts on this disk."""
        self._lay_out(image)
        self.there = {}
        try:
            with contextlib.closing(driver.connect(str(self.path))) as connection:
                connection.execute("PRAGMA user_version").fetchone()
        except driver.Error as failure:
            return Verdict((), (f"cannot be opened: {failure}",))
        found = self.path.read_bytes()
        for at, (known, verdict) in enumerate(self.known):
            if known == found:
                self.there = {**image, DATABASE: known}
                self.there.pop(WAL, None)
                # The next image is most likely another way to the same state.
                self.known.insert(0, self.known.pop(at))
                return verdict
        made = self._judged(found)
        self.known.insert(0, (found, made))
        return made

    def _lay_out(self, image: Image) -> None:
        """Put the files of an image in the folder, and nothing else; what is there already is not written again."""
        for name in os.listdir(self.path.parent):
            if name not in image:
                self.path.with_name(name).unlink()
        for name, data in image.items():
            if self.there.get(name) == data:
                continue
            descriptor = os.open(self.path.with_name(name), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.fstat(descriptor).st_size > len(data):
                    os.ftruncate(descriptor, len(data))
                os.pwrite(descriptor, data, 0)
            finally:
                os.close(descriptor)

    def _judged(self, found: bytes) -> Verdict:
        """The whole judgement, by what a start of the headend does and by every check there is."""
        faults = []
        try:
            with contextlib.closing(Reader(self.path)) as before:
                state = before.read(content)
            if len(self.known) % STARTS_EACH == 0 or state in self.states[:2]:
                self.begin(self.path)
            with contextlib.closing(Reader(self.path)) as reader:
                faults += [str(fault) for fault in reader.read(check_books)]
                rows = reader.read(lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").all())
                faults += [str(row[0]) for row in rows if row[0] != "ok"]
            faults += self._goes_on()
        except Exception as failure:  # noqa: BLE001  (whatever stops a start is what the judge looks for)
            return Verdict((), (*faults, f"{type(failure).__name__}: {failure}"))
        holds = tuple(at for at, known in enumerate(self.states) if known == state)
        return Verdict(holds, tuple(faults))

    def _goes_on(self) -> list[str]:
        """The next work is done and its link fits the chain."""
        with contextlib.closing(Writer(self.path, SimClock(2_000_000_000_000_000))) as writer:
            after = Payment("judge", "after the cut", "nobody", 1, "XOF", 0)
            writer.run(lambda tx: credit_payment(tx, after))
        with contextlib.closing(Reader(self.path)) as reader:
            faults = reader.read(lambda connection: [*chain_faults(connection), *trial_balance(connection)])
        return [f"after the next work: {fault}" for fault in faults]
