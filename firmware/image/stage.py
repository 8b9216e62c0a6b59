"""Stages the device's files for freezing into an image: lean and joined as for the meter as a process. Host-side.

Frozen bytecode lies in flash, but each module, import and function still costs RAM: joining saves 9 of 28 KB here too.
Names stay long: they lie in flash, and a traceback names what the sources name.
"""

import ast
from pathlib import Path

from firmware import manifest
from firmware.build import joined
from firmware.link import PARTS

# What the image runs first. Nothing before it and nothing in it formats: provisioning a blank meter does, alone.
BOOT = """import {imports}
from {last} import {start}
{start}()
"""


def stage(out: Path, replaced: dict[str, str] | None = None) -> Path:
    """Write the image's modules and `_boot.py` into `out`, which is returned. `replaced` as in firmware.build.build."""
    files, start = joined(manifest.IMAGE, manifest.IMAGE_ENTRY, replaced)
    out.mkdir(parents=True, exist_ok=True)
    for name, tree in files.items():
        (out / f"{name}.py").write_text(ast.unparse(tree) + "\n")
    (out / "_boot.py").write_text(BOOT.format(imports=", ".join(PARTS), last=PARTS[-1], start=start))
    return out
