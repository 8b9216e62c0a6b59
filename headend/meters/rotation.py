"""A new key-encryption key: made beside the old file, everything wrapped anew in one commit, then put in its place.

Killed between any two steps, the old file still opens the database or the new one does, and the same command finishes:

    1  KEY.new is made            the database is under the old key
    2  everything is re-wrapped   one transaction: under the old key or under the new one
    3  KEY is kept as KEY.<id>    for the backups that were made under it
    4  KEY.new becomes KEY        from now on `guelta serve` starts again
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from headend.meters import key_file
from headend.meters.keyring import Keyring
from headend.meters.wrapped import kek_ids_of, new_file, rewrap
from headend.storage.audit import Actor, Change
from headend.storage.writer import Tx, Writer


class Rotated(NamedTuple):
    """What was done: the keys by their ids, how many secrets were wrapped now, and where the old key is kept."""

    old_id: str
    new_id: str
    secrets: int
    kept: Path


def rotate(writer: Writer, path: Path, random_bytes: Callable[[int], bytes], actor: Actor) -> Rotated:
    """Change the key of a database that nobody else has open. Raises KeyFileRefused; then nothing was changed."""
    old = Keyring.existing(path)
    new = _next_key(path, random_bytes)
    count = writer.run(lambda tx: _rewrap_all(tx, old, new, actor))
    kept = _keep(path, old.kek_id)
    _take_its_place(path)
    return Rotated(old.kek_id, new.kek_id, count, kept)


def _next_key(path: Path, random_bytes: Callable[[int], bytes]) -> Keyring:
    """The key that a rotation before this one made, or a new one."""
    if not new_file(path).exists():
        key_file.create(new_file(path), random_bytes)
    return Keyring.existing(new_file(path), random_bytes)


def _rewrap_all(tx: Tx, old: Keyring, new: Keyring, actor: Actor) -> int:
    if kek_ids_of(tx.connection) == {new.kek_id}:
        return 0
    tx.actor = actor
    tx.changes.append(Change("key_file", "1", {"key": old.kek_id}, {"key": new.kek_id}))
    return rewrap(tx, old, new)


def _keep(path: Path, old_id: str) -> Path:
    kept = path.with_name(f"{path.name}.{old_id}")
    if not kept.exists():
        os.link(path, kept)
        key_file.sync_folder(path)
    return kept


def _take_its_place(path: Path) -> None:
    os.replace(new_file(path), path)
    key_file.sync_folder(path)
