"""`guelta firmware`: build the image and the interpreter, and say how large the image is."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import which
from typing import Any, NoReturn

import click

from bench.boot_time import boot_times
from bench.release import keyed, newkey, release
from firmware.identity import decode
from firmware.image.build import FOLDER, PRODUCTS, UPDATE
from firmware.image.build import build as make
from firmware.image.elf import Image
from firmware.image.sources import FirmwareFailed
from simulator.meter_process import MeterFailed
from simulator.texts import LANGUAGES, default_language

TEXTS = {
    "made": ("{product}: built", "{product} : construit"),
    "kept": ("{product}: up to date", "{product} : à jour"),
    "text_bytes": ("flash: {count} bytes", "mémoire flash : {count} octets"),
    "ram_bytes": ("RAM, heap and stack included: {count} bytes", "RAM, tas et pile compris : {count} octets"),
    "heap_min_bytes": (
        "smallest heap that a full day fits: {count} bytes",
        "plus petit tas où tient une journée entière : {count} octets",
    ),
    "image_bytes": ("image of an update: {count} bytes", "image d’une mise à jour : {count} octets"),
    "empty_us": ("loader, slots empty: {count} µs", "chargeur, emplacements vides : {count} µs"),
    "confirmed_us": ("loader, image confirmed: {count} µs", "chargeur, image confirmée : {count} µs"),
    "trial_us": ("loader, image on trial: {count} µs", "chargeur, image à l’essai : {count} µs"),
    "signature_us": ("of which its signature: {count} µs", "dont sa signature : {count} µs"),
    "there": ("all in {folder}", "tout est dans {folder}"),
    "no_image": (
        "there is no {image}: build it with `make firmware`",
        "{image} n’existe pas : `make firmware` la construit",
    ),
    "no_qemu": (
        "no qemu-system-arm: sudo apt-get install --no-install-recommends -y qemu-system-arm",
        "qemu-system-arm manque : sudo apt-get install --no-install-recommends -y qemu-system-arm",
    ),
    "no_checkout": (
        "the heap is measured with hil_tests, which stand in a checkout, not in an installation",
        "le tas se mesure avec hil_tests, qui sont dans les sources, pas dans une installation",
    ),
}


class CannotMeasure(Exception):
    """What is missing on this machine: a name in TEXTS."""

    def __init__(self, name: str) -> None:
        super().__init__(TEXTS[name][0])
        self.name = name


@click.group()
def firmware() -> None:
    """Build the real image (micrologiciel) and measure it.

    \b
    Needs gcc, make, gcc-arm-none-eabi and libnewlib-arm-none-eabi; `make firmware` says so if they are missing.
    Demande gcc, make, gcc-arm-none-eabi et libnewlib-arm-none-eabi ; `make firmware` le dit s’ils manquent.
    """


@firmware.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Folder. [build/firmware]"
)
@click.option(
    "--only", "only", multiple=True, type=click.Choice(PRODUCTS), help="This product only; may be given again."
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
def build(out: Path, only: tuple[str, ...], lang: str | None) -> None:
    """Fetch the pinned sources, verify them, and build what has changed.

    Makes mpy-cross, the Unix interpreter (micropython), the image as it is sold (meter.elf) and the one with a REPL
    (meter-dev.elf). The sources come from this machine's Debian mirror, or from the folder named in MICROPYTHON_SRC.
    """
    language = LANGUAGES.index(lang or default_language())

    def say(product: str, made: bool) -> None:
        click.echo(TEXTS["made" if made else "kept"][language].format(product=product))

    try:
        make(out, only or PRODUCTS, say=say)
    except FirmwareFailed as failed:
        _fail(failed)
    click.echo(TEXTS["there"][language].format(folder=out))


@firmware.command()
@click.option(
    "--image", type=click.Path(dir_okay=False, path_type=Path), default=FOLDER / "meter.elf", help="The image."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
def size(image: Path, as_json: bool, lang: str | None) -> None:
    """Say how much flash and RAM the image takes, and the smallest heap it lives a full day in.

    The heap is measured, not read: the image lives the day in QEMU with less and less of it (about a minute).
    """
    from bench.image_heap import heap_min

    language = LANGUAGES.index(lang or default_language())
    try:
        if not image.is_file():
            raise CannotMeasure("no_image")
        text_bytes, ram_bytes = Image(image).size()
        heap_min_bytes = heap_min(image, image_in_qemu)
    except CannotMeasure as cannot:
        raise click.ClickException(TEXTS[cannot.name][language].format(image=image)) from cannot
    except (FirmwareFailed, MeterFailed) as failed:
        _fail(failed)
    figures = {"text_bytes": text_bytes, "ram_bytes": ram_bytes, "heap_min_bytes": heap_min_bytes}
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, count in figures.items():
        click.echo(TEXTS[name][language].format(count=count))


@firmware.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Where it was built.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
def boot(folder: Path, as_json: bool, lang: str | None) -> None:
    """Say how long the loader takes before the meter starts, at 31 million instructions a second (in QEMU)."""
    language = LANGUAGES.index(lang or default_language())
    image = folder / "meter.elf"
    try:
        if not image.is_file() or not (folder / UPDATE).is_file():
            raise CannotMeasure("no_image")
        _need_rig()
        figures = boot_times(image, folder / UPDATE)
    except CannotMeasure as cannot:
        raise click.ClickException(TEXTS[cannot.name][language].format(image=image)) from cannot
    except (FirmwareFailed, MeterFailed) as failed:
        _fail(failed)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, count in figures.items():
        click.echo(TEXTS[name][language].format(count=count))


for command in (newkey, keyed, release):
    firmware.add_command(command)


def image_in_qemu(image: Path, flash: Path, provision_hex: str) -> Any:
    """The image in QEMU, in lock-step. The rig belongs to a checkout, not to an installation."""
    _need_rig()
    from hil_tests.rig.console import SealedConsole
    from hil_tests.rig.image_meter import ImageMeter

    console = SealedConsole(decode(bytes.fromhex(provision_hex)))
    return ImageMeter(image.name, image, flash, provision_hex, console)


def _need_rig() -> None:
    try:
        from hil_tests.rig import qemu
    except ModuleNotFoundError as missing:
        raise CannotMeasure("no_checkout") from missing
    if which(qemu.QEMU) is None:
        raise CannotMeasure("no_qemu")


def _fail(failed: FirmwareFailed | MeterFailed) -> NoReturn:
    raise click.ClickException(str(failed)) from failed
