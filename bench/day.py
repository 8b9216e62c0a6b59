"""`guelta bench day`: the real image lives one busy day in QEMU, in lock-step, and says how long that took.

The day is hil_tests/day: it stands in a checkout, not in an installed package.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from bench.latency_report import provenance
from firmware.build import build
from firmware.identity import decode
from firmware.image.build import FOLDER
from firmware.image.elf import Image
from firmware.image.sources import FirmwareFailed
from simulator.meter_process import MeterFailed


def _checkout(name: str) -> Any:
    try:
        return import_module(f"hil_tests.{name}")
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"the day needs '{missing.name}': run it in a checkout with the development packages "
            "(python -m pip install -e '.[dev]')"
        ) from missing


def measure(image: Path) -> dict[str, Any]:
    """The figures of one day. Raises MeterFailed, FirmwareFailed or BuildFailed."""
    heap_bytes = Image(image).number("heap_bytes")
    boards, trace = _checkout("day.boards"), _checkout("day.trace")
    console, meter = _checkout("rig.console"), _checkout("rig.image_meter")

    def board(flash: Path, provision_hex: str) -> Any:
        sealed = console.SealedConsole(decode(bytes.fromhex(provision_hex)))
        return meter.ImageMeter(flash.name, image, flash, provision_hex, sealed)

    with TemporaryDirectory(prefix="guelta-day-") as folder:
        new = boards.new_flash(Path(folder), build(Path(folder) / "device"))
        lived = boards.live(board, new, Path(folder) / "day.flash")
    told = lived.told
    return {
        "virtual_hours": 24,
        "pulses": told.pulses,
        "frames": told.frames,
        "valve_closures": told.closures,
        "wakings": len(told.steps),
        "flash_operations": lived.reading["flash_operations"],
        "heap_bytes": heap_bytes,
        "heap_free_min_bytes": lived.reading["heap_free_min"],
        "wall_s": round(told.wall_s, 1),
        "processor_s": round(lived.cpu_s, 1),
        "trace_sha256": trace.digest(told.steps),
    }


@click.command()
@click.option(
    "--image", type=click.Path(dir_okay=False, path_type=Path), default=FOLDER / "meter.elf", help="The image."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def day(image: Path, as_json: bool) -> None:
    """Let the real image live a day of more than 4,000 pulses in QEMU; the trace is the same in every run."""
    try:
        result = {**measure(image), **provenance(1)}
    except (MeterFailed, FirmwareFailed) as failed:
        raise click.ClickException(str(failed)) from failed
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        click.echo(f"{name.replace('_', ' '):24} {value}")
