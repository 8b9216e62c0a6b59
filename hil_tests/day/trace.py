"""What a meter did, written down: each time it slept again, when that was, what it had said, and its next alarm."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from hil_tests.rig.bench import Board
from simulator.meter_process import Spoken


class Step(NamedTuple):
    """One waking. `field` has motor commands and faces, `deadline_us` when it wants to wake without any input."""

    now_us: int
    frames: tuple[bytes, ...]
    field: tuple[bytes, ...]
    deadline_us: int

    def __str__(self) -> str:
        said = [f"frame {frame.hex()}" for frame in self.frames] + [f"field {payload.hex()}" for payload in self.field]
        return f"{self.now_us} µs: {', '.join(said) or 'nothing'}; then until {self.deadline_us}"


class Recorded:
    """A board whose every word is kept; otherwise the board itself."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.steps: list[Step] = []
        self._now_us = 0

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self.board.running

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Power on."""
        return self._kept(now_us, self.board.start(now_us, records))

    def reset(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Pull its reset pin."""
        return self._kept(now_us, self.board.reset(now_us, records))

    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken:
        """Hand over records and let it run until it is idle."""
        return self._kept(now_us, self.board.advance(now_us, records))

    def grant(self, now_us: int, records: Sequence[bytes] = ()) -> None:
        """Hand over records and the time."""
        self._now_us = now_us
        self.board.grant(now_us, records)

    def listen(self) -> Spoken:
        """Wait until it is idle."""
        return self._kept(self._now_us, self.board.listen())

    def freeze(self) -> None:
        """Stop its processor."""
        self.board.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self.board.thaw()

    def kill(self) -> None:
        """Cut its power."""
        self.board.kill()

    def dispose(self) -> None:
        """Cut its power for good."""
        self.board.dispose()

    def _kept(self, now_us: int, spoken: Spoken) -> Spoken:
        self.steps.append(Step(now_us, spoken.frames, spoken.field, spoken.deadline_us))
        return spoken


def digest(steps: Sequence[Step]) -> str:
    """SHA-256 over all steps."""
    told = sha256()
    for step in steps:
        told.update(repr(tuple(step)).encode())
    return told.hexdigest()


def first_difference(ours: Sequence[Step], theirs: Sequence[Step]) -> str:
    """The first step that is not the same in both, in words; empty when there is none."""
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return f"step {number}\n  one: {one}\n  other: {other}"
    if len(ours) != len(theirs):
        return f"{len(ours)} steps, and {len(theirs)}"
    return ""
