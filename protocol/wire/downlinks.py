"""Downlinks, both ways between message and plaintext (docs/SPEC.md, "Downlinks").

STATEMENT, TIME, NACK and COMMAND are CBOR sequences (RFC 8742), all others fields of fixed width. Whatever a decoder
accepts re-encodes to the same bytes. Encoders refuse the same values as decoders.
"""

from protocol import errors
from protocol.compat import TYPE_CHECKING
from protocol.wire import cbor, parts
from protocol.wire.fields import (
    pack_fixed,
    require_bytes,
    require_integer,
    require_integers,
    require_positive,
    require_range,
    unpack_fixed,
)
from protocol.wire.limits import (
    MILLS_MAX,
    NACK_RANGES_MAX,
    PLAINTEXT_DOWN_MAX,
    SLOT_MAX,
    U8_MAX,
    U16_MAX,
    U24_MAX,
    U32_MAX,
    UPDATE_CHUNK_MAX,
    VOLUME_MAX,
)
from protocol.wire.messages import (
    DOWN_COMMAND,
    DOWN_EXTENDED,
    DOWN_KIND_OPENING,
    DOWN_KIND_REKEY,
    DOWN_KIND_UPDATE,
    DOWN_NACK,
    DOWN_PLAN,
    DOWN_POLICY,
    DOWN_STATEMENT,
    DOWN_TARIFF,
    DOWN_TIME,
    Command,
    Fragment,
    Nack,
    Opening,
    Pack,
    Rekey,
    Statement,
    Time,
)

if TYPE_CHECKING:
    from typing import Any

STATEMENT = (
    "number", U32_MAX,
    "credited_mills", MILLS_MAX,
    "debited_mills", MILLS_MAX,
    "log_generation", U32_MAX,
    "acked_slot", SLOT_MAX,
)  # fmt: skip
TIME = (
    "counter", U32_MAX,
    "unix_s", U32_MAX,
)  # fmt: skip
NACK_RANGE = (
    "first_slot", SLOT_MAX,
    "slots", U8_MAX,
)  # fmt: skip
COMMAND = (
    "id", U32_MAX,
    "expires_unix_s", U32_MAX,
    "code", U8_MAX,
    "argument", U32_MAX,
    "limit", U16_MAX,
)  # fmt: skip
OPENING = (
    "generation", U32_MAX, 32,
    "volume_l", VOLUME_MAX, 40,
    "position_l", U32_MAX, 32,
    "month", U16_MAX, 16,
    "day", U16_MAX, 16,
    "holder_slot", SLOT_MAX, 24,
    "credited_mills", MILLS_MAX, 56,
    "debited_mills", MILLS_MAX, 56,
    "number", U32_MAX, 32,
)  # fmt: skip
REKEY = ("epoch", U32_MAX, 32)
FRAGMENT_HEAD = (
    "version", U32_MAX, 32,
    "offset", U24_MAX, 24,
)  # fmt: skip


def encode_down(message: "Any", pack_type: int = DOWN_TARIFF) -> "tuple[int, bytes]":
    """(type, plaintext) of a downlink; a Pack is a tariff, policy or plan by `pack_type`. Raises WireRefused."""
    if isinstance(message, Statement):
        return DOWN_STATEMENT, cbor.encode_sequence(require_integers(message, STATEMENT, "statement"))
    if isinstance(message, Time):
        return DOWN_TIME, cbor.encode_sequence(require_integers(message, TIME, "time"))
    if isinstance(message, Nack):
        _nack((message.log_generation,) + tuple(message.ranges))
        return DOWN_NACK, cbor.encode_sequence((message.log_generation,) + tuple(message.ranges))
    if isinstance(message, Command):
        return DOWN_COMMAND, cbor.encode_sequence(_command(message))
    if isinstance(message, Opening):
        return DOWN_EXTENDED, bytes([DOWN_KIND_OPENING]) + pack_fixed(message, OPENING, "opening")
    if isinstance(message, Rekey):
        return DOWN_EXTENDED, bytes([DOWN_KIND_REKEY]) + pack_fixed(message, REKEY, "rekey")
    if isinstance(message, Fragment):
        chunk = require_bytes(message.chunk, 0, UPDATE_CHUNK_MAX, "chunk")
        return DOWN_EXTENDED, bytes([DOWN_KIND_UPDATE]) + pack_fixed(message[:2], FRAGMENT_HEAD, "fragment") + chunk
    assert isinstance(message, Pack) and pack_type in (DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN)
    return pack_type, parts.encode_part(message)


def decode_down(message_type: int, plaintext: bytes) -> "Any":
    """The downlink that `plaintext` is, as its named tuple. Raises WireRefused."""
    if len(plaintext) > PLAINTEXT_DOWN_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "plaintext")
    if message_type == DOWN_STATEMENT:
        values = cbor.decode_sequence(plaintext, depth_max=0)
        return Statement(*require_integers(values, STATEMENT, "statement"))
    if message_type == DOWN_TIME:
        return Time(*require_integers(cbor.decode_sequence(plaintext, depth_max=0), TIME, "time"))
    if message_type == DOWN_NACK:
        return _nack(cbor.decode_sequence(plaintext, depth_max=1))
    if message_type == DOWN_COMMAND:
        return Command(*_command(cbor.decode_sequence(plaintext, depth_max=0)))
    if message_type == DOWN_EXTENDED:
        return _decode_extended(plaintext)
    if message_type in (DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN):
        return parts.decode_part(plaintext)
    raise errors.WireRefused(errors.TYPE_RESERVED, "type")


def _nack(values: "Any") -> Nack:
    """The NACK of a log generation and 1 to 4 pairs (first slot, slots), ascending."""
    if not 2 <= len(values) <= 1 + NACK_RANGES_MAX:
        raise errors.WireRefused(errors.FIELD_COUNT, "ranges")
    require_integer(values[0], U32_MAX, "log_generation")
    ranges = []
    end_slot = 0
    for pair in values[1:]:
        if not isinstance(pair, (list, tuple)):
            raise errors.WireRefused(errors.FIELD_TYPE, "range")
        first_slot, slots = require_integers(pair, NACK_RANGE, "range")
        require_range(first_slot, slots)
        if first_slot < end_slot:
            raise errors.WireRefused(errors.RANGE_ORDER, "first_slot")
        end_slot = first_slot + slots
        ranges.append((first_slot, slots))
    return Nack(values[0], tuple(ranges))


def _command(values: "Any") -> "list[int]":
    """The integers of a COMMAND; what a code asks of its argument and limit is the meter's to judge."""
    checked = require_integers(values, COMMAND, "command")
    require_positive(checked[0], "id")
    return checked


def _decode_extended(plaintext: bytes) -> "Any":
    """The kind, and what it says."""
    kind = plaintext[0] if plaintext else -1
    if kind == DOWN_KIND_OPENING:
        return Opening(*unpack_fixed(plaintext[1:], OPENING, "opening"))
    if kind == DOWN_KIND_REKEY:
        return Rekey(*unpack_fixed(plaintext[1:], REKEY, "rekey"))
    if kind == DOWN_KIND_UPDATE:  # a plaintext has room for no more than UPDATE_CHUNK_MAX
        return Fragment(*(unpack_fixed(plaintext[1:8], FRAGMENT_HEAD, "fragment") + [bytes(plaintext[8:])]))
    raise errors.WireRefused(errors.KIND_UNKNOWN, "kind")
