"""Frames before and at the tag: the way from bytes to plaintext ends in a refusal, in nothing, or in a plaintext that,
sealed again, is the very frame; without the key nobody makes one (I14, I25)."""

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import downlinks, envelope, keys, uplinks, window
from protocol.wire.envelope import DOWN, UP
from protocol.wire.window import Window

KEYS = keys.derive(cases.ROOT, cases.METER_ID, cases.GENERATION, cases.EPOCH)
COUNTER = 70_000
SEEN = Window(COUNTER - 1, 1)


def genuine() -> list[tuple[int, bytes]]:
    """(direction, frame) of every message of the vectors."""
    up = [(UP, *uplinks.encode_up(message, phase)) for _, message, phase in cases.UPLINKS]
    down = [(DOWN, *downlinks.encode_down(message, kind)) for _, message, kind in cases.DOWNLINKS]
    return [(way, envelope.seal(KEYS, way, kind, COUNTER, text)) for way, kind, text in up + down]


GENUINE = set(genuine())


def seeds() -> list[bytes]:
    return [bytes([direction]) + frame for direction, frame in sorted(GENUINE)]


def one(data: bytes) -> None:
    direction, frame = (DOWN if data[:1] == bytes([DOWN]) else UP), data[1:]
    try:
        header = envelope.read_header(frame)
    except WireRefused:
        return
    assert header.seq == int.from_bytes(frame[1:3], "big") and header.version == 1
    extra = window.EXTRA_WINDOWS_HEADEND if direction == UP else window.EXTRA_WINDOWS_METER
    counters = list(window.candidates(SEEN, header.seq, extra))
    assert len(counters) <= extra + 1 and all(counter & 0xFFFF == header.seq for counter in counters)
    opened = [(counter, envelope.open_frame(KEYS, direction, frame, counter)) for counter in counters]
    texts = [(counter, text) for counter, text in opened if text is not None]
    if texts:
        ((counter, text),) = texts
        assert (direction, frame) in GENUINE, "a frame that nobody sealed"
        assert envelope.seal(KEYS, direction, header.type, counter, text) == frame
