"""Backups: made while the headend runs, verified by opening them again, restored only after verification.

Beside FILE stands FILE.json: what the backup holds (chain head, the id of the key that opens its secrets) and its
SHA-256, so that a torn or changed file is known as such. The key file itself is never in a backup.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from headend.ledger.checks import check_books
from headend.meters.keyring import KeyFileRefused, Keyring
from headend.meters.wrapped import kek_ids_of, unopened
from headend.storage import migrate
from headend.storage.copy import copy_database, sync
from headend.storage.reader import Reader

_OTHER_RELEASE = "the schema is not this release's; restore with the release that made it, then 'guelta db upgrade'"


class BackupRefused(RuntimeError):
    """A backup that must not be used or cannot be made; the message says why and what to do."""


class Contents(msgspec.Struct, frozen=True):
    """What a database holds: the last batch of its chain, and how many rows of what people would miss."""

    batch: int
    chain_head: str
    committed_us: int
    meters: int
    payments: int
    uplinks: int
    entries: int
    kek_ids: list[str]


class Record(msgspec.Struct, frozen=True):
    """FILE.json."""

    sha256: str
    bytes: int
    contents: Contents


def record_file(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def back_up(database: Path, file: Path) -> Record:
    """Copy the database to `file` and verify the copy; nothing is left under that name unless it is good.

    Raises BackupRefused with what is wrong with the copy.
    """
    for taken in (file, record_file(file)):
        if taken.exists():
            raise BackupRefused(f"{taken} is there already: name another file; a backup never overwrites one")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    copy_database(database, part)
    faults = faults_inside(part)
    if faults:
        part.unlink()
        raise BackupRefused("the copy is not good: " + "; ".join(faults[:5]))
    made = Record(_sha256(part), part.stat().st_size, contents_of(part))
    record_file(file).touch(0o600)
    record_file(file).write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    sync(record_file(file))
    os.rename(part, file)
    sync(file)
    return made


def faults_of(file: Path, key_file: Path | None) -> list[str]:
    """Everything that speaks against restoring this file: its bytes, its schema, its books, its keys."""
    if not file.is_file():
        return [f"{file} does not exist"]
    faults = _faults_of_bytes(file)
    if faults:
        return faults
    faults = faults_inside(file)
    if not faults and key_file is not None:
        faults = _faults_of_keys(file, key_file)
    return faults


def faults_inside(file: Path) -> list[str]:
    """What a database says against itself: pages, schema, and every check of the books."""
    try:
        with _reading(file) as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            faults = [text for text in found if text != "ok"]
            if not faults:
                faults = [f"{_OTHER_RELEASE}: {one}" for one in migrate.differences(connection)]
            if not faults:
                faults = [f"{fault.check}: {fault.where}: {fault.what}" for fault in check_books(connection)]
    except DatabaseError as failure:
        return [f"{file} is no whole database: {failure.orig}"]
    return faults


def contents_of(file: Path) -> Contents:
    """What is in a database that can be read."""
    with _reading(file) as connection:

        def count(table: str) -> int:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

        last = connection.exec_driver_sql("SELECT id, hash, committed_us FROM batch ORDER BY id DESC LIMIT 1").first()
        batch, head, committed_us = (0, b"", 0) if last is None else last
        return Contents(
            int(batch),
            bytes(head).hex(),
            int(committed_us),
            *(count(table) for table in ("meter", "payment", "uplink", "entry")),
            sorted(kek_ids_of(connection)),
        )


def _faults_of_bytes(file: Path) -> list[str]:
    try:
        record = msgspec.json.decode(record_file(file).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return [f"{record_file(file)} is missing or unreadable: bring it along with its backup"]
    if file.stat().st_size != record.bytes or _sha256(file) != record.sha256:
        return [f"{file} is torn or was changed: it is not the file that was verified when it was made"]
    return []


def _faults_of_keys(file: Path, key_file: Path) -> list[str]:
    with _reading(file) as connection:
        if not kek_ids_of(connection):
            return []
        try:
            wrong = unopened(connection, Keyring.existing(key_file))
        except KeyFileRefused as refused:
            return [f"{refused}; the backup's secrets are wrapped under key {', '.join(kek_ids_of(connection))}"]
    return [f"{len(wrong)} secrets do not open with {key_file}: {wrong[0]}"] if wrong else []


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[Connection]:
    reader = Reader(file)
    try:
        with reader.connected() as connection:
            yield connection
    finally:
        reader.close()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
