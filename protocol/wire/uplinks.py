"""Uplinks, both ways between message and plaintext (docs/SPEC.md, "Uplinks").

EVENT and DEVICE are CBOR sequences (RFC 8742), all others fields of fixed width. Whatever a decoder accepts re-encodes
to the same bytes. Encoders refuse the same values as decoders.
"""

from protocol import errors
from protocol.compat import TYPE_CHECKING
from protocol.wire import cbor, log_codec
from protocol.wire.fields import pack_fixed, require_integers, require_positive, require_range, unpack_fixed
from protocol.wire.limits import (
    EVENTS_MAX,
    LOG_HEAD_LENGTH,
    MILLS_MAX,
    PLAINTEXT_UP_MAX,
    RANGE_SLOTS_MAX,
    REMAINDER_MAX,
    SLOT_MAX,
    SLOTS_PER_DAY,
    U8_MAX,
    U16_MAX,
    U24_MAX,
    U32_MAX,
    VOLUME_MAX,
)
from protocol.wire.messages import (
    UP_ANCHOR,
    UP_DAY,
    UP_DEVICE,
    UP_EVENT,
    UP_EXTENDED,
    UP_GAP,
    UP_KIND_RESULT,
    UP_KIND_UPDATE,
    UP_POLL,
    UP_RANGE,
    Anchor,
    Day,
    Device,
    Event,
    EventEntry,
    Gap,
    Poll,
    Progress,
    Range,
    Result,
)

if TYPE_CHECKING:
    from typing import Any

LOG_HEAD = (
    "log_generation2", 3, 2,
    "slot14", 0x3FFF, 14,
    "volume16_l", U16_MAX, 16,
    "spent24_mills", U24_MAX, 24,
    "instalments6", 63, 6,
    "statement6", 63, 6,
    "pack4", 15, 4,
    "status", U8_MAX, 8,
)  # fmt: skip
ANCHOR = (
    "slot", SLOT_MAX, 32,
    "volume_l", VOLUME_MAX, 40,
    "credited_mills", MILLS_MAX, 56,
    "debited_mills", MILLS_MAX, 56,
    "spent_mills", MILLS_MAX, 56,
    "collected_mills", MILLS_MAX, 56,
    "log_generation2", 3, 2,
    "remainder", REMAINDER_MAX, 14,
    "status", U8_MAX, 8,
)  # fmt: skip
GAP = (
    "first_slot", SLOT_MAX, 24,
    "slots", U16_MAX, 16,
    "volume_l", VOLUME_MAX, 40,
    "volume24_l", U24_MAX, 24,
    "spent_mills", MILLS_MAX, 56,
    "spent24_mills", U24_MAX, 24,
    "collected_mills", MILLS_MAX, 56,
    "collected24_mills", U24_MAX, 24,
    "position_l", U32_MAX, 32,
    "log_generation2", 3, 2,
    "remainder", REMAINDER_MAX, 14,
    "instalments6", 63, 8,
)  # fmt: skip
RESULT = (
    "id", U32_MAX, 32,
    "code", U8_MAX, 8,
    "outcome", U8_MAX, 8,
    "at_unix_s", U32_MAX, 32,
)  # fmt: skip
PROGRESS = (
    "version", U32_MAX, 32,
    "next_offset", U24_MAX, 24,
    "state", U8_MAX, 8,
    "outcome", U8_MAX, 8,
)  # fmt: skip
EVENT_ENTRY = (
    "event_no", U32_MAX,
    "at_unix_s", U32_MAX,
    "code", U8_MAX,
    "argument", MILLS_MAX,
)  # fmt: skip
DEVICE = (
    "log_generation", U32_MAX,
    "instalments", U32_MAX,
    "statement", U32_MAX,
    "acked_slot", SLOT_MAX,
    "pack_version", U16_MAX,
    "policy_version", U16_MAX,
    "plan_version", U16_MAX,
    "boot_count", U32_MAX,
    "reset_cause", U8_MAX,
    "battery_mv", U16_MAX,
    "firmware_version", U32_MAX,
    "command", U32_MAX,
    "report_slots", U8_MAX,
    "flags", U8_MAX,
)  # fmt: skip


def encode_up(message: "Any", phase: int = 0) -> "tuple[int, bytes]":
    """(type, plaintext) of an uplink; `phase`: local half-hour of a log's first slot. Raises WireRefused."""
    if isinstance(message, Day):
        if len(message.litres) != SLOTS_PER_DAY:
            raise errors.WireRefused(errors.FIELD_LENGTH, "litres")
        return UP_DAY, _fit(_log_head(message) + log_codec.encode(message.litres, phase))
    if isinstance(message, Range):
        log = log_codec.encode(message.litres, phase)
        return UP_RANGE, _fit(_log_head(message) + bytes([len(message.litres)]) + log)
    if isinstance(message, Poll):
        return UP_POLL, b""
    if isinstance(message, Event):
        if not 1 <= len(message.events) <= EVENTS_MAX:
            raise errors.WireRefused(errors.FIELD_COUNT, "events")
        return UP_EVENT, cbor.encode_sequence([require_integers(e, EVENT_ENTRY, "event") for e in message.events])
    if isinstance(message, Anchor):
        return UP_ANCHOR, pack_fixed(message, ANCHOR, "anchor")
    if isinstance(message, Gap):
        plaintext = pack_fixed(message, GAP, "gap")
        require_range(message.first_slot, message.slots)
        return UP_GAP, plaintext
    if isinstance(message, Result):
        plaintext = pack_fixed(message, RESULT, "result")
        require_positive(message.id, "id")
        return UP_EXTENDED, bytes([UP_KIND_RESULT]) + plaintext
    if isinstance(message, Progress):
        return UP_EXTENDED, bytes([UP_KIND_UPDATE]) + pack_fixed(message, PROGRESS, "progress")
    assert isinstance(message, Device)
    return UP_DEVICE, cbor.encode_sequence(require_integers(message, DEVICE, "device"))


def decode_up(message_type: int, plaintext: bytes, phase: int = 0) -> "Any":
    """The uplink that `plaintext` is, as its named tuple. Raises WireRefused."""
    if len(plaintext) > PLAINTEXT_UP_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "plaintext")
    if message_type == UP_DAY:
        litres = log_codec.decode(plaintext[LOG_HEAD_LENGTH:], SLOTS_PER_DAY, phase)
        return Day(*(read_log_head(plaintext) + (litres,)))
    if message_type == UP_RANGE:
        return _decode_range(plaintext, phase)
    if message_type == UP_POLL:
        if plaintext:
            raise errors.WireRefused(errors.FIELD_LENGTH, "poll")
        return Poll()
    if message_type == UP_EVENT:
        return _decode_event(plaintext)
    if message_type == UP_ANCHOR:
        return Anchor(*unpack_fixed(plaintext, ANCHOR, "anchor"))
    if message_type == UP_GAP:
        gap = Gap(*unpack_fixed(plaintext, GAP, "gap"))
        require_range(gap.first_slot, gap.slots)
        return gap
    if message_type == UP_DEVICE:
        return Device(*require_integers(cbor.decode_sequence(plaintext, depth_max=0), DEVICE, "device"))
    if message_type == UP_EXTENDED:
        return _decode_extended(plaintext)
    raise errors.WireRefused(errors.TYPE_RESERVED, "type")


def read_log_head(plaintext: bytes) -> "tuple[int, ...]":
    """The fields of a DAY or RANGE before its log, in the order of the record: the receiver needs slot14 and pack4 to
    know the phase under which the log is decoded. Raises WireRefused."""
    return tuple(unpack_fixed(plaintext[:LOG_HEAD_LENGTH], LOG_HEAD, "log head"))


def _log_head(message: "Any") -> bytes:
    """The 10 bytes before the log of a DAY or RANGE."""
    return pack_fixed(message[:-1], LOG_HEAD, "log head")


def _fit(plaintext: bytes) -> bytes:
    """`plaintext` if one uplink frame holds it. Raises WireRefused: send fewer slots."""
    if len(plaintext) > PLAINTEXT_UP_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "litres")
    return plaintext


def _decode_range(plaintext: bytes, phase: int) -> Range:
    """A RANGE: the log head, the number of slots, the log."""
    head = read_log_head(plaintext)
    if len(plaintext) <= LOG_HEAD_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "count")
    count = plaintext[LOG_HEAD_LENGTH]
    if not 1 <= count <= RANGE_SLOTS_MAX:
        raise errors.WireRefused(errors.FIELD_RANGE, "count")
    return Range(*(head + (log_codec.decode(plaintext[LOG_HEAD_LENGTH + 1 :], count, phase),)))


def _decode_event(plaintext: bytes) -> Event:
    """An EVENT: 1 to 4 arrays of four integers."""
    groups = cbor.decode_sequence(plaintext, depth_max=1)
    if not 1 <= len(groups) <= EVENTS_MAX:
        raise errors.WireRefused(errors.FIELD_COUNT, "events")
    entries = []
    for group in groups:
        if not isinstance(group, list):
            raise errors.WireRefused(errors.FIELD_TYPE, "event")
        entries.append(EventEntry(*require_integers(group, EVENT_ENTRY, "event")))
    return Event(tuple(entries))


def _decode_extended(plaintext: bytes) -> "Any":
    """The kind, and what it says."""
    kind = plaintext[0] if plaintext else -1
    if kind == UP_KIND_RESULT:
        result = Result(*unpack_fixed(plaintext[1:], RESULT, "result"))
        require_positive(result.id, "id")
        return result
    if kind == UP_KIND_UPDATE:
        return Progress(*unpack_fixed(plaintext[1:], PROGRESS, "progress"))
    raise errors.WireRefused(errors.KIND_UNKNOWN, "kind")
