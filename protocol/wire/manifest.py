"""The manifest of an update: for which hardware it is, which version, and the signed hash of the image behind it.

    0    "GLTA"           4
    4    format           1   1
    5    zero             3
    8    hardware         16  ASCII, filled up with NULs
    24   version          4   major x 10000 + minor x 100 + patch
    28   min_version      4   the least version that may be running when it is installed
    32   size             4   bytes of the image
    36   sha256           32  of the image
    68   signature        64  r | s: ECDSA P-256 over the SHA-256 of bytes 0 to 67

An update is a manifest and its image behind it. Numbers are big endian.
"""

from collections import namedtuple

from protocol import errors
from protocol.compat import const, sha256
from protocol.wire.fields import require_bytes, require_integer
from protocol.wire.limits import U32_MAX

LENGTH = const(132)
SIGNED_LENGTH = const(68)
HARDWARE_LENGTH = const(16)
HASH_LENGTH = const(32)
SIGNATURE_LENGTH = const(64)
IMAGE_MAX = const(520192)  # a slot of 512 KB without its first sector

HEAD = b"GLTA\x01\x00\x00\x00"

Manifest = namedtuple("Manifest", ("hardware", "version", "min_version", "size", "sha256", "signature"))


def encode(manifest: Manifest) -> bytes:
    """The 132 bytes. Raises WireRefused."""
    name = manifest.hardware.encode()
    require_bytes(name, 1, HARDWARE_LENGTH, "hardware")
    data: bytes = HEAD + name + bytes(HARDWARE_LENGTH - len(name))
    for value in manifest[1:4]:
        data += require_integer(value, U32_MAX, "number").to_bytes(4, "big")
    data += require_bytes(manifest.sha256, HASH_LENGTH, HASH_LENGTH, "sha256")
    data += require_bytes(manifest.signature, SIGNATURE_LENGTH, SIGNATURE_LENGTH, "signature")
    decode(data)
    return data


def decode(data: bytes) -> Manifest:
    """The manifest that the 132 bytes are. Raises WireRefused. What it says is the signature's to prove, not this."""
    if len(data) != LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "manifest")
    if bytes(data[:8]) != HEAD:
        raise errors.WireRefused(errors.FIELD_RANGE, "format")
    name = bytes(data[8:24])
    while name[-1:] == b"\x00":
        name = name[:-1]
    if not name or min(name) < 0x21 or max(name) > 0x7E:
        raise errors.WireRefused(errors.FIELD_RANGE, "hardware")
    version, min_version, size = [int.from_bytes(data[at : at + 4], "big") for at in (24, 28, 32)]
    if not version or not size:
        raise errors.WireRefused(errors.FIELD_RANGE, "version" if size else "size")
    return Manifest(name.decode(), version, min_version, size, bytes(data[36:68]), bytes(data[68:132]))


def signed_part(data: bytes) -> bytes:
    """What of an encoded manifest the signature is over: its SHA-256 is the digest that is signed."""
    return bytes(data[:SIGNED_LENGTH])


def digest(data: bytes) -> bytes:
    """The digest of an encoded manifest's signed part."""
    return sha256(signed_part(data))
