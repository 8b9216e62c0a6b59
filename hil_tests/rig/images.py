"""Where the built images are."""

from __future__ import annotations

import os
from pathlib import Path

from simulator.meter_process import MeterFailed

PRODUCTION, DEVELOPMENT = "meter.elf", "meter-dev.elf"
_BUILT = Path(__file__).resolve().parents[2] / "build" / "firmware"


def built_image(name: str) -> Path:
    """The image of that name in GUELTA_IMAGES or build/firmware. Absent is a failure with its remedy."""
    folder = Path(os.environ.get("GUELTA_IMAGES") or _BUILT)
    if not (folder / name).is_file():
        raise MeterFailed(
            f"no image {folder / name}: build it with `make firmware`, or name its folder in GUELTA_IMAGES"
        )
    return folder / name
