"""Manifests of updates: what is accepted encodes back to the same bytes; no signature but the key's is a signature of
it, and a key or a signature that is none is "no", never an exception (M14, I14, I25)."""

from protocol.compat import p256_verify
from protocol.errors import WireRefused
from protocol.wire import manifest
from protocol.wire.manifest import Manifest
from tests.firmware.release import PUBLIC_KEY, SIGN


def signed() -> bytes:
    """A manifest as a release has it."""
    told = Manifest("qemu-mps2-an385", 10_203, 10_000, 78_000, bytes(range(32)), bytes(64))
    return manifest.encode(told._replace(signature=SIGN(manifest.digest(manifest.encode(told)))))


GENUINE = signed()


def seeds() -> list[bytes]:
    return [GENUINE, GENUINE[:131], manifest.encode(manifest.decode(GENUINE)._replace(hardware="x", min_version=0))]


def one(data: bytes) -> None:
    try:
        told = manifest.decode(data)
    except WireRefused:
        return
    assert manifest.encode(told) == data
    assert len(manifest.digest(data)) == manifest.HASH_LENGTH
    if manifest.signed_part(data) != manifest.signed_part(GENUINE):
        assert p256_verify(PUBLIC_KEY, manifest.digest(data), told.signature) is False, "signed by nobody"
    assert p256_verify(told.signature, told.sha256, told.signature) in (False, True)
