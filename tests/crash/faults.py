"""The Nth file operation fails, for N = 1, 2, … until the work needs fewer: what is told, what is left, what goes on.

A piece of work that failed has left nothing and was not acknowledged. One that was acknowledged although an operation
failed (a checkpoint may wait) is durable. The work after it succeeds, without a restart.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from headend.storage.writer import Job, Writer
from tests.crash.disk import Disk, dropped
from tests.crash.pages import Pages
from tests.crash.story import DATABASE
from tests.crash.vfs import Operation

NTH_MAX = 500


class Fault(NamedTuple):
    """What fails: operations of these kinds, with this code of SQLite; `lasting` ones until there is room again."""

    kinds: tuple[str, ...]
    code: int
    lasting: bool = False


FAULTS = {
    "write-eio": Fault(("write",), 10 | 3 << 8),
    "write-enospc": Fault(("write",), 13, lasting=True),
    "sync-eio": Fault(("sync",), 10 | 4 << 8),
    "truncate-eio": Fault(("truncate",), 10 | 6 << 8),
    "open-refused": Fault(("open", "create", "folder"), 14),
    "delete-eio": Fault(("delete",), 10 | 10 << 8),
}


@dataclass
class Failing:
    """The watch that fails the Nth operation, and keeps the disk as it would be found after a power cut.

    A sync that fails takes what was to be synced with it: the kernel may drop it and never say so again.
    """

    disk: Disk
    fault: Fault | None = None
    left: int = 0
    fired: int = 0

    def arm(self, fault: Fault, nth: int) -> None:
        self.fault, self.left, self.fired = fault, nth, 0

    def mend(self) -> None:
        self.fault = None

    def watch(self, operation: Operation) -> int:
        if self.disk.folder not in (Path(operation.path), Path(operation.path).parent):
            return 0
        if self.fault is not None and operation.kind in self.fault.kinds:
            self.left -= 1
            if self.left == 0 or (self.left < 0 and self.fault.lasting):
                self.fired += 1
                if operation.kind == "sync":
                    self.disk.names[Path(operation.path).name].changes.clear()
                return self.fault.code
        self.disk.do(operation)
        return 0


@dataclass
class Found:
    """What came of it: how often something failed, how often the work was told done all the same, and what is wrong."""

    failed: int = 0
    acknowledged: int = 0
    words: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)


class Trial:
    """Fails operation after operation of pieces of work on one database that is in use all the time."""

    def __init__(self, writer: Writer, pages: Pages, failing: Failing, probe: Callable[[], Job[Any]]) -> None:
        self.writer, self.pages, self.failing, self.probe = writer, pages, failing, probe
        self.found = Found()

    def fail_each(self, name: str, job: Job[Any], fault: str) -> None:
        """One run for each operation that the job needs; the last one is told done without a fault."""
        for nth in range(1, NTH_MAX):
            wrong, over = self._run(job, FAULTS[fault], nth)
            self.found.violations += [f"{name}, {fault} {nth}: {what}" for what in wrong]
            if over or wrong:
                return
        self.found.violations.append(f"{name}, {fault}: never told done")

    def _run(self, job: Job[Any], fault: Fault, nth: int) -> tuple[list[str], bool]:
        """What is wrong with one run, and whether it was the last."""
        before = self.pages.read()
        self.failing.arm(fault, nth)
        failure = self.raised(job)
        fired = self.failing.fired
        wrong = []
        if fired and failure is not None and fault.lasting and self.raised(self.probe()) is None:
            wrong.append("work was told done while the disk was full")
        self.failing.mend()
        after = self.pages.read()
        self.found.failed += fired
        if failure is None:
            self.found.acknowledged += fired > 0
            if fired and after == before and self.raised(job) is None and self.pages.read() != after:
                wrong.append("it was told done, and was not there")
        elif not fired:
            wrong.append(f"refused without a fault: {failure}")
        else:
            self.found.words.add(str(failure).splitlines()[0])
            if after != before:
                wrong.append("it was not told done, and something is there")
        if fired and (again := self.raised(self.probe())) is not None:
            wrong.append(f"the work after it fails: {again}")
        return wrong, failure is None

    def raised(self, job: Job[Any]) -> BaseException | None:
        """What the work raised, or None when it was told done."""
        try:
            self.writer._enqueue(job).result(timeout=20)
        except BaseException as failure:  # noqa: BLE001  (whatever it is, it is judged)
            return failure
        return None

    def durable(self, folder: Path) -> Iterator[str]:
        """What a power cut now would lose of what was told done."""
        for name, data in self.failing.disk.image(dropped, random.Random(0)).items():
            (folder / name).write_bytes(data)
        with contextlib.closing(Pages(folder / DATABASE)) as found:
            if found.read() != self.pages.read():
                yield "what was told done is not durable"
        for file in folder.iterdir():
            file.unlink()
