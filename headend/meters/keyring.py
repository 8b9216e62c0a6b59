"""Secrets at rest, above all the meters' root keys: wrapped with AES-256-GCM under a key-encryption key in a file.

The associated data is the meter id and wallet generation, so a wrapped key moved to another row does not open. The
database alone opens no frame; losing the key file loses every meter's keys, so it belongs into the backup, apart.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headend.meters import key_file
from headend.meters.key_file import KeyFileRefused as KeyFileRefused
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.wire.keys import KeySet, derive
from protocol.wire.limits import ROOT_LENGTH

_NONCE_BYTES = 12
CACHED_METERS = 20_000


class Keyring:
    """Wraps and unwraps secrets with the key in a file, which is made if it is not there.

    `random_bytes(n)` must be a cryptographic source. Where a database may hold wrapped keys, use `open_keyring`.
    """

    def __init__(self, path: Path, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        if not path.exists():
            key_file.create(path, random_bytes)
        key = key_file.read(path)
        self._aead = AESGCM(key)
        self.kek_id = key_file.id_of(key)
        self._derive = lru_cache(CACHED_METERS)(derive)

    @classmethod
    def existing(cls, path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> "Keyring":
        """The keyring of a file that must be there. Raises KeyFileRefused."""
        key_file.read(path)
        return cls(path, random_bytes)

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
        self.keep_root(tx, meter_id, generation, root)
        return root

    def keep_root(self, tx: Tx, meter_id: bytes, generation: int, root: bytes) -> None:
        """Keep a root key that was made before, wrapped."""
        wrapped = self.wrap(associated(meter_id, generation), root)
        tx.cursor.execute(
            "INSERT INTO meter_key (meter_id, generation, kek_id, wrapped) VALUES (?, ?, ?, ?)",
            (meter_id, generation, self.kek_id, wrapped),
        )

    def root(self, tx: Tx, meter_id: bytes, generation: int) -> bytes:
        """The root key of a meter. Raises KeyFileRefused when this key file did not wrap it."""
        row = tx.cursor.execute(
            "SELECT kek_id, wrapped FROM meter_key WHERE meter_id = ? AND generation = ?", (meter_id, generation)
        ).fetchone()
        if row is None:
            raise LookupError(f"no key of meter {meter_id.hex()} in generation {generation}")
        return self.unwrap(associated(meter_id, generation), row[1], row[0])

    def keys_of(self, tx: Tx, meter_id: bytes, generation: int, epoch: int) -> KeySet:
        """The frame keys of a meter."""
        which = (self.kek_id, meter_id, generation, epoch)
        return tx.remembered.recall(Topic.KEYS, which, lambda: self._derive(self.root(tx, *which[1:3]), *which[1:]))


def associated(meter_id: bytes, generation: int) -> bytes:
    """What a root key is bound to."""
    return meter_id + generation.to_bytes(4, "big")
