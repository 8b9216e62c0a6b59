"""The image lives a full day in the heap it is built with (DESIGN §8): in QEMU, with all that a day can bring."""

from pathlib import Path

import pytest

from bench.firmware import image_in_qemu
from bench.image_heap import Day
from firmware.image.build import FOLDER, HEAP_BYTES
from firmware.image.elf import Image


@pytest.mark.slow
def test_a_day_with_long_packs_a_top_up_and_flash_commits_fits_40_kilobytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B4, D1, D4, CT-05: provisioned with long packs, both replaced in parts, money, orders, new keys."""
    image = FOLDER / "meter.elf"
    assert Image(image).number("heap_bytes") == HEAP_BYTES == 40_960
    day = Day(lambda provision_hex: image_in_qemu(image, tmp_path / "flash.bin", provision_hex))
    try:
        told = day.live()
    finally:
        day.meter.dispose()
    with capsys.disabled():
        print(f"\nminimum free heap of {HEAP_BYTES} bytes: {told['heap_free_min']}")
    assert (told["boot_count"], told["volume_l"], told["credited_mills"]) == (1, day.litres, day.credited_mills)
    assert (told["tariff_version"], told["policy_version"], told["key_epoch"], told["command"]) == (2, 2, 1, 2)
    assert told["flash_operations"] > 1_000
    assert told["heap_free_min"] > 4_096
