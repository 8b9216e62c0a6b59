"""Every secret in the database, and the key file that must open them: to check it, and to wrap them all anew."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from headend.meters.key_file import KeyFileRefused
from headend.meters.keyring import Keyring, associated
from headend.storage.sqlite import raw
from headend.storage.writer import Tx


class Kind(NamedTuple):
    """A table with secrets: the column, a query for (rowid, wrapped, kek_id, owner's columns…), and the owner."""

    table: str
    column: str
    query: str
    owner: Callable[..., bytes]


KINDS = (
    Kind("meter_key", "wrapped", "SELECT rowid, wrapped, kek_id, meter_id, generation FROM meter_key", associated),
    Kind(
        "provider_secret",
        "wrapped",
        "SELECT s.id, s.wrapped, s.kek_id, p.name FROM provider_secret s JOIN provider p ON p.id = s.provider_id",
        lambda name: b"provider/" + name.encode(),
    ),
    Kind(
        "idempotency",
        "response",
        "SELECT rowid, response, '', key FROM idempotency",
        lambda key: b"idempotency/" + key.encode(),
    ),
    Kind(
        "field_identity",
        "wrapped",
        "SELECT job_id, wrapped, kek_id, job_id FROM field_identity",
        lambda job_id: b"field-job/" + str(job_id).encode(),
    ),
)


class Secret(NamedTuple):
    """One wrapped value and what it is bound to."""

    row_id: int
    wrapped: bytes
    kek_id: str
    owner: bytes


def open_keyring(path: Path, random_bytes: Callable[[int], bytes], kek_ids: set[str]) -> Keyring:
    """The keyring that opens what is wrapped under these keys; a new file only where nothing is wrapped yet.

    Raises KeyFileRefused: a lost or wrong file must never be answered with a fresh key that opens nothing.
    """
    if kek_ids and not path.exists():
        raise KeyFileRefused(
            f"{path} is missing, and the database's keys are wrapped under {_names(kek_ids)}: put the file back from "
            "its own backup; nothing else opens them"
        )
    keyring = Keyring(path, random_bytes)
    if kek_ids <= {keyring.kek_id}:
        return keyring
    following = new_file(path)
    if following.exists() and kek_ids == {Keyring(following, random_bytes).kek_id}:
        raise KeyFileRefused(f"a change of the key in {path} was interrupted: finish it with 'guelta keyring rotate'")
    raise KeyFileRefused(
        f"{path} holds key {keyring.kek_id}, and the database's keys are wrapped under {_names(kek_ids)}: "
        "name the file that belongs to this database with --key-file"
    )


def kek_ids_of(connection: Connection) -> set[str]:
    """The keys under which the database's secrets are wrapped; none in a database without tables."""
    tables = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"meter_key", "provider_secret"} <= tables:
        return set()
    rows = connection.exec_driver_sql("SELECT kek_id FROM meter_key UNION SELECT kek_id FROM provider_secret")
    return {str(row[0]) for row in rows}


def secrets_of(connection: Connection, kind: Kind) -> Iterator[Secret]:
    for row_id, wrapped, kek_id, *owner in raw(connection).cursor().execute(kind.query):
        yield Secret(int(row_id), bytes(wrapped), str(kek_id) or "of its time", kind.owner(*owner))


def unopened(connection: Connection, keyring: Keyring) -> list[str]:
    """Every secret that this key does not open, as a sentence."""
    faults = []
    for kind in KINDS:
        for secret in secrets_of(connection, kind):
            try:
                keyring.unwrap(secret.owner, secret.wrapped, secret.kek_id)
            except KeyFileRefused as refused:
                faults.append(f"{kind.table} row {secret.row_id}: {refused}")
    return faults


def rewrap(tx: Tx, old: Keyring, new: Keyring) -> int:
    """Wrap every secret under the new key; returns how many. Raises KeyFileRefused when one does not open."""
    count = 0
    for kind in KINDS:
        for secret in list(secrets_of(tx.connection, kind)):
            plain = old.unwrap(secret.owner, secret.wrapped, secret.kek_id)
            values: list[object] = [new.wrap(secret.owner, plain), secret.row_id]
            named = f"UPDATE {kind.table} SET {kind.column} = ?"
            if kind.table != "idempotency":
                named, values = named + ", kek_id = ?", [values[0], new.kek_id, values[1]]
            tx.cursor.execute(named + " WHERE rowid = ?", values)
            count += 1
    return count


def new_file(path: Path) -> Path:
    """Where the next key waits until everything is wrapped under it."""
    return path.with_name(path.name + ".new")


def _names(kek_ids: set[str]) -> str:
    return "key " + " and ".join(sorted(kek_ids))
