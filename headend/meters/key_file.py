"""The file that holds the key-encryption key: 64 hexadecimal digits, its owner's alone, written whole or not at all."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

KEY_BYTES = 32


class KeyFileRefused(RuntimeError):
    """The key file cannot be used; the message says why."""


def id_of(key: bytes) -> str:
    """The name of a key, which is no secret: every wrapped row carries it."""
    return sha256(b"guelta kek id" + key).hexdigest()[:16]


def create(path: Path, random_bytes: Callable[[int], bytes]) -> None:
    """Make a new key in a file that must not be there yet. What is torn by a power cut is a file of another name."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(random_bytes(KEY_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link refuses to take the place of a key that somebody made meanwhile; a rename would not.
    os.link(part, path)
    part.unlink()
    sync_folder(path)


def read(path: Path) -> bytes:
    """The key. Raises KeyFileRefused when the file is not there, is open to others, or holds something else."""
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as failure:
        raise KeyFileRefused(f"{path} cannot be read: {getattr(failure, 'strerror', None) or 'not text'}") from None
    if mode & 0o077 and not _guarded_by_systemd(path):
        raise KeyFileRefused(f"{path} can be read by others: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileRefused(f"{path} does not hold {2 * KEY_BYTES} hexadecimal digits")
    return key


def sync_folder(path: Path) -> None:
    """Make the names in the file's folder durable."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _guarded_by_systemd(path: Path) -> bool:
    """A credential of LoadCredential=: its folder is the service's alone, and an access list shows as group bits."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)
