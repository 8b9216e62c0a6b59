"""An update as a file: the manifest and, behind it, the image (docs/SPEC.md). Looked at before a meter is bothered."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from protocol.errors import Refused
from protocol.wire import manifest
from protocol.wire.manifest import Manifest

from .refusals import Refusal


class Update(NamedTuple):
    """`raw` are the manifest's bytes as they stand in the file, which are what was signed."""

    manifest: Manifest
    raw: bytes
    image: bytes


def load(file: Path) -> Update:
    """The update in a file. Raises Refusal: file_unreadable, update_file, update_damaged."""
    try:
        with file.open("rb") as opened:
            data = opened.read(manifest.LENGTH + manifest.IMAGE_MAX + 1)
    except OSError as failure:
        raise Refusal("file_unreadable", option="FILE", file=file, why=failure.strerror) from None
    raw, image = data[: manifest.LENGTH], data[manifest.LENGTH :]
    try:
        told = manifest.decode(raw)
    except Refused as refused:
        raise Refusal("update_file", file=file, field=refused.field) from None
    if len(image) != told.size or hashlib.sha256(image).digest() != told.sha256:
        raise Refusal("update_damaged", file=file)
    return Update(told, raw, image)


def version_text(version: int) -> str:
    """10203 as 1.2.3."""
    return f"{version // 10_000}.{version // 100 % 100}.{version % 100}"
