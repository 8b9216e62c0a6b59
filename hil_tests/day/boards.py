"""The boards that live the day: all on the flash of one meter, made once by the meter as a process.

The image's flash file begins with the process's, byte for byte, so one provisioned file serves both.
"""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hil_tests.rig.bench import Board
from hil_tests.rig.unix_meter import UnixMeter

from .story import Day, Told, provision, provision_hex

FILES_BYTES = 1 << 20
MakeBoard = Callable[[Path, str], Board]


class Lived(NamedTuple):
    """A day on a board. `files`: its flash at the day's end. `reading`: what its console told after that.

    `cpu_s`: the processor time of rig and board together.
    """

    told: Told
    files: bytes
    reading: dict[str, Any]
    cpu_s: float
    day: Day


def new_flash(folder: Path, unix_build: Path) -> Path:
    """A provisioned flash, and its EEPROM beside it."""
    flash = folder / "flash"
    board = UnixMeter("new", unix_build, flash, provision_hex())
    try:
        provision(board)
    finally:
        board.dispose()
    return flash


def live(make_board: MakeBoard, new: Path, flash: Path) -> Lived:
    """The day on a board of one's own: a copy of the new flash."""
    shutil.copy(new, flash)
    shutil.copy(f"{new}.eeprom", f"{flash}.eeprom")
    before_s = _cpu_s()
    board = make_board(flash, provision_hex())
    day = Day(board)
    try:
        told = day.live()
        with flash.open("rb") as file:
            files = file.read(FILES_BYTES)
        reading = day.meter.reads()
    finally:
        board.dispose()
    return Lived(told, files, reading, _cpu_s() - before_s, day)


def _cpu_s() -> float:
    """Of this process and of the children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))
