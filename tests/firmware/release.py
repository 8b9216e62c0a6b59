"""A release key for tests, and updates signed with it or with a stranger's."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.firmware.update_cuts import Maker


def _signer(secret: int) -> tuple[bytes, Callable[[bytes], bytes]]:
    private = ec.derive_private_key(secret, ec.SECP256R1())
    point = private.public_key().public_numbers()

    def sign(digest: bytes) -> bytes:
        r, s = utils.decode_dss_signature(private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"), sign


PUBLIC_KEY, SIGN = _signer(20_270)
_, SIGN_OF_A_STRANGER = _signer(20_271)
MAKER = Maker(PUBLIC_KEY, SIGN)
