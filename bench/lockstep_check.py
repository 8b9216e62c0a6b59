"""Real MicroPython meters in the place of the firmware under CPython: the same frames at the same instants.

Frames are sealed, so equal bytes mean equal plaintexts, counters and keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.latency import Cell, run
from firmware.build import build
from simulator.meter_process import MeterProcess


class Differs(Exception):
    """A frame that the two interpreters do not share; the text says which."""


def check(cells: Sequence[Cell], trials: int, seed: int) -> dict[str, Any]:
    """Run each cell on both; how many frames were compared. Raises Differs, MeterFailed or BuildFailed."""
    frames = 0
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        device = build(Path(folder) / "device")
        for number, cell in enumerate(cells):
            flash = Path(folder) / f"{number}.flash"
            expected = run(cell, trials, seed)
            found = run(cell, trials, seed, _on_micropython(device, flash))
            compare(cell, expected.trace, found.trace)
            if expected.latencies_us != found.latencies_us:
                raise Differs(f"{cell}: equal frames, other end-stops")
            frames += len(found.trace)
    return {"cells": len(cells), "trials_per_cell": trials, "frames_equal": frames}


def _on_micropython(device: Path, flash: Path) -> Any:
    return lambda provision_hex: MeterProcess("bench", device, flash, provision_hex)


def compare(cell: Cell, expected: Sequence[Any], found: Sequence[Any]) -> None:
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=False)):
        if ours != theirs:
            raise Differs(f"{cell}: frame {number} is {_told(theirs)} on MicroPython and {_told(ours)} on CPython")
    if len(expected) != len(found):
        raise Differs(f"{cell}: {len(found)} frames on MicroPython, {len(expected)} on CPython")


def _told(frame: tuple[int, str, bytes]) -> str:
    time_us, direction, content = frame
    return f"{direction} {content.hex()} at {time_us} us"
