"""Stages the device's files for freezing: the sources of the manifest, lean, each still a module of its own. Host-side.

Frozen bytecode lies in flash, so nothing is joined or shortened as for the Unix meter (firmware/build.py), and a
traceback names what the sources name. Lean stays: what nobody calls would still cost its name in RAM, and constants
stand as numbers.
"""

import ast
from pathlib import Path

from firmware import manifest
from firmware.lean import lean

ROOT = Path(__file__).resolve().parent.parent.parent


def stage(out: Path, replaced: dict[str, str] | None = None) -> Path:
    """Write the image's modules and `_boot.py` below `out`, which is returned. `replaced` as in firmware.build.build."""
    sources = {name: (ROOT / name).read_text() for name in manifest.IMAGE} | (replaced or {})
    trees = lean(sources, manifest.IMAGE_ENTRY)
    for name in manifest.IMAGE:
        module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        target = out / name.removeprefix(manifest.IMAGE_FOLDER) if name == manifest.IMAGE_BOOT else out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(ast.unparse(trees[module]) + "\n")
    return out
