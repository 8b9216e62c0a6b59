"""The tool's own key: Ed25519, made once on the laptop, never leaving it. It signs the records of what was done.

The private half lies in a file of its own, readable by its owner alone; the headend knows the public half from the
enrolment. A copied laptop is a copied technician: the office then enrols a new key and no longer takes the old one.
"""

from __future__ import annotations

import hashlib
import os
import stat

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .refusals import Refusal
from .store import TOOL_KEY, Store

SECRET_LENGTH = 32
FINGERPRINT_HEX = 16


def load_or_make(store: Store) -> Ed25519PrivateKey:
    """The tool's key; at the first time a new one. Raises Refusal: tool_key_open, store_damaged."""
    if store.read_bytes(TOOL_KEY) is None:
        secret = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        store.write_bytes(TOOL_KEY, secret)
    return load(store)


def load(store: Store) -> Ed25519PrivateKey:
    """The tool's key. Raises Refusal: not_enrolled, tool_key_open, store_damaged."""
    secret = store.read_bytes(TOOL_KEY)
    if secret is None:
        raise Refusal("not_enrolled")
    file = store.home / TOOL_KEY
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Refusal("tool_key_open", file=file)
    if len(secret) != SECRET_LENGTH:
        raise Refusal("store_damaged", file=file, why=f"{len(secret)} bytes")
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
