"""`guelta firmware newkey`, `keyed` and `release`: from a key in a safe to a file that a meter believes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bench.release_texts import REFUSALS, TEXTS
from firmware.image import release as releases
from firmware.image.build import FOLDER
from firmware.image.release import IMAGE_HARDWARE, ReleaseRefused, version_number, version_text
from firmware.image.sources import FirmwareFailed
from firmware.version import STATE_READ_SINCE
from simulator.texts import LANGUAGES, default_language

Made = TypeVar("Made")

_FILE = click.Path(dir_okay=False, path_type=Path)
_LANG = click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_OUT = click.option("-o", "--out", required=True, type=_FILE, help="The file to write.")


@click.command()
@click.argument("key", type=_FILE)
@_JSON
@_LANG
def newkey(key: Path, as_json: bool, lang: str | None) -> None:
    """Make the key that signs updates: KEY (private, mode 0600) and KEY.pub.

    KEY.pub goes into factory images (`guelta firmware keyed`). Whoever has KEY can put any program into those meters;
    who loses it can never update them again.
    """
    made = _or_refuse(lang, lambda: releases.new_key(key))
    _tell("key_made", lang, as_json, key=str(key), public=made.hex())


@click.command()
@click.option("--key", required=True, type=_FILE, help="The public key: KEY.pub of newkey.")
@click.option("--image", type=_FILE, default=FOLDER / "meter.elf", help="The image as built.")
@_OUT
@_JSON
@_LANG
def keyed(key: Path, image: Path, out: Path, as_json: bool, lang: str | None) -> None:
    """Write the factory image with your public key in it. Without a key an image takes no updates."""

    def make() -> None:
        if not image.is_file():
            raise ReleaseRefused("image_missing", image=image)
        _write(out, releases.keyed(image, releases.read_public(key)))

    _or_refuse(lang, make)
    _tell("keyed", lang, as_json, out=str(out), key=str(key))


@click.command()
@click.argument("image", type=_FILE)
@click.option("--key", required=True, type=_FILE, help="The private key that newkey made.")
@click.option("--version", "version_asked", required=True, help="Version of the image, as 1.2.3.")
@click.option("--min-version", help=f"Least version that may be running before. [{version_text(STATE_READ_SINCE)}]")
@click.option("--hardware", default=IMAGE_HARDWARE, show_default=True, help="Hardware that the image is for.")
@_OUT
@_JSON
@_LANG
def release(
    image: Path,
    key: Path,
    version_asked: str,
    min_version: str | None,
    hardware: str,
    out: Path,
    as_json: bool,
    lang: str | None,
) -> None:
    """Sign IMAGE (meter.bin) as an update and write it, manifest first. Needs no network.

    `guelta field flash` carries it to a meter.
    """

    def make() -> dict[str, Any]:
        version = version_number(version_asked)
        least = STATE_READ_SINCE if min_version is None else version_number(min_version)
        private = releases.read_key(key)
        if not image.is_file():
            raise ReleaseRefused("image_missing", image=image)
        content = image.read_bytes()
        releases.check_image(content, hardware, version)
        _write(out, releases.update(content, private, hardware, version, least))
        sha256 = hashlib.sha256(content).hexdigest()
        public = releases.public_key(private).hex()
        return {"version": version_text(version), "size": len(content), "sha256": sha256, "public": public}

    _tell("released", lang, as_json, out=str(out), hardware=hardware, **_or_refuse(lang, make))


def _write(out: Path, content: bytes) -> None:
    """Whole or not at all."""
    half = out.with_name(out.name + ".part")
    try:
        half.write_bytes(content)
        half.replace(out)
    except OSError as failed:
        raise ReleaseRefused("out", out=out, why=failed.strerror) from None


def _or_refuse(lang: str | None, make: Callable[[], Made]) -> Made:
    try:
        return make()
    except ReleaseRefused as refused:
        text = REFUSALS[refused.code][LANGUAGES.index(lang or default_language())]
        raise click.ClickException(text.format(**refused.values)) from refused
    except FirmwareFailed as failed:
        raise click.ClickException(str(failed)) from failed


def _tell(name: str, lang: str | None, as_json: bool, **values: Any) -> None:
    if as_json:
        click.echo(json.dumps(values))
    else:
        click.echo(TEXTS[name][LANGUAGES.index(lang or default_language())].format(**values))
