"""Releases of the utility: signed updates, checked before they are kept.

The headend holds the public key only. A meter checks the same signature again, so a headend that was broken into can
offer no program of its own; checking here finds a mistake before thousands of frames are spent on it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from headend.refusals import Code, Refused
from headend.releases import images
from headend.storage.writer import Tx
from protocol.compat import p256_verify
from protocol.errors import WireRefused
from protocol.wire import manifest
from protocol.wire.limits import UPDATE_CHUNK_MAX

UPDATE_BYTES_MAX = manifest.LENGTH + manifest.IMAGE_MAX
_COLUMNS = "hardware, version, min_version, size, sha256, manifest, added_us"


@dataclass(frozen=True, slots=True)
class Release:
    """One row. `file_size` counts manifest and image, as the offsets of a transfer by frames do."""

    hardware: str
    version: int
    min_version: int
    size: int
    sha256: bytes
    manifest: bytes
    added_us: int

    @property
    def file_size(self) -> int:
        return manifest.LENGTH + self.size

    @property
    def fragments(self) -> int:
        """How many frames carry it."""
        return -(-self.file_size // UPDATE_CHUNK_MAX)


def check(data: bytes, release_key: bytes) -> tuple[Any, bytes]:
    """(manifest, image) of an update's file. Raises Refused for what no meter of this utility would take."""
    if not release_key:
        raise Refused(Code.RELEASE_KEY_UNSET, "release_key")
    raw, image = data[: manifest.LENGTH], data[manifest.LENGTH :]
    try:
        told = manifest.decode(raw)
    except WireRefused as refused:
        raise Refused(Code.RELEASE_FILE, "update", refused.field) from None
    if told.size > manifest.IMAGE_MAX:
        raise Refused(Code.RELEASE_TOO_LARGE, "update", str(told.size))
    if len(image) != told.size:
        raise Refused(Code.RELEASE_DAMAGED, "update", f"{len(image)} / {told.size}")
    if hashlib.sha256(image).digest() != told.sha256:
        raise Refused(Code.RELEASE_DAMAGED, "update", "SHA-256")
    if not p256_verify(release_key, manifest.digest(raw), told.signature):
        raise Refused(Code.RELEASE_SIGNATURE, "update", f"{told.hardware} {told.version}")
    return told, image


def add_release(tx: Tx, data: bytes, release_key: bytes) -> Release:
    """Keep a release. The same file again brings back an image that is missing. Raises Refused."""
    told, image = check(data, release_key)
    raw = data[: manifest.LENGTH]
    known = find(tx.connection, told.hardware, told.version)
    if known is not None and manifest.signed_part(known.manifest) != manifest.signed_part(raw):
        raise Refused(Code.RELEASE_EXISTS, "update", f"{told.hardware} {told.version}")
    images.keep(images.folder_of(tx.connection), image)
    if known is not None:
        return known
    made = Release(told.hardware, told.version, told.min_version, told.size, told.sha256, raw, tx.now_us)
    row = (made.hardware, made.version, made.min_version, made.size, made.sha256, made.manifest, made.added_us)
    tx.cursor.execute(f"INSERT INTO release ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return made


def find(connection: Connection, hardware: str, version: int) -> Release | None:
    found = connection.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM release WHERE hardware = ? AND version = ?", (hardware, version)
    ).first()
    return None if found is None else Release(*found)


def of_version(connection: Connection, version: int, hardware: str | None) -> Release:
    """The release of a version, for the hardware if it is named. Raises Refused where none is, or several are."""
    rows = connection.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM release WHERE version = ? ORDER BY hardware", (version,)
    ).all()
    found = [one for one in (Release(*row) for row in rows) if hardware in (None, one.hardware)]
    if not found:
        raise Refused(Code.RELEASE_UNKNOWN, "version" if hardware is None or not rows else "hardware", str(version))
    if len(found) > 1:
        raise Refused(Code.RELEASE_HARDWARE, "hardware", ", ".join(one.hardware for one in found))
    return found[0]


def listed(connection: Connection) -> list[Release]:
    """All releases, the newest version first."""
    rows = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM release ORDER BY version DESC, hardware")
    return [Release(*row) for row in rows]


def file_of(connection: Connection, release: Release) -> bytes:
    """The update's file: manifest and image. Raises ImageMissing."""
    return release.manifest + images.load(images.folder_of(connection), release.sha256)
