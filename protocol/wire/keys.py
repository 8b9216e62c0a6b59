"""The key schedule: per meter, wallet generation and key epoch, one key per direction and a common IV.

HKDF-SHA256 (RFC 5869) with OSCORE's info structure (RFC 8613 §3.2.1). The wallet generation is mixed in, so a frame of
one generation can never be read under another (SEMANTICS A4); so are all 32 bits of the epoch, 3 of them on air (D4).
"""

from collections import namedtuple

from protocol import errors
from protocol.compat import const, hmac_sha256
from protocol.wire import cbor
from protocol.wire.limits import METER_ID_LENGTH, ROOT_LENGTH, U32_MAX

ALGORITHM = const(10)  # AES-CCM-16-64-128 in the COSE registry (RFC 9053 §4.2)
KEY_LENGTH = const(16)
IV_LENGTH = const(13)
SALT = b"guelta1"

# The sender ids of RFC 8613: who seals. The common IV belongs to neither.
SENDER_UP = b"\x00"
SENDER_DOWN = b"\x01"
SENDER_NONE = b""

# meter_id 8 bytes; generation and epoch 0..2^32−1; up_key and down_key 16 bytes; common_iv 13 bytes.
KeySet = namedtuple("KeySet", ("meter_id", "generation", "epoch", "up_key", "down_key", "common_iv"))


def expand(secret: bytes, salt: bytes, sender: bytes, id_context: "bytes | None", use: str, length: int) -> bytes:
    """HKDF(salt, secret, info = [sender, id_context, 10, use, length]) of `length` ≤ 32 bytes (RFC 8613 §3.2.1)."""
    info = cbor.encode([sender, id_context, ALGORITHM, use, length])
    return hmac_sha256(hmac_sha256(salt, secret), info + b"\x01")[:length]


def derive(root: bytes, meter_id: bytes, generation: int, epoch: int) -> KeySet:
    """The keys of `meter_id` from its 16-byte root. Raises WireRefused on a wrong length or range."""
    if len(root) != ROOT_LENGTH:
        raise errors.WireRefused(errors.KEY_LENGTH, "root")
    if len(meter_id) != METER_ID_LENGTH:
        raise errors.WireRefused(errors.KEY_LENGTH, "meter_id")
    if not 0 <= generation <= U32_MAX:
        raise errors.WireRefused(errors.FIELD_RANGE, "generation")
    if not 0 <= epoch <= U32_MAX:
        raise errors.WireRefused(errors.FIELD_RANGE, "epoch")
    id_context = bytes(meter_id) + generation.to_bytes(4, "big") + epoch.to_bytes(4, "big")
    return KeySet(
        bytes(meter_id),
        generation,
        epoch,
        expand(root, SALT, SENDER_UP, id_context, "Key", KEY_LENGTH),
        expand(root, SALT, SENDER_DOWN, id_context, "Key", KEY_LENGTH),
        expand(root, SALT, SENDER_NONE, id_context, "IV", IV_LENGTH),
    )


def nonce(common_iv: bytes, sender: bytes, counter: int) -> bytes:
    """The 13-byte nonce of RFC 8613 §5.2: length of id, id padded to 7, counter padded to 5, joined with the IV."""
    plain = bytes([len(sender)]) + bytes(7 - len(sender)) + sender + counter.to_bytes(5, "big")
    return (int.from_bytes(plain, "big") ^ int.from_bytes(common_iv, "big")).to_bytes(IV_LENGTH, "big")
