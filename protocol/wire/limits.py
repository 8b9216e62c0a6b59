"""The limits of every field, frame and item on the wire (docs/SPEC.md, "Limits"). Decoders refuse what exceeds them."""

from protocol.compat import const

OVERHEAD = const(11)
FRAME_UP_MAX = const(222)
FRAME_DOWN_MAX = const(51)
PLAINTEXT_UP_MAX = const(211)
PLAINTEXT_DOWN_MAX = const(40)

ROOT_LENGTH = const(16)
METER_ID_LENGTH = const(8)
COUNTER_MAX = const(0xFFFFFFFF)

# Money and volume counters (SEMANTICS A1).
MILLS_MAX = const(0x1FFFFFFFFFFFFF)
VOLUME_MAX = const(0xFFFFFFFFFF)
U8_MAX = const(0xFF)
U16_MAX = const(0xFFFF)
U24_MAX = const(0xFFFFFF)
U32_MAX = const(0xFFFFFFFF)
SLOT_MAX = const(0xFFFFFF)
REMAINDER_MAX = const(9999)

SLOTS_PER_DAY = const(48)
RANGE_SLOTS_MAX = const(255)
SLOT_LITRES_MAX = const(0xFFFF)
EVENTS_MAX = const(4)

LOG_HEAD_LENGTH = const(10)
NACK_RANGES_MAX = const(4)

# The longest body that goes whole, and of all; the body bytes in each part but the last; the most parts.
WHOLE_BODY_MAX = const(34)
BODY_MAX = const(240)
PACK_CHUNK = const(30)
PACK_PARTS_MAX = const(8)

# The bytes of an update's file in one frame.
UPDATE_CHUNK_MAX = const(32)

CBOR_DEPTH_MAX = const(2)
CBOR_ITEMS_MAX = const(64)
