"""Where the built images are."""

from __future__ import annotations

from pathlib import Path

from simulator.meter_process import MeterFailed

PRODUCTION, DEVELOPMENT = "meter.elf", "meter-dev.elf"
BUILT = Path(__file__).resolve().parents[2] / "build" / "firmware"


def built_image(name: str, folder: Path = BUILT) -> Path:
    """The image of that name. Absent is a failure with its remedy."""
    if not (folder / name).is_file():
        raise MeterFailed(f"no image {folder / name}: build it with `make firmware`, or name its folder with --images")
    return folder / name
