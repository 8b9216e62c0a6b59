"""Secrets at rest, above all the meters' root keys: wrapped with AES-256-GCM under a key-encryption key in a file.

The associated data is the meter id and wallet generation, so a wrapped key moved to another row does not open. The
database alone opens no frame; losing the key file loses every meter's keys, so it belongs into the backup, apart.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headend.storage.writer import Tx
from protocol.wire.keys import KeySet, derive
from protocol.wire.limits import ROOT_LENGTH

_KEY_BYTES = 32
_NONCE_BYTES = 12
CACHED_METERS = 20_000


class KeyFileRefused(RuntimeError):
    """The key file cannot be used; the message says why."""


class Keyring:
    """Wraps and unwraps root keys. `random_bytes(n)` must be a cryptographic source."""

    def __init__(self, key_file: Path, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        key = _read_or_create(key_file, random_bytes)
        self._aead = AESGCM(key)
        self.kek_id = sha256(b"guelta kek id" + key).hexdigest()[:16]
        self._derive = lru_cache(CACHED_METERS)(derive)

    def wrap(self, owner: bytes, secret: bytes) -> bytes:
        """A secret as it may be stored; it opens only for the same `owner` (the associated data)."""
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, owner)

    def unwrap(self, owner: bytes, wrapped: bytes, kek_id: str) -> bytes:
        """The secret again. Raises KeyFileRefused when this key file did not wrap it for this owner."""
        try:
            plain: bytes = self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], owner)
        except InvalidTag:
            raise KeyFileRefused(f"the keys were wrapped under key {kek_id}, this file holds {self.kek_id}") from None
        return plain

    def new_root(self, tx: Tx, meter_id: bytes, generation: int) -> bytes:
        """Make a fresh root key (SEMANTICS A4), keep it wrapped, and return it once, for provisioning."""
        root = self._random_bytes(ROOT_LENGTH)
        wrapped = self.wrap(_associated(meter_id, generation), root)
        tx.cursor.execute(
            "INSERT INTO meter_key (meter_id, generation, kek_id, wrapped) VALUES (?, ?, ?, ?)",
            (meter_id, generation, self.kek_id, wrapped),
        )
        return root

    def root(self, tx: Tx, meter_id: bytes, generation: int) -> bytes:
        """The root key of a meter. Raises KeyFileRefused when this key file did not wrap it."""
        row = tx.cursor.execute(
            "SELECT kek_id, wrapped FROM meter_key WHERE meter_id = ? AND generation = ?", (meter_id, generation)
        ).fetchone()
        if row is None:
            raise LookupError(f"no key of meter {meter_id.hex()} in generation {generation}")
        return self.unwrap(_associated(meter_id, generation), row[1], row[0])

    def keys_of(self, tx: Tx, meter_id: bytes, generation: int, epoch: int) -> KeySet:
        """The frame keys of a meter."""
        return self._derive(self.root(tx, meter_id, generation), meter_id, generation, epoch)


def _associated(meter_id: bytes, generation: int) -> bytes:
    return meter_id + generation.to_bytes(4, "big")


def _read_or_create(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """The key in the file, made on first use; the file must belong to its owner alone."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(random_bytes(_KEY_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return _read(path)


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise KeyFileRefused(f"{path} can be read by others: chmod 600 {path}")
    text = path.read_text().strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise KeyFileRefused(f"{path} does not hold {2 * _KEY_BYTES} hexadecimal digits")
    return key
