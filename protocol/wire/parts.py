"""TARIFF, POLICY and PLAN in one frame or in parts: one format for the three (docs/SPEC.md, "Packs").

A body of up to 34 bytes goes whole. A longer one goes in 2 to 8 parts, each with the hash of the whole body; it acts
once all are there and the hash checks (SEMANTICS B4). There is one way to cut a body.
"""

from protocol import errors
from protocol.compat import const, sha256
from protocol.wire.fields import pack_fixed, require_bytes, unpack_fixed
from protocol.wire.limits import BODY_MAX, PACK_CHUNK, PACK_PARTS_MAX, SLOT_MAX, U16_MAX, WHOLE_BODY_MAX
from protocol.wire.messages import Pack

PACK_HEAD = (
    "version", U16_MAX, 16,
    "from_slot", SLOT_MAX, 24,
)  # fmt: skip
_HEAD_LENGTH = const(5)
_HASH_LENGTH = const(4)


def whole_pack(version: int, from_slot: int, body: bytes) -> Pack:
    """The pack that carries all of `body` (at most 34 bytes) in one frame."""
    return Pack(version, from_slot, 0, 1, sha256(body)[:_HASH_LENGTH], bytes(body))


def pack_parts(version: int, from_slot: int, body: bytes) -> "tuple[Pack, ...]":
    """The parts of `body` (1 to 240 bytes) in order, a single one if it fits a frame. Raises WireRefused."""
    body = require_bytes(body, 1, BODY_MAX, "body")
    if len(body) <= WHOLE_BODY_MAX:
        return (whole_pack(version, from_slot, body),)
    chunks = [body[start : start + PACK_CHUNK] for start in range(0, len(body), PACK_CHUNK)]
    hash4 = sha256(body)[:_HASH_LENGTH]
    return tuple([Pack(version, from_slot, at, len(chunks), hash4, chunk) for at, chunk in enumerate(chunks)])


def join_parts(parts: "tuple[Pack, ...]") -> bytes:
    """The body of all parts of one pack, in order of their index. Raises WireRefused when the hash is another."""
    body = b"".join([part.chunk for part in parts])
    if sha256(body)[:_HASH_LENGTH] != parts[0].hash4:
        raise errors.WireRefused(errors.PACK_HASH, "hash4")
    return body


def encode_part(pack: Pack) -> bytes:
    """version 2 | from_slot 3 | index and count 1 | hash4 4, unless whole | chunk. Raises WireRefused."""
    head = pack_fixed((pack.version, pack.from_slot), PACK_HEAD, "pack")
    part = _require_part(pack.index, pack.count)
    chunk = _require_chunk(pack)
    if pack.count > 1:
        return head + part + require_bytes(pack.hash4, _HASH_LENGTH, _HASH_LENGTH, "hash4") + chunk
    if pack.hash4 != sha256(chunk)[:_HASH_LENGTH]:
        raise errors.WireRefused(errors.PACK_HASH, "hash4")
    return head + part + chunk


def decode_part(plaintext: bytes) -> Pack:
    """A part, or a whole pack: its hash is not on air, since the frame's tag covers the body. Raises WireRefused."""
    if len(plaintext) <= _HEAD_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "pack")
    version, from_slot = unpack_fixed(plaintext[:_HEAD_LENGTH], PACK_HEAD, "pack")
    index = plaintext[_HEAD_LENGTH] >> 4
    count = (plaintext[_HEAD_LENGTH] & 15) + 1
    _require_part(index, count)
    rest = plaintext[_HEAD_LENGTH + 1 :]
    if count == 1:
        pack = whole_pack(version, from_slot, rest)
    else:
        pack = Pack(version, from_slot, index, count, rest[:_HASH_LENGTH], rest[_HASH_LENGTH:])
    _require_chunk(pack)
    return pack


def _require_part(index: int, count: int) -> bytes:
    """The byte index << 4 | count - 1, if there may be such a part. Raises WireRefused."""
    if not 0 <= index < count <= PACK_PARTS_MAX:
        raise errors.WireRefused(errors.PACK_FRAGMENT, "part")
    return bytes([index << 4 | count - 1])


def _require_chunk(pack: Pack) -> bytes:
    """The chunk, if it is as long as the one way of cutting makes it. Raises WireRefused."""
    if pack.count == 1:
        return require_bytes(pack.chunk, 1, WHOLE_BODY_MAX, "chunk")
    if pack.index < pack.count - 1:
        return require_bytes(pack.chunk, PACK_CHUNK, PACK_CHUNK, "chunk")
    # A body that fits one frame goes whole, so that no body has two forms.
    least = WHOLE_BODY_MAX - PACK_CHUNK + 1 if pack.count == 2 else 1
    return require_bytes(pack.chunk, least, PACK_CHUNK, "chunk")
