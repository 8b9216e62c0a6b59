"""`guelta firmware`: build the image and the interpreter, and say how large the image is."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from firmware.image.build import FOLDER, PRODUCTS
from firmware.image.build import build as make
from firmware.image.sources import FirmwareFailed
from simulator.texts import LANGUAGES, default_language

TEXTS = {
    "made": ("{product}: built", "{product} : construit"),
    "kept": ("{product}: up to date", "{product} : à jour"),
    "there": ("all in {folder}", "tout est dans {folder}"),
}


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


def _fail(failed: FirmwareFailed) -> NoReturn:
    raise click.ClickException(str(failed)) from failed
