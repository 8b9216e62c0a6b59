"""Images of releases, as files beside the database, each under the name of its own SHA-256.

They are not in the books: a backup is made every night and carried over thin lines, while an image never changes, says
nothing of money or water, and can be brought again at any time from the file that was signed. A file that is missing or
damaged is never sent; its release says so until `guelta release add` brings it back.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from headend.storage.copy import sync, sync_folder

FOLDER = ".releases"
_KEPT_IN_MEMORY = 4


class ImageMissing(LookupError):
    """There is no such image, or the file is not what was signed."""


def folder_of(connection: Connection) -> Path:
    """Where the images of this database are: its name with '.releases' appended."""
    files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(files["main"] + FOLDER)


def keep(folder: Path, image: bytes) -> None:
    """Write an image durably, whole or not at all; one that is there already stays."""
    digest = hashlib.sha256(image).digest()
    if has(folder, digest):
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder)
    file = folder / digest.hex()
    part = file.with_name(file.name + ".part")
    part.write_bytes(image)
    part.chmod(0o600)
    sync(part)
    os.replace(part, file)
    sync(file)


def has(folder: Path, digest: bytes) -> bool:
    """Whether the image of this SHA-256 can be sent."""
    try:
        load(folder, digest)
    except ImageMissing:
        return False
    return True


def load(folder: Path, digest: bytes) -> bytes:
    """The image of this SHA-256, checked. Raises ImageMissing."""
    file = folder / digest.hex()
    try:
        looked_at = file.stat()
        return _read(file, looked_at.st_mtime_ns, looked_at.st_size)
    except OSError:
        raise ImageMissing(file.name) from None


@lru_cache(maxsize=_KEPT_IN_MEMORY)
def _read(file: Path, _written_ns: int, _size: int) -> bytes:
    """A file's bytes, read and checked once as long as it is not written again; what raises is not remembered."""
    image = file.read_bytes()
    if hashlib.sha256(image).hexdigest() != file.name:
        raise ImageMissing(file.name)
    return image
