"""Runs the firmware's encode and seal on a real MicroPython and times it there."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.meter_process import MeterFailed, interpreter

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 120


class Missing(Exception):
    """No MicroPython to run, or one that fails; the text holds the remedy."""


class Timed(NamedTuple):
    """The mean time of encode and seal, which interpreter took it, and the frames it made."""

    milliseconds_mean: float
    interpreter: str
    frames: list[bytes]


def encode_and_seal(days: Sequence[tuple[list[int], list[int]]]) -> Timed:
    """Seal a DAY for each (cut, litres), counters from 0 on. Raises Missing."""
    try:
        micropython = interpreter()
    except MeterFailed as error:
        raise Missing(str(error)) from error
    lines = "".join(json.dumps(day) + "\n" for day in days)
    command = [micropython, "-m", "bench.device_probe"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, input=lines, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{micropython} takes more than {TIMEOUT_S} s for {len(days)} days") from error
    if done.returncode:
        raise Missing(f"bench.device_probe fails under {micropython}: {done.stderr.strip()[-500:]}")
    *sealed, last = done.stdout.splitlines()
    answer: dict[str, Any] = json.loads(last)
    frames = [bytes.fromhex(frame) for frame in sealed]
    return Timed(round(answer["total_us"] / len(frames) / 1000, 3), answer["interpreter"], frames)
