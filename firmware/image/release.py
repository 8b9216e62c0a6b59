"""Release keys and signed updates: what the owner of a fleet keeps, and what a technician is handed. Host-side.

The private key is a PEM file that only its owner reads; beside it stands the public key, as the 128 hexadecimal digits
(x | y) that go into a factory image or to a Unix meter. An update is a manifest and its image behind it; the meter's
loader believes the signature, nothing else (docs/adr/0071).
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from firmware.image.elf import Image
from firmware.image.sources import FirmwareFailed
from firmware.version import STATE_READ_SINCE
from protocol.compat import sha256
from protocol.errors import WireRefused
from protocol.wire import manifest

DEVELOPMENT_KEY, KEYED_IMAGE = "development.pem", "meter-keyed.elf"
IMAGE_HARDWARE, UPDATE_AT = "qemu-mps2", 0x00100000
_KEY_BYTES = 64
_VERSION_WORD, _RESET_WORD = 28, 4  # of the vector table (port/startup.c)
_PARTS_BELOW = (400_000, 100, 100)


class ReleaseRefused(FirmwareFailed):
    """What cannot be signed, or with what; `code` is a name in bench/release_texts.py, `values` what it tells."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(f"{code}: {', '.join(f'{name} {value}' for name, value in values.items())}")
        self.code = code
        self.values = values


def version_number(text: str) -> int:
    """1.2.3 → 10203, as the wire tells a version."""
    parts = text.split(".")
    if len(parts) != len(_PARTS_BELOW) or not all(part.isascii() and part.isdigit() for part in parts):
        raise ReleaseRefused("version", version=text)
    numbers = [int(part) for part in parts]
    if not any(numbers) or any(number >= below for number, below in zip(numbers, _PARTS_BELOW, strict=True)):
        raise ReleaseRefused("version", version=text)
    return numbers[0] * 10_000 + numbers[1] * 100 + numbers[2]


def version_text(number: int) -> str:
    """10203 → 1.2.3"""
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def public_file(key: Path) -> Path:
    """Where the public part of a private key stands."""
    return key.with_name(key.name + ".pub")


def new_key(path: Path) -> bytes:
    """Make a release key: `path` with mode 0600, and its public part beside it. Returns the public part."""
    made = ec.generate_private_key(ec.SECP256R1())
    text = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    except FileExistsError:
        raise ReleaseRefused("key_exists", key=path) from None
    except OSError as failed:
        raise ReleaseRefused("key_unwritten", key=path, why=failed.strerror) from None
    public_file(path).write_text(public_key(made).hex() + "\n")
    return public_key(made)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in a PEM file that nobody else may read."""
    try:
        text = path.read_bytes()
    except OSError:
        raise ReleaseRefused("key_missing", key=path) from None
    if path.stat().st_mode & 0o077:
        raise ReleaseRefused("key_open", key=path)
    try:
        key = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ReleaseRefused("key_kind", key=path) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ReleaseRefused("key_kind", key=path)
    return key


def read_public(path: Path) -> bytes:
    """The public key in a file that `new_key` wrote: a point of the curve, x | y."""
    try:
        key = bytes.fromhex(path.read_text())
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    except OSError:
        raise ReleaseRefused("public_missing", key=path) from None
    except ValueError:
        raise ReleaseRefused("public_kind", key=path) from None
    return key


def update(image: bytes, key: ec.EllipticCurvePrivateKey, hardware: str, version: int, min_version: int) -> bytes:
    """The signed manifest and the image behind it."""
    if not 0 < len(image) <= manifest.IMAGE_MAX:
        raise ReleaseRefused("image_size", size=len(image), most=manifest.IMAGE_MAX)
    if not STATE_READ_SINCE <= min_version <= version:
        least, most = version_text(STATE_READ_SINCE), version_text(version)
        raise ReleaseRefused("min_version", version=version_text(min_version), least=least, most=most)
    unsigned = manifest.Manifest(hardware, version, min_version, len(image), sha256(image), bytes(64))
    try:
        signed_part = manifest.signed_part(manifest.encode(unsigned))
    except (WireRefused, UnicodeEncodeError):
        raise ReleaseRefused("hardware", hardware=hardware) from None
    r, s = utils.decode_dss_signature(key.sign(signed_part, ec.ECDSA(hashes.SHA256())))
    return manifest.encode(unsigned._replace(signature=r.to_bytes(32, "big") + s.to_bytes(32, "big"))) + image


def check_image(image: bytes, hardware: str, version: int) -> None:
    """For this board's image: it is linked where the loader puts it, and is the release it is signed as."""
    if hardware != IMAGE_HARDWARE:
        return
    begins_at = int.from_bytes(image[_RESET_WORD : _RESET_WORD + 4], "little")
    if not UPDATE_AT < begins_at < UPDATE_AT + len(image):
        raise ReleaseRefused("image_kind")
    found = int.from_bytes(image[_VERSION_WORD : _VERSION_WORD + 4], "little")
    if found != version:
        raise ReleaseRefused("image_version", found=version_text(found), version=version_text(version))


def keyed(image: Path, key: bytes) -> bytes:
    """The factory's image with the public key of those whose updates it takes."""
    assert len(key) == _KEY_BYTES
    return Image(image).with_bytes("release_key", key)


def develop(folder: Path, image: str) -> None:
    """In a build folder: a key for development, made once, and the image that takes updates signed with it."""
    key = folder / DEVELOPMENT_KEY
    if not key.exists():
        new_key(key)
    content = keyed(folder / image, public_key(read_key(key)))
    target = folder / KEYED_IMAGE
    if not target.is_file() or target.read_bytes() != content:
        half = target.with_name(target.name + ".part")
        half.write_bytes(content)
        half.replace(target)


def public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public part, x | y."""
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
