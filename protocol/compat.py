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
    import struct
    from functools import lru_cache
    from operator import attrgetter

    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    def const(value: int) -> int:
        """A compile-time constant on MicroPython; here, the value itself."""
        return value

    @lru_cache(16)
    def _layout(widths: "tuple[int, ...]") -> "tuple[struct.Struct, tuple[slice, ...], int]":
        """How to write numbers of these widths in one go: wider ones first, then what of those stays; and a mask of the
        bits that do not."""
        form, kept, mask, at = ">", [slice(0, 0)], 0, 0
        for width in widths:
            wider = 1 if width == 1 else 2 if width == 2 else 4 if width <= 4 else 8
            form += {1: "B", 2: "H", 4: "I", 8: "Q"}[wider]
            mask = mask << 8 * wider | ((1 << 8 * (wider - width)) - 1) << 8 * width
            begin, at = at + wider - width, at + wider
            kept = kept[:-1] + [slice(kept[-1].start, at)] if kept[-1].stop == begin else kept + [slice(begin, at)]
        return struct.Struct(form), tuple(kept), mask

    def add_fixed(parts: "list[bytes]", values: "tuple[int, ...]", widths: "tuple[int, ...]") -> None:
        """Add to `parts` the values, each in so many bytes, big endian. OverflowError for one that is wider."""
        form, kept, mask = _layout(widths)
        try:
            packed = form.pack(*values)
            fits = not int.from_bytes(packed, "big") & mask
        except struct.error:
            fits = False
        if fits:
            parts += [packed[part] for part in kept]
        else:
            parts += [value.to_bytes(width, "big") for value, width in zip(values, widths, strict=True)]

    @lru_cache(4)
    def _columns(table: "tuple[str | int, ...]") -> "tuple[Callable[[object], tuple[int, ...]], tuple[int, ...]]":
        """(what reads the attributes, their widths) of a table that `add_numbers` was given."""
        return attrgetter(*table[::2]), table[1::2]  # type: ignore[arg-type, return-value]

    def add_numbers(parts: "list[bytes]", holder: object, table: "tuple[str | int, ...]") -> None:
        """The same of the attributes of `holder` that a flat table of names and widths lists."""
        read, widths = _columns(table)
        add_fixed(parts, read(holder), widths)

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

    def add_fixed(parts: "list[bytes]", values: "tuple[int, ...]", widths: "tuple[int, ...]") -> None:
        for at in range(len(widths)):
            parts.append(values[at].to_bytes(widths[at], "big"))

    def add_numbers(parts: "list[bytes]", holder: object, table: "tuple[str | int, ...]") -> None:
        for at in range(0, len(table), 2):
            parts.append(getattr(holder, table[at]).to_bytes(table[at + 1], "big"))

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
