"""The 40 KB of the image and a life with everything in it: the story of tests/firmware/test_heap.py, on the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.identity import decode
from hil_tests.rig.console import SealedConsole
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.rig_on_image import RigOnImage
from tests.firmware.test_heap import EVERYTHING, life_with_everything

HEAP_FREE_MIN = 6 * 1024


@pytest.mark.image_only
def test_a_life_with_everything_fits_forty_kilobytes(
    image: Path, unix_build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five days; a heap that ends would be a reset, and the story counts boots."""

    def meter_of(flash: Path, provision_hex: str) -> ImageMeter:
        console = SealedConsole(decode(bytes.fromhex(provision_hex)))
        return ImageMeter(flash.name, image, flash, provision_hex, console)

    with RigOnImage(unix_build, tmp_path, meter_of, **EVERYTHING) as meter:
        living, booted = life_with_everything(meter)
    with capsys.disabled():
        print(f"\nminimum free heap of a life with everything on the image: {living['heap_free_min']} bytes", end="")
    assert min(living["heap_free_min"], booted["heap_free_min"]) >= HEAP_FREE_MIN
