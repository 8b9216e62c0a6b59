"""A million frames changed after sealing, in both directions: none is accepted, none raises (R3, I14, target 4).

tests/wire/test_mutated_frames.py mutates with more skill and fewer frames; here the share of every single bit is known.
"""

import random

import pytest

from protocol.errors import WireRefused
from protocol.wire import envelope, window
from tests.figures import ROUND, publish
from tests.fuzz.targets.frames import COUNTER, GENUINE, KEYS

CHUNKS = 2
FRAMES = 520_000  # of a chunk


@pytest.mark.worlds
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_changed_frame_of_a_million_is_accepted(chunk: int) -> None:
    dice = random.Random(f"frames {ROUND} {chunk}")
    counts = judge(dice, FRAMES)
    print(counts)
    assert counts["accepted"] == 0 and counts["mutated"] == FRAMES
    assert counts["wrong_tag"] > FRAMES // 2 and counts["refused"] > FRAMES // 200
    publish("fuzz", f"frames-{chunk}", **counts)


def test_an_unchanged_frame_is_accepted_and_a_changed_one_is_not() -> None:
    """The same judge in a moment, and its control: what was sealed comes out."""
    counts = judge(random.Random("a moment"), 2_000)
    assert counts["accepted"] == 0 and counts["wrong_tag"] + counts["refused"] == 2_000
    for direction, frame in GENUINE:
        assert envelope.open_frame(KEYS, direction, frame, COUNTER) is not None


def judge(dice: random.Random, frames: int) -> dict[str, int]:
    """Change so many frames and hand each to a receiver that knows the counter they were sealed with."""
    genuine = sorted(GENUINE)
    numbers = [(direction, int.from_bytes(frame, "big"), len(frame)) for direction, frame in genuine]
    counts = dict.fromkeys(("accepted", "wrong_tag", "refused", "mutated"), 0)
    for _ in range(frames):
        direction, number, length = numbers[int(dice.random() * len(numbers))]
        frame = _changed(dice, number, length)
        counts["mutated"] += 1
        try:
            header = envelope.read_header(frame)
            (counter,) = window.candidates(window.Window(COUNTER - 1, 1), header.seq, 0)
            text = envelope.open_frame(KEYS, direction, frame, counter)
        except WireRefused:
            counts["refused"] += 1
            continue
        is_genuine = text is not None and (direction, frame) in GENUINE
        counts["accepted" if text is not None and not is_genuine else "wrong_tag"] += 1
    return counts


def _changed(dice: random.Random, number: int, length: int) -> bytes:
    """One to three bits turned; or a byte more, a byte less, or a piece replaced."""
    draws = dice.getrandbits(48)
    kind, draws = draws & 15, draws >> 4
    if kind == 0:
        return number.to_bytes(length, "big")[:-1]
    if kind == 1:
        return number.to_bytes(length, "big") + bytes([draws & 255])
    if kind == 2:
        number ^= (draws & 0xFFFFFFFF or 1) << (8 * (draws % (length - 4)))
    else:
        bits = 8 * length
        number ^= 1 << draws % bits
        if kind & 1:
            number ^= 1 << (draws >> 12) % bits
        if kind == 4:
            number ^= 1 << (draws >> 24) % bits
    return number.to_bytes(length, "big")
