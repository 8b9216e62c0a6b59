"""The fewest inputs, shortest first, that reach every step from line to line that all of them reach."""

import importlib
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.catalogue import Target

ROOT = str(Path(__file__).resolve().parents[2])
Step = tuple[str, int, int]


def fewest(target: Target, inputs: list[bytes]) -> list[bytes]:
    """Those that each add a step to what shorter ones reached."""
    one = importlib.import_module(f"tests.fuzz.targets.{target.name}").one
    rooms = tuple(f"{ROOT}/{name.replace('.', '/')}" for name in target.guided)
    for data in inputs:
        one(data)  # what is loaded on demand is loaded
    reached: set[Step] = set()
    kept = []
    for data in sorted(set(inputs), key=lambda each: (len(each), each)):
        steps = steps_of(one, data, rooms)
        if not steps <= reached:
            reached |= steps
            kept.append(data)
    return kept


def steps_of(one: Any, data: bytes, rooms: tuple[str, ...]) -> set[Step]:
    """From which line to which line the parsers went."""
    found: set[Step] = set()

    def tracer(frame: FrameType, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(rooms):
            return None
        last = frame.f_code.co_firstlineno

        def line(within: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                found.add((name, last, within.f_lineno))
                last = within.f_lineno
            return line

        return line

    sys.settrace(tracer)
    try:
        one(data)
    finally:
        sys.settrace(None)
    return found
