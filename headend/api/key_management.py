"""API keys made and ended while the headend runs."""

import os
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from headend.api import keys
from headend.api.endpoint import ADMIN, Endpoint
from headend.api.problems import Problem
from headend.api.shapes import Request, Response, instant
from headend.storage.writer import Tx

KeyName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}(?![\s\S])", description="who will use it")]
Scope = Literal["read", "operate", "provision", "admin", "field"]


class KeyToMake(Request):
    """A key for one user or program, with what it may do."""

    name: KeyName
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=5)]


class KeyPath(Request):
    name: KeyName


class MadeKey(Response):
    """The key itself is shown this once."""

    name: str
    scopes: list[str]
    key: str


class Key(Response):
    name: str
    scopes: list[str]
    created_at: str
    revoked_at: str | None


class KeyList(Response):
    items: list[Key]


def create_key(tx: Tx, body: KeyToMake) -> MadeKey:
    """Make an API key. It is shown once, in this answer; only its hash is kept."""
    try:
        made = keys.create(tx, body.name, tuple(body.scopes), os.urandom)
    except keys.KeyRefused:
        raise Problem("key_name_taken", name=body.name) from None
    row = next(row for row in keys.listed(tx.connection) if row.name == body.name)
    return MadeKey(body.name, list(row.scopes), made)


def list_keys(connection: Connection) -> KeyList:
    """Every key ever made, without the keys themselves."""
    return KeyList([_key(row) for row in keys.listed(connection)])


def revoke_key(tx: Tx, path: KeyPath) -> Key:
    """End a key. From the next request on it opens nothing."""
    try:
        keys.revoke(tx, path.name)
    except keys.KeyRefused:
        raise Problem("unknown_key", name=path.name) from None
    return _key(next(row for row in keys.listed(tx.connection) if row.name == path.name))


def _key(row: keys.KeyRow) -> Key:
    revoked_at = None if row.revoked_us is None else instant(row.revoked_us // 1_000_000)
    return Key(row.name, list(row.scopes), instant(row.created_us // 1_000_000), revoked_at)


ENDPOINTS = (
    Endpoint("GET", "/v1/keys", list_keys, "List the API keys", "Operation", ADMIN),
    Endpoint(
        "POST",
        "/v1/keys",
        create_key,
        "Make an API key",
        "Operation",
        ADMIN,
        writes=True,
        status=201,
        refusals=("key_name_taken",),
    ),
    Endpoint(
        "POST",
        "/v1/keys/{name}/revoke",
        revoke_key,
        "End an API key",
        "Operation",
        ADMIN,
        writes=True,
        refusals=("unknown_key",),
    ),
)
