"""A release key for tests, and updates signed with it or with a stranger's."""

import hashlib
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from protocol.wire import manifest

_OURS = ec.derive_private_key(20_270, ec.SECP256R1())
_STRANGER = ec.derive_private_key(20_271, ec.SECP256R1())
_POINT = _OURS.public_key().public_numbers()
PUBLIC_KEY = _POINT.x.to_bytes(32, "big") + _POINT.y.to_bytes(32, "big")


def image_of(version: int, size: int) -> bytes:
    """Bytes that no other version has."""
    return b"".join(hashlib.sha256(b"%d %d" % (version, at)).digest() for at in range(-(-size // 32)))[:size]


@cache
def update(
    version: int,
    size: int = 1000,
    hardware: str = "unix",
    min_version: int = 0,
    *,
    stranger: bool = False,
    told_size: int | None = None,
) -> bytes:
    """The file: manifest and image. `told_size` is what the manifest says, where it lies."""
    image = image_of(version, size)
    digest = hashlib.sha256(image).digest()
    told = manifest.Manifest(hardware, version, min_version, told_size or size, digest, bytes(64))
    signed_part = manifest.signed_part(manifest.encode(told))
    key = _STRANGER if stranger else _OURS
    r, s = utils.decode_dss_signature(key.sign(signed_part, ec.ECDSA(hashes.SHA256())))
    return signed_part + r.to_bytes(32, "big") + s.to_bytes(32, "big") + image
