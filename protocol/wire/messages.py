"""The messages: a named tuple each, and the two ways between message and plaintext (docs/SPEC.md, "Messages").

DAY, RANGE and ANCHOR, whole packs and OPENING have fixed-width fields; the rest are CBOR sequences (RFC 8742). Whatever
a decoder accepts re-encodes to the same bytes. Encoders refuse the same values as decoders.
"""

from collections import namedtuple

from protocol import errors
from protocol.compat import TYPE_CHECKING, const, sha256
from protocol.wire import cbor, log_codec
from protocol.wire.fields import pack_fixed, require_bytes, require_integer, require_integers, unpack_fixed
from protocol.wire.limits import (
    EVENTS_MAX,
    MILLS_MAX,
    PACK_BODY_MAX,
    PLAINTEXT_DOWN_MAX,
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

if TYPE_CHECKING:
    from typing import Any

UP_DAY = const(0)
UP_RANGE = const(1)
UP_POLL = const(2)
UP_EVENT = const(3)
UP_ANCHOR = const(4)
UP_GAP = const(5)
UP_DEVICE = const(6)
UP_EXTENDED = const(7)

DOWN_STATEMENT = const(0)
DOWN_TIME = const(1)
DOWN_NACK = const(2)
DOWN_TARIFF = const(3)
DOWN_POLICY = const(4)
DOWN_COMMAND = const(5)
DOWN_PLAN = const(6)
DOWN_EXTENDED = const(7)

KIND_OPENING = const(0)

# Bits of the status byte; the lowest two are the valve.
VALVE_OPEN = const(0)
VALVE_CLOSED = const(1)
VALVE_MOVING = const(2)
VALVE_FAULT = const(3)
STATUS_VALVE_MASK = const(0x03)
STATUS_LOW_CREDIT = const(0x04)
STATUS_LEAK = const(0x08)
STATUS_BURST = const(0x10)
STATUS_TAMPER = const(0x20)
STATUS_LOW_BATTERY = const(0x40)
STATUS_CLOCK_UNSURE = const(0x80)

DEVICE_UNOPENED = const(0x01)

# Slots one after another from slot14 on: V at the start of the first, S at the end of the last; 48 slots in a DAY.
Day = namedtuple(
    "Day",
    (
        "log_generation2",
        "slot14",
        "volume16_l",
        "spent24_mills",
        "instalments6",
        "statement6",
        "pack4",
        "status",
        "litres",
    ),
)
Range = namedtuple(
    "Range",
    (
        "log_generation2",
        "slot14",
        "volume16_l",
        "spent24_mills",
        "instalments6",
        "statement6",
        "pack4",
        "status",
        "litres",
    ),
)
# "Is there anything for me?"
Poll = namedtuple("Poll", ())
# event_no: the meter's own running number; argument: what the code says it is.
EventEntry = namedtuple("EventEntry", ("event_no", "at_unix_s", "code", "argument"))
Event = namedtuple("Event", ("events",))
# Everything that the counters are, whole, at the start of `slot`, the next one to be logged.
Anchor = namedtuple(
    "Anchor",
    (
        "slot",
        "volume_l",
        "credited_mills",
        "debited_mills",
        "spent_mills",
        "collected_mills",
        "log_generation2",
        "remainder",
        "status",
    ),
)
Device = namedtuple(
    "Device",
    (
        "log_generation",
        "instalments",
        "statement",
        "acked_slot",
        "pack_version",
        "policy_version",
        "plan_version",
        "boot_count",
        "reset_cause",
        "battery_mv",
        "firmware_version",
        "flags",
    ),
)
# acked_slot: the first slot of that log generation that is not durable yet.
Statement = namedtuple("Statement", ("number", "credited_mills", "debited_mills", "log_generation", "acked_slot"))
Time = namedtuple("Time", ("counter", "unix_s"))
# One part of a TARIFF, POLICY or PLAN body; today always the whole body: index 0 of count 1.
Pack = namedtuple("Pack", ("version", "from_slot", "index", "count", "hash4", "chunk"))
# The start of a wallet generation (SEMANTICS A4); S and R start at 0. month, day: the last ones whose standing charges
# the holder has already paid on an earlier meter, 0 for none.
Opening = namedtuple(
    "Opening",
    (
        "generation",
        "volume_l",
        "position_l",
        "month",
        "day",
        "holder_slot",
        "credited_mills",
        "debited_mills",
        "number",
    ),
)

_LOG_LIMITS = (
    ("log_generation2", 3),
    ("slot14", 0x3FFF),
    ("volume16_l", U16_MAX),
    ("spent24_mills", U24_MAX),
    ("instalments6", 63),
    ("statement6", 63),
    ("pack4", 15),
    ("status", U8_MAX),
)
_LOG_HEAD_LENGTH = const(10)
_ANCHOR_LIMITS = (
    ("slot", SLOT_MAX),
    ("volume_l", VOLUME_MAX),
    ("credited_mills", MILLS_MAX),
    ("debited_mills", MILLS_MAX),
    ("spent_mills", MILLS_MAX),
    ("collected_mills", MILLS_MAX),
    ("log_generation2", 3),
    ("remainder", REMAINDER_MAX),
    ("status", U8_MAX),
)
_ANCHOR_WIDTHS = (4, 5, 7, 7, 7, 7)
_EVENT_LIMITS = (("event_no", U32_MAX), ("at_unix_s", U32_MAX), ("code", U8_MAX), ("argument", MILLS_MAX))
_DEVICE_LIMITS = (
    ("log_generation", U32_MAX),
    ("instalments", U32_MAX),
    ("statement", U32_MAX),
    ("acked_slot", SLOT_MAX),
    ("pack_version", U16_MAX),
    ("policy_version", U16_MAX),
    ("plan_version", U16_MAX),
    ("boot_count", U32_MAX),
    ("reset_cause", U8_MAX),
    ("battery_mv", U16_MAX),
    ("firmware_version", U32_MAX),
    ("flags", U8_MAX),
)
_STATEMENT_LIMITS = (
    ("number", U32_MAX),
    ("credited_mills", MILLS_MAX),
    ("debited_mills", MILLS_MAX),
    ("log_generation", U32_MAX),
    ("acked_slot", SLOT_MAX),
)
_TIME_LIMITS = (("counter", U32_MAX), ("unix_s", U32_MAX))
_PACK_LIMITS = (("version", U16_MAX), ("from_slot", SLOT_MAX))
_PACK_WIDTHS = (2, 3)
_PACK_HEAD_LENGTH = const(6)
_OPENING_LIMITS = (
    ("generation", U32_MAX),
    ("volume_l", VOLUME_MAX),
    ("position_l", U32_MAX),
    ("month", U16_MAX),
    ("day", U16_MAX),
    ("holder_slot", SLOT_MAX),
    ("credited_mills", MILLS_MAX),
    ("debited_mills", MILLS_MAX),
    ("number", U32_MAX),
)
_OPENING_WIDTHS = (4, 5, 4, 2, 2, 3, 7, 7, 4)


def whole_pack(version: int, from_slot: int, body: bytes) -> Pack:
    """The pack that carries all of `body` (at most 34 bytes) in one frame."""
    return Pack(version, from_slot, 0, 1, sha256(body)[:4], bytes(body))


def encode_up(message: "Any", phase: int = 0) -> "tuple[int, bytes]":
    """(type, plaintext) of an uplink; `phase`: local half-hour of a log's first slot. Raises WireRefused."""
    if isinstance(message, Day):
        if len(message.litres) != SLOTS_PER_DAY:
            raise errors.WireRefused(errors.FIELD_LENGTH, "litres")
        return UP_DAY, _fit_up(_log_head(message) + log_codec.encode(message.litres, phase))
    if isinstance(message, Range):
        log = log_codec.encode(message.litres, phase)
        return UP_RANGE, _fit_up(_log_head(message) + bytes([len(message.litres)]) + log)
    if isinstance(message, Poll):
        return UP_POLL, b""
    if isinstance(message, Event):
        if not 1 <= len(message.events) <= EVENTS_MAX:
            raise errors.WireRefused(errors.FIELD_COUNT, "events")
        return UP_EVENT, cbor.encode_sequence([require_integers(e, _EVENT_LIMITS, "event") for e in message.events])
    if isinstance(message, Anchor):
        return UP_ANCHOR, _encode_anchor(message)
    assert isinstance(message, Device)
    return UP_DEVICE, cbor.encode_sequence(require_integers(message, _DEVICE_LIMITS, "device"))


def decode_up(message_type: int, plaintext: bytes, phase: int = 0) -> "Any":
    """The uplink that `plaintext` is, as its named tuple. Raises WireRefused."""
    if len(plaintext) > PLAINTEXT_UP_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "plaintext")
    if message_type == UP_DAY:
        litres = log_codec.decode(plaintext[_LOG_HEAD_LENGTH:], SLOTS_PER_DAY, phase)
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
        return _decode_anchor(plaintext)
    if message_type == UP_DEVICE:
        values = cbor.decode_sequence(plaintext, depth_max=0)
        return Device(*require_integers(values, _DEVICE_LIMITS, "device"))
    raise errors.WireRefused(errors.TYPE_RESERVED, "type")


def read_log_head(plaintext: bytes) -> "tuple[int, ...]":
    """The fields of a DAY or RANGE before its log, in the order of the record: the receiver needs slot14 and pack4 to
    know the phase under which the log is decoded. Raises WireRefused."""
    if len(plaintext) < _LOG_HEAD_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "log head")
    first = plaintext[0] << 8 | plaintext[1]
    echo = plaintext[7] << 8 | plaintext[8]
    return (
        first >> 14,
        first & 0x3FFF,
        plaintext[2] << 8 | plaintext[3],
        plaintext[4] << 16 | plaintext[5] << 8 | plaintext[6],
        echo >> 10,
        echo >> 4 & 63,
        echo & 15,
        plaintext[9],
    )


def _log_head(message: "Any") -> bytes:
    """The 10 bytes before the log of a DAY or RANGE."""
    values = require_integers(message[:-1], _LOG_LIMITS, "log head")
    generation, slot, volume, spent, instalments, statement, pack, status = values
    return (
        (generation << 14 | slot).to_bytes(2, "big")
        + volume.to_bytes(2, "big")
        + spent.to_bytes(3, "big")
        + (instalments << 10 | statement << 4 | pack).to_bytes(2, "big")
        + bytes([status])
    )


def _fit_up(plaintext: bytes) -> bytes:
    """`plaintext` if one uplink frame holds it. Raises WireRefused: send fewer slots."""
    if len(plaintext) > PLAINTEXT_UP_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "litres")
    return plaintext


def _decode_range(plaintext: bytes, phase: int) -> Range:
    """A RANGE: the log head, the number of slots, the log."""
    head = read_log_head(plaintext)
    if len(plaintext) <= _LOG_HEAD_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "count")
    count = plaintext[_LOG_HEAD_LENGTH]
    if not 1 <= count <= RANGE_SLOTS_MAX:
        raise errors.WireRefused(errors.FIELD_RANGE, "count")
    return Range(*(head + (log_codec.decode(plaintext[_LOG_HEAD_LENGTH + 1 :], count, phase),)))


def _decode_event(plaintext: bytes) -> Event:
    """An EVENT: 1 to 4 arrays of four integers."""
    groups = cbor.decode_sequence(plaintext, depth_max=1)
    if not 1 <= len(groups) <= EVENTS_MAX:
        raise errors.WireRefused(errors.FIELD_COUNT, "events")
    entries = []
    for group in groups:
        if not isinstance(group, list):
            raise errors.WireRefused(errors.FIELD_TYPE, "event")
        entries.append(EventEntry(*require_integers(group, _EVENT_LIMITS, "event")))
    return Event(tuple(entries))


def _encode_anchor(message: Anchor) -> bytes:
    """The 40 bytes of an ANCHOR."""
    values = require_integers(message, _ANCHOR_LIMITS, "anchor")
    head = pack_fixed(values[:6], _ANCHOR_LIMITS[:6], _ANCHOR_WIDTHS, "anchor")
    return head + (values[6] << 14 | values[7]).to_bytes(2, "big") + bytes([values[8]])


def _decode_anchor(plaintext: bytes) -> Anchor:
    """The inverse of `_encode_anchor`."""
    if len(plaintext) != 40:
        raise errors.WireRefused(errors.FIELD_LENGTH, "anchor")
    values = unpack_fixed(plaintext[:37], _ANCHOR_LIMITS[:6], _ANCHOR_WIDTHS, "anchor")
    packed = plaintext[37] << 8 | plaintext[38]
    remainder = require_integer(packed & 0x3FFF, REMAINDER_MAX, "remainder")
    return Anchor(*(values + [packed >> 14, remainder, plaintext[39]]))


def encode_down(message: "Any", pack_type: int = DOWN_TARIFF) -> "tuple[int, bytes]":
    """(type, plaintext) of a downlink; a Pack is a tariff, policy or plan by `pack_type`. Raises WireRefused."""
    if isinstance(message, Statement):
        return DOWN_STATEMENT, cbor.encode_sequence(require_integers(message, _STATEMENT_LIMITS, "statement"))
    if isinstance(message, Time):
        return DOWN_TIME, cbor.encode_sequence(require_integers(message, _TIME_LIMITS, "time"))
    if isinstance(message, Opening):
        body = pack_fixed(message, _OPENING_LIMITS, _OPENING_WIDTHS, "opening")
        return DOWN_EXTENDED, bytes([KIND_OPENING]) + body
    assert isinstance(message, Pack) and pack_type in (DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN)
    return pack_type, _encode_pack(message)


def decode_down(message_type: int, plaintext: bytes) -> "Any":
    """The downlink that `plaintext` is, as its named tuple. Raises WireRefused."""
    if len(plaintext) > PLAINTEXT_DOWN_MAX:
        raise errors.WireRefused(errors.FRAME_LENGTH, "plaintext")
    if message_type == DOWN_STATEMENT:
        values = cbor.decode_sequence(plaintext, depth_max=0)
        return Statement(*require_integers(values, _STATEMENT_LIMITS, "statement"))
    if message_type == DOWN_TIME:
        return Time(*require_integers(cbor.decode_sequence(plaintext, depth_max=0), _TIME_LIMITS, "time"))
    if message_type in (DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN):
        return _decode_pack(plaintext)
    if message_type == DOWN_EXTENDED:
        if not plaintext or plaintext[0] != KIND_OPENING:
            raise errors.WireRefused(errors.KIND_UNKNOWN, "kind")
        return Opening(*unpack_fixed(plaintext[1:], _OPENING_LIMITS, _OPENING_WIDTHS, "opening"))
    raise errors.WireRefused(errors.TYPE_RESERVED, "type")


def _encode_pack(pack: Pack) -> bytes:
    """version 2 | from_slot 3 | index and count 1 | body."""
    body = require_bytes(pack.chunk, 1, PACK_BODY_MAX, "chunk")
    if pack.index != 0 or pack.count != 1:
        raise errors.WireRefused(errors.PACK_FRAGMENT, "index")
    if pack.hash4 != sha256(body)[:4]:
        raise errors.WireRefused(errors.PACK_HASH, "hash4")
    return pack_fixed((pack.version, pack.from_slot), _PACK_LIMITS, _PACK_WIDTHS, "pack") + b"\x00" + body


def _decode_pack(plaintext: bytes) -> Pack:
    """A whole pack. Its hash is not on air: the frame's tag covers the body."""
    if len(plaintext) <= _PACK_HEAD_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "pack")
    version, from_slot = unpack_fixed(plaintext[:5], _PACK_LIMITS, _PACK_WIDTHS, "pack")
    if plaintext[5] != 0:
        raise errors.WireRefused(errors.PACK_FRAGMENT, "index")
    return whole_pack(version, from_slot, plaintext[_PACK_HEAD_LENGTH:])
