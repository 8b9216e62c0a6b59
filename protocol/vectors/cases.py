"""What the example files show: the messages, and the many ways to get them wrong."""

from collections.abc import Iterator

from protocol.wire import command_codes, envelope, log_codec, messages
from protocol.wire.envelope import DOWN, UP
from protocol.wire.keys import KeySet
from protocol.wire.limits import MILLS_MAX, SLOT_MAX, U8_MAX, U16_MAX, U24_MAX, U32_MAX, VOLUME_MAX
from protocol.wire.messages import (
    Anchor,
    Command,
    Day,
    Device,
    Event,
    EventEntry,
    Fragment,
    Gap,
    Nack,
    Opening,
    Poll,
    Progress,
    Range,
    Rekey,
    Result,
    Statement,
    Time,
)
from protocol.wire.parts import pack_parts, whole_pack

ROOT = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
METER_ID = bytes.fromhex("4755454c54410001")
GENERATION = 1
EPOCH = 9
COUNTER = 65534  # so that the counter passes 16 bits within the file

HOME = (
    (0,) * 12
    + (9, 31, 6, 0, 3, 0, 0, 1, 12, 0, 0, 0, 20, 4, 0, 0, 0, 0, 9, 0, 0, 2)
    + (64, 17, 0, 6, 9, 0, 0, 3, 0, 0, 0, 0, 0, 0)
)
LEAK = tuple(4 + (7 * number) % 3 for number in range(48))
PULSES_OF_TEN = tuple(10 * (number % 5 == 0) * (number % 3) for number in range(48))
CLASS_EDGES = (1, 2, 20, 21, 24, 25, 32, 33, 48, 49, 64, 65, 128, 129, 256, 257, 512, 513, 1024, 1025, 2048, 2049) + (
    4096, 4097, 8192, 8193, 65535,
)  # fmt: skip
GROWING = tuple(number * number * 257 & 0xFFFF for number in range(48))

LOGS = (
    ("a day without water takes no byte", 0, (0,) * 48),
    ("a home's day", 0, HOME),
    ("the same litres six hours later in the day", 12, HOME),
    ("a leak all day", 0, LEAK),
    ("pulses of ten litres", 0, PULSES_OF_TEN),
    ("every class of volume", 0, CLASS_EDGES),
    ("one slot, empty", 47, (0,)),
    ("one slot, full", 47, (65535,)),
    ("the greatest values", 0, (65535,) * 48),
    ("spread values", 5, GROWING),
    ("255 slots", 30, (HOME * 6)[:255]),
)  # fmt: skip

LOGS_REFUSED = (
    ("a zero byte at the end", 0, 48, "00"),
    ("bytes after a whole log", 0, 48, log_codec.encode(HOME, 0).hex() + "01"),
    ("a byte after the longest log", 0, 1, log_codec.encode((65535,), 0).hex() + "80"),
    ("bytes that another log begins with", 0, 1, "ffffffffff"),
    ("a volume of more than 65535", 0, 1, "ff" * 20),
)  # fmt: skip

ANCHOR_MAX = Anchor(SLOT_MAX, VOLUME_MAX, MILLS_MAX, MILLS_MAX, MILLS_MAX, MILLS_MAX, 3, 9999, U8_MAX)
GAP_MAX = Gap(
    SLOT_MAX + 1 - U16_MAX, U16_MAX, VOLUME_MAX, U24_MAX, MILLS_MAX, U24_MAX, MILLS_MAX, U24_MAX, U32_MAX, 3, 9999, 63
)  # fmt: skip
DEVICE_MAX = Device(
    *(U32_MAX, U32_MAX, U32_MAX, SLOT_MAX, U16_MAX, U16_MAX, U16_MAX),
    *(U32_MAX, U8_MAX, U16_MAX, U32_MAX, U32_MAX, U8_MAX, U8_MAX),
)
OPENING_MAX = Opening(U32_MAX, VOLUME_MAX, U32_MAX, U16_MAX, U16_MAX, SLOT_MAX, MILLS_MAX, MILLS_MAX, U32_MAX)

UPLINKS = (
    ("DAY of a home", Day(0, 9112, 41230, 5_110_464, 3, 17, 2, 0, HOME), 0),
    ("DAY without water", Day(0, 9160, 41426, 5_165_148, 3, 17, 2, 0x41, (0,) * 48), 0),
    ("DAY at every limit", Day(3, 0x3FFF, U16_MAX, 0xFFFFFF, 63, 63, 15, U8_MAX, GROWING), 47),
    ("RANGE of three slots", Range(1, 9000, 12, 34, 0, 1, 1, 0x80, (0, 0, 5)), 24),
    ("RANGE of 255 slots", Range(0, 9000, 12, 34, 0, 1, 1, 0x08, (HOME * 6)[:255]), 24),
    ("POLL", Poll(), 0),
    ("EVENT, one", Event((EventEntry(1, 1_793_491_200, 2, 3),)), 0),
    ("EVENT, four at every limit", Event((EventEntry(U32_MAX, U32_MAX, U8_MAX, MILLS_MAX),) * 4), 0),
    ("ANCHOR", Anchor(120_000, 41_426, 50_000_000, 1_000, 11_558_154, 250_000, 1, 1234, 0), 0),
    ("ANCHOR of a new meter", Anchor(0, 0, 0, 0, 0, 0, 0, 0, 0), 0),
    ("ANCHOR at every limit", ANCHOR_MAX, 0),
    ("GAP", Gap(120_000, 96, 41_930, 41_426, 11_558_154, 0xB05C8A, 250_000, 0x03D090, 930, 1, 1234, 5), 0),
    ("GAP of one slot without a count", Gap(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0),
    ("GAP at every limit", GAP_MAX, 0),
    ("DEVICE", Device(1, 3, 17, 119_952, 2, 1, 0, 12, 1, 3600, 100, 0, 1, 0), 0),
    ("DEVICE at every limit", DEVICE_MAX, 0),
    ("RESULT, done", Result(7, command_codes.VALVE_OPEN, command_codes.DONE, 1_793_491_205), 0),
    ("RESULT of a code not known", Result(8, 99, command_codes.UNKNOWN_CODE, 0), 0),
    ("RESULT at every limit", Result(U32_MAX, U8_MAX, U8_MAX, U32_MAX), 0),
    ("PROGRESS of a meter that wants the next bytes", Progress(10_203, 132, 1, 0), 0),
    ("PROGRESS of a refusal", Progress(10_203, 0, 0, 24), 0),
    ("PROGRESS at every limit", Progress(U32_MAX, U24_MAX, U8_MAX, U8_MAX), 0),
)  # fmt: skip

BODY = bytes(range(1, 35))
LONG = pack_parts(3, 120_096, bytes(range(75)))
LONGEST = pack_parts(U16_MAX, SLOT_MAX, bytes(range(240)))

DOWNLINKS = (
    ("STATEMENT of a new account", Statement(0, 0, 0, 0, 0), 0),
    ("STATEMENT", Statement(18, 100_000_000, 1_000, 1, 120_000), 0),
    ("STATEMENT at every limit", Statement(U32_MAX, MILLS_MAX, MILLS_MAX, U32_MAX, SLOT_MAX), 0),
    ("TIME", Time(65_534, 1_793_491_200), 0),
    ("TIME at every limit", Time(U32_MAX, U32_MAX), 0),
    ("NACK of one range", Nack(1, ((120_000, 48),)), 0),
    ("NACK of four ranges, two of them touching", Nack(0, ((0, 1), (1, 255), (9_000, 3), (9_600, 96))), 0),
    ("NACK at every limit", Nack(U32_MAX, tuple((SLOT_MAX + 1 - 255 * number, 255) for number in (4, 3, 2, 1))), 0),
    ("COMMAND, open for an hour and at most 200 litres", Command(7, 1_793_494_800, 1, 3_600, 200), 0),
    ("COMMAND, close for a day", Command(8, 1_793_494_800, 2, 86_400, 0), 0),
    ("COMMAND, release", Command(9, 1_793_494_800, 3, 0, 0), 0),
    ("COMMAND, report daily", Command(10, 1_793_494_800, 4, 48, 0), 0),
    ("COMMAND, tell", Command(11, 1_793_494_800, 5, 0, 0), 0),
    ("COMMAND at every limit", Command(U32_MAX, U32_MAX, U8_MAX, U32_MAX, U16_MAX), 0),
    ("TARIFF", whole_pack(2, 120_048, BODY[:20]), messages.DOWN_TARIFF),
    ("TARIFF of the greatest body", whole_pack(U16_MAX, SLOT_MAX, BODY), messages.DOWN_TARIFF),
    ("POLICY", whole_pack(1, 0, b"\x00"), messages.DOWN_POLICY),
    ("PLAN", whole_pack(7, 120_048, BODY[:9]), messages.DOWN_PLAN),
    *(
        (f"TARIFF of 75 bytes, part {part.index} of {part.count}", part, messages.DOWN_TARIFF)
        for part in LONG
    ),
    ("POLICY of 240 bytes, the first part", LONGEST[0], messages.DOWN_POLICY),
    ("POLICY of 240 bytes, the last part", LONGEST[7], messages.DOWN_POLICY),
    ("PLAN of 75 bytes, the last part", LONG[2], messages.DOWN_PLAN),
    ("REKEY", Rekey(10), 0),
    ("REKEY at its limit", Rekey(U32_MAX), 0),
    ("OPENING", Opening(1, 41_000, 0, 0, 0, 119_990, 50_000_000, 0, 1), 0),
    ("OPENING at every limit", OPENING_MAX, 0),
    ("FRAGMENT, the first", Fragment(10_203, 0, b"GLTA\x01\x00\x00\x00" + bytes(range(24))), 0),
    ("FRAGMENT of nothing, a question", Fragment(10_203, 0, b""), 0),
    ("FRAGMENT at every limit", Fragment(U32_MAX, U24_MAX, b"\xff" * 32), 0),
)  # fmt: skip

CBOR_ACCEPTED = (
    "00", "17", "1818", "18ff", "190100", "19ffff", "1a00010000", "1affffffff", "1b0000000100000000",
    "1bffffffffffffffff", "20", "3818", "3bffffffffffffffff", "40", "4401020304", "60", "63e282ac", "80", "83010203",
    "8201820203", "a0", "a201020304", "a20a012002", "a20102616182014178", "f4", "f5", "f6",
)  # fmt: skip

# Single items; a comment names the fault of its line.
CBOR_REFUSED = (
    "", "18", "19ff", "1a000000", "41", "8201", "a101", "61",  # cut
    "0000", "f4f4", "8001",  # something after the item
    "1800", "1817", "190000", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817",
    "580100", "780161", "980100", "b8010000",  # longer than needed
    "5f4100ff", "7f6161ff", "9f00ff", "bf0000ff", "1f", "3f", "ff",  # indefinite
    "f7", "e0", "f818", "f93c00", "fa3f800000", "fb3ff0000000000000", "c000", "d82a00", "1c",
    "1d", "1e", "fc",  # not in use
    "a201020102", "a2616101616102",  # the same key twice
    "a202010102", "a220010a02", "a2616201616102",  # keys not ascending
    "a18000", "a1a000",  # an array or a map as a key
    "a1f500", "a1f600", "a20100f500",  # true or null as a key
    "818180", "a101a102a0",  # three levels
    "9840" + "00" * 64, "9b7fffffffffffffff", "bb7fffffffffffffff",  # too many items
    "58dd" + "00" * 221,  # too many bytes
    "61ff", "62c080", "63eda080", "64f4908080", "61c3",  # not UTF-8
)  # fmt: skip


def refused_frames(keys: KeySet) -> Iterator[tuple[str, int, int, bytes]]:
    """(name, direction, counter, frame) of what is refused before anything is parsed."""
    frame = envelope.seal(keys, UP, messages.UP_POLL, COUNTER, b"")
    longer = envelope.seal(keys, UP, messages.UP_EVENT, COUNTER, bytes.fromhex("8401020304"))
    yield "no byte", UP, COUNTER, b""
    yield "ten bytes", UP, COUNTER, frame[:10]
    yield "223 bytes", UP, COUNTER, frame + bytes(212)
    yield "version 0", UP, COUNTER, bytes([frame[0] & 0x3F]) + frame[1:]
    yield "version 2", UP, COUNTER, bytes([frame[0] ^ 0xC0]) + frame[1:]
    yield "another type under the same tag", UP, COUNTER, bytes([frame[0] ^ 0x08]) + frame[1:]
    yield "another epoch under the same tag", UP, COUNTER, bytes([frame[0] ^ 0x01]) + frame[1:]
    yield "another sequence number on air", UP, COUNTER + 1, frame[:1] + b"\xff\xff" + frame[3:]
    yield "another counter with the same low bits", UP, COUNTER + 0x10000, frame
    yield "sent back the way it came", DOWN, COUNTER, frame
    yield "one bit of the tag", UP, COUNTER, frame[:-1] + bytes([frame[-1] ^ 1])
    yield "one bit of the ciphertext", UP, COUNTER, longer[:3] + bytes([longer[3] ^ 0x80]) + longer[4:]
    yield "cut by a byte", UP, COUNTER, longer[:-1]
    yield "a downlink of 52 bytes", DOWN, COUNTER, frame + bytes(41)
