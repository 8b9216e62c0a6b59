"""Providers: who may bring money, between which amounts, and the secrets they sign with, wrapped at rest.

A secret is shown once, when it is made. While a provider changes over, the old and the new one are both good; retiring
ends the old one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from headend.api.problems import Problem
from headend.meters.keyring import Keyring
from headend.payments.amounts import AMOUNT_MINOR_MAX
from headend.payments.signature import SECRET_BYTES, secret_text
from headend.storage.writer import Tx

SECRETS_MAX = 2

_NAME = re.compile(r"^[a-z][a-z0-9-]{1,39}(?![\s\S])")


class ProviderRefused(ValueError):
    """A provider command that changed nothing; the message names the field and the remedy."""


@dataclass(frozen=True)
class Limits:
    """What one payment of this provider may be, in minor units of the books' currency."""

    minimum_minor: int
    ceiling_minor: int
    currency: str
    exponent: int


@dataclass(frozen=True)
class ProviderRow:
    """One line of `guelta provider list`."""

    name: str
    minimum_minor: int
    ceiling_minor: int
    secrets: int


def add(
    tx: Tx, keyring: Keyring, random: Callable[[int], bytes], name: str, minimum_minor: int, ceiling_minor: int
) -> str:
    """Register a provider and return its first secret as text, the only time it is seen."""
    if _NAME.match(name) is None:
        raise ProviderRefused(f"name {name!r}: use 2 to 40 lower-case letters, digits or '-', a letter first")
    if not 1 <= minimum_minor <= ceiling_minor <= AMOUNT_MINOR_MAX:
        raise ProviderRefused("minimum and ceiling: give 1 <= minimum <= ceiling <= 10^12 minor units")
    if tx.cursor.execute("SELECT 1 FROM provider WHERE name = ?", (name,)).fetchone() is not None:
        raise ProviderRefused(f"name {name!r} is registered: use 'guelta provider rotate {name}' for a new secret")
    tx.cursor.execute(
        "INSERT INTO provider (name, minimum_minor, ceiling_minor, created_us) VALUES (?, ?, ?, ?)",
        (name, minimum_minor, ceiling_minor, tx.now_us),
    )
    return _new_secret(tx, keyring, random, name)


def rotate(tx: Tx, keyring: Keyring, random: Callable[[int], bytes], name: str) -> str:
    """A second secret beside the first; both are good until `retire`."""
    if len(_live(tx, name)) >= SECRETS_MAX:
        raise ProviderRefused(f"name {name!r} has {SECRETS_MAX} secrets: use 'guelta provider retire {name}' first")
    return _new_secret(tx, keyring, random, name)


def retire(tx: Tx, name: str) -> None:
    """End the older of two secrets."""
    live = _live(tx, name)
    if len(live) < SECRETS_MAX:
        raise ProviderRefused(f"name {name!r} has one secret: use 'guelta provider rotate {name}' before retiring it")
    tx.cursor.execute("UPDATE provider_secret SET retired_us = ? WHERE id = ?", (tx.now_us, live[0]))


def listed(connection: Connection) -> list[ProviderRow]:
    """All providers by name."""
    query = text(
        "SELECT name, minimum_minor, ceiling_minor, (SELECT count(*) FROM provider_secret s "
        "WHERE s.provider_id = p.id AND s.retired_us IS NULL) AS secrets FROM provider p ORDER BY name"
    )
    return [
        ProviderRow(row.name, row.minimum_minor, row.ceiling_minor, row.secrets) for row in connection.execute(query)
    ]


def secrets_of(connection: Connection, keyring: Keyring, name: str) -> list[bytes]:
    """The secrets that are good now. Problem `unknown_provider`."""
    query = text(
        "SELECT s.kek_id, s.wrapped FROM provider p JOIN provider_secret s ON s.provider_id = p.id "
        "WHERE p.name = :name AND s.retired_us IS NULL ORDER BY s.id"
    )
    rows = connection.execute(query, {"name": name}).all()
    if not rows:
        raise Problem("unknown_provider", provider=name[:40])
    return [keyring.unwrap(_label(name), bytes(row.wrapped), row.kek_id) for row in rows]


def limits_of(connection: Connection, name: str) -> Limits:
    """The provider's limits, in the currency of the books. Problem `unknown_provider`."""
    query = text(
        "SELECT minimum_minor, ceiling_minor, currency, exponent FROM provider, utility WHERE provider.name = :name"
    )
    row = connection.execute(query, {"name": name}).one_or_none()
    if row is None:
        raise Problem("unknown_provider", provider=name[:40])
    return Limits(row.minimum_minor, row.ceiling_minor, row.currency, row.exponent)


def _new_secret(tx: Tx, keyring: Keyring, random: Callable[[int], bytes], name: str) -> str:
    secret = random(SECRET_BYTES)
    tx.cursor.execute(
        "INSERT INTO provider_secret (provider_id, kek_id, wrapped, created_us, retired_us) "
        "VALUES ((SELECT id FROM provider WHERE name = ?), ?, ?, ?, NULL)",
        (name, keyring.kek_id, keyring.wrap(_label(name), secret), tx.now_us),
    )
    return secret_text(secret)


def _live(tx: Tx, name: str) -> list[int]:
    """The ids of the secrets in use, oldest first."""
    rows = tx.cursor.execute(
        "SELECT s.id FROM provider p JOIN provider_secret s ON s.provider_id = p.id "
        "WHERE p.name = ? AND s.retired_us IS NULL ORDER BY s.id",
        (name,),
    ).fetchall()
    if not rows:
        raise ProviderRefused(f"name {name!r} is not registered: use 'guelta provider add {name}'")
    return [int(row[0]) for row in rows]


def _label(name: str) -> bytes:
    """Binds a wrapped secret to its provider: moved to another row, it does not open."""
    return b"provider/" + name.encode()
