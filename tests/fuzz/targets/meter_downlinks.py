"""Downlinks into a whole meter: whatever a headend seals, or anybody sends, the meter goes on, its counters never fall,
its water is counted, and its state is whole on flash (I6, I14, I25; SEMANTICS A1, A2).

Input: records `what | length | bytes`: bit 3 of `what` sends the bytes as they are, else they are a plaintext of the
type in its low bits, sealed with the meter's keys."""

from functools import cache

from firmware import state
from firmware.flash_record import TwoCopies
from protocol.vectors import cases
from protocol.wire import downlinks, envelope
from protocol.wire.envelope import DOWN
from protocol.wire.limits import PLAINTEXT_DOWN_MAX
from simulator import link
from tests.fuzz.a_meter import AMeter, counters, records

STEP_US = 1_800_000_000
RAW = 8


@cache
def meters() -> AMeter:
    return AMeter(uses=40)


def seeds() -> list[bytes]:
    made = [downlinks.encode_down(message, kind) for _, message, kind in cases.DOWNLINKS]
    frames = [bytes([kind, len(text)]) + text for kind, text in made]
    return [*frames, b"".join(frames[:4]), bytes([RAW, 20]) + bytes(20)]


def one(data: bytes) -> None:
    meter = meters().old()
    application = meter.application
    for what, content in list(records(data))[:4]:
        before = counters(meter)
        frame = content
        if not what & RAW:
            highest = application.state.window.highest
            keys = application.keys.down[0]
            frame = envelope.seal(keys, DOWN, what & 7, highest + 1, content[:PLAINTEXT_DOWN_MAX])
        now_us = application.board.now_us() + STEP_US
        meter.advance(now_us, [link.record(link.RADIO, frame)])
        if application.ended:
            return
        after = counters(meter)
        assert all(new >= old for new, old in zip(after, before, strict=True)), (before, after)
        _check_flash(meter, application)


def _check_flash(meter: object, application: object) -> None:
    """The state on flash is one that a boot reads."""
    payload = TwoCopies(meter.files, "state").load()  # type: ignore[attr-defined]
    kept = state.decode(payload)
    assert kept is not None and kept.credited_mills == application.state.credited_mills  # type: ignore[attr-defined]
