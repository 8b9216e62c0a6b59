"""API keys: 256 random bits, shown once, stored as their SHA-256. A key holds scopes; revoking is for ever.

A plain hash is enough here: unlike a password, 256 random bits cannot be guessed from it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from headend.api.endpoint import SCOPES
from headend.storage.tables import api_key
from headend.storage.writer import Tx

PREFIX = "guelta_"
SECRET_BYTES = 32

_KEY = re.compile(r"^guelta_[0-9a-f]{64}(?![\s\S])")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}(?![\s\S])")


class KeyRefused(ValueError):
    """A key cannot be made or revoked; the message names the field and the remedy."""


@dataclass(frozen=True)
class Caller:
    """Who holds the key of a request."""

    key_id: int
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class KeyRow:
    """One line of `guelta key list`; the key itself is not known to us."""

    name: str
    scopes: tuple[str, ...]
    created_us: int
    revoked_us: int | None


def create(tx: Tx, name: str, scopes: tuple[str, ...], random: Callable[[int], bytes]) -> str:
    """Make a key and return its text, the only time it is ever seen."""
    if _NAME.match(name) is None:
        raise KeyRefused(f"name {name!r}: use 1 to 40 letters, digits, spaces, '.', '_' or '-'")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise KeyRefused(f"scope {', '.join(scopes) or '(none)'}: use one or more of {', '.join(SCOPES)}")
    if tx.connection.execute(select(api_key.c.id).where(api_key.c.name == name)).first() is not None:
        raise KeyRefused(f"name {name!r} is taken: choose another, names are never used twice")
    text = PREFIX + random(SECRET_BYTES).hex()
    ordered = ",".join(scope for scope in SCOPES if scope in scopes)
    row = {"name": name, "secret_hash": _hash(text), "scope": ordered, "created_us": tx.now_us, "revoked_us": None}
    tx.connection.execute(insert(api_key).values(**row))
    return text


def revoke(tx: Tx, name: str) -> None:
    """From the next request on, the key opens nothing."""
    alive = (api_key.c.name == name) & api_key.c.revoked_us.is_(None)
    if tx.connection.execute(update(api_key).where(alive).values(revoked_us=tx.now_us)).rowcount != 1:
        raise KeyRefused(f"name {name!r}: no key of that name is in use; 'guelta key list' shows them")


def listed(connection: Connection) -> list[KeyRow]:
    """All keys ever made, in order."""
    rows = connection.execute(select(api_key).order_by(api_key.c.id))
    return [KeyRow(row.name, tuple(row.scope.split(",")), row.created_us, row.revoked_us) for row in rows]


def any_usable(connection: Connection) -> bool:
    """Whether somebody holds a key that is not revoked."""
    return connection.execute(select(api_key.c.id).where(api_key.c.revoked_us.is_(None)).limit(1)).first() is not None


def caller_of(connection: Connection, text: str) -> Caller | None:
    """The holder of this key; None for anything else. The look-up by hash takes the same time for every wrong key."""
    if _KEY.match(text) is None:
        return None
    query = select(api_key).where((api_key.c.secret_hash == _hash(text)) & api_key.c.revoked_us.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else Caller(row.id, row.name, frozenset(row.scope.split(",")))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
