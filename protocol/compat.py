"""What differs between CPython and MicroPython, and nothing else: the one file that asks which interpreter runs it.

CPython takes AES, AES-CCM and ECDSA from `cryptography`; MicroPython has an AES block in `cryptolib`, and wire/ccm.py
builds CCM over it. Both give the same bytes (tests/dual). SHA-256 comes from `hashlib` on both; HMAC (RFC 2104) is
written here, because MicroPython has no `hmac` module.
"""

import hashlib
import sys

from protocol.wire import ccm

TYPE_CHECKING = False

ON_MICROPYTHON = sys.implementation.name == "micropython"

TAG_LENGTH = 8

# Compare two secrets in time that depends on their length only.
equal = ccm.equal

_HASH_BLOCK = 64
_INNER_PAD = 0x36
_OUTER_PAD = 0x5C

if TYPE_CHECKING:
    from typing import Callable


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 of `data` (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The 32-byte HMAC-SHA256 of `data` under `key` (RFC 2104)."""
    if len(key) > _HASH_BLOCK:
        key = sha256(key)
    key = key + bytes(_HASH_BLOCK - len(key))
    inner = sha256(bytes([byte ^ _INNER_PAD for byte in key]) + data)
    return sha256(bytes([byte ^ _OUTER_PAD for byte in key]) + inner)


if TYPE_CHECKING or not ON_MICROPYTHON:
    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    def const(value: int) -> int:
        """A compile-time constant on MicroPython; here, the value itself."""
        return value

    def aes_block(key: bytes) -> "Callable[[bytes], bytes]":
        """The AES-128 encryption of one 16-byte block under `key` (FIPS 197)."""
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

    def ccm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """AES-CCM-16-64-128 (RFC 9053 §4.2): ciphertext and 8-byte tag; the nonce has 13 bytes."""
        return AESCCM(key, tag_length=TAG_LENGTH).encrypt(nonce, plaintext, aad)

    def ccm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> "bytes | None":
        """The plaintext of `sealed`, or None when the tag is wrong."""
        if len(sealed) < TAG_LENGTH:
            return None
        try:
            return AESCCM(key, tag_length=TAG_LENGTH).decrypt(nonce, sealed, aad)
        except InvalidTag:
            return None

    def p256_verify(key: bytes, digest: bytes, signature: bytes) -> "bool | None":
        """Whether `signature` (r | s, 64 bytes) is `key`'s (x | y, 64 bytes) of a message whose SHA-256 is `digest`.

        ECDSA on P-256 (FIPS 186-5). A key that is no point of the curve signs nothing. None: nobody here can verify.
        """
        parts = [int.from_bytes(part, "big") for part in (key[:32], key[32:], signature[:32], signature[32:])]
        try:
            public = ec.EllipticCurvePublicNumbers(parts[0], parts[1], ec.SECP256R1()).public_key()
            told = utils.encode_dss_signature(parts[2], parts[3])
            public.verify(told, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except (InvalidSignature, ValueError):
            return False
        return True

else:
    import micropython
    from cryptolib import aes

    const = micropython.const

    def aes_block(key: bytes) -> "Callable[[bytes], bytes]":
        return aes(key, 1).encrypt  # 1 is ECB

    def ccm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return ccm.seal(aes_block(key), nonce, plaintext, aad, TAG_LENGTH)

    def ccm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> "bytes | None":
        return ccm.open_sealed(aes_block(key), nonce, sealed, aad, TAG_LENGTH)

    def p256_verify(key: bytes, digest: bytes, signature: bytes) -> "bool | None":
        try:
            import p256  # of firmware/boards/cmodules: in the image and in the interpreter built with it
        except ImportError:
            return None
        return p256.verify(key, digest, signature)
