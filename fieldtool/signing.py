"""The tool's own key: Ed25519, made once on the laptop, never leaving it. It signs the records of what was done.

The private half lies in a file of its own, readable by its owner alone; the headend knows the public half from the
enrolment. A copied laptop is a copied technician: the office then enrols a new key and no longer takes the old one.
"""

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SECRET_LENGTH = 32
FINGERPRINT_HEX = 16


class KeyUnsafe(Exception):
    """The key's file is not this user's alone, or holds no key. The argument says which: "mode" or "content"."""


def load_or_make(path: Path) -> Ed25519PrivateKey:
    """The key in `path`; at the first time a new one. Raises KeyUnsafe."""
    if not path.exists():
        _write(path, Ed25519PrivateKey.generate())
    return load(path)


def load(path: Path) -> Ed25519PrivateKey:
    """The key in `path`. Raises KeyUnsafe, or FileNotFoundError before the enrolment."""
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise KeyUnsafe("mode")
        secret = file.read()
    if len(secret) != SECRET_LENGTH:
        raise KeyUnsafe("content")
    return Ed25519PrivateKey.from_private_bytes(secret)


def public_hex(key: Ed25519PrivateKey) -> str:
    """What the headend is told at the enrolment: 32 bytes in hex."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def fingerprint(public: str) -> str:
    """The first 16 hex digits of the SHA-256 of a public key: what two people compare by voice."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:FINGERPRINT_HEX]


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature of `message`, in hex."""
    return key.sign(message).hex()


def is_signed(public: str, signature: str, message: bytes) -> bool:
    """Whether the holder of `public` signed exactly this message."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    """Whole or not at all, and nobody else's to read from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    part = path.with_name(path.name + f".{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # fails where another run of the tool made a key meanwhile: that one is the key then
    except FileExistsError:
        pass
    part.unlink()
