"""1,000,000 mutated frames: what the tag keeps out, and what the decoders do when the tag lets everything in.

960,000 here, in parts that several workers share; 40,000 on MicroPython with the meter's own cipher (tests/dual).
GUELTA_FUZZ_SEED= draws others.
"""

import os
import random
from collections import Counter
from typing import Any

import pytest

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import downlinks, envelope, keys, uplinks, window
from protocol.wire.envelope import DOWN, UP
from protocol.wire.limits import FRAME_DOWN_MAX, FRAME_UP_MAX, OVERHEAD
from protocol.wire.messages import UP_DAY, UP_RANGE
from protocol.wire.window import Window
from tests.dual.test_mutated_frames import MICROPYTHON_FRAMES
from tests.wire.limits_oracle import holds

SEED = int(os.environ.get("GUELTA_FUZZ_SEED", "20200101"))
PARTS = 8
AFTER, BEFORE = 84_000, 36_000  # frames of a part, mutated after and before sealing
KEYS = keys.derive(cases.ROOT, cases.METER_ID, cases.GENERATION, cases.EPOCH)
LAST = 2**32 - 1

# Near the last counter one candidate fits each sequence number; earlier there are 17 for a headend, 3 for a meter.
COUNTER = LAST - 1_000
SEEN = Window(LAST - 65_535 + 63, 1)
EARLY_COUNTER = 70_000
EARLY = Window(EARLY_COUNTER - 1, 1)
LOGS = (UP_DAY, UP_RANGE)
SHORT_KINDS = (tuple(kind for kind in range(8) if kind not in LOGS), tuple(range(8)))
EARLY_SHARE = 20  # one in so many is received with all those candidates
LOG_SHARE = 80  # one in so many is a DAY or RANGE: their codec takes twenty times as long as all else together

Sample = tuple[int, int, int, bytes]  # direction, type, phase, plaintext


def samples() -> list[Sample]:
    """A plaintext of every message of the vectors; of logs those that decode in a moment."""
    up = [(UP, *uplinks.encode_up(message, phase), phase) for _, message, phase in cases.UPLINKS]
    down = [(DOWN, *downlinks.encode_down(message, kind), 0) for _, message, kind in cases.DOWNLINKS]
    every = [(direction, kind, phase, plaintext) for direction, kind, plaintext, phase in up + down]
    return [sample for sample in every if len(sample[3]) < 40 or sample[1] not in LOGS]


def by_type(corpus: list[Sample]) -> tuple[list[list[Sample]], list[Sample]]:
    """The samples of each direction and type but the logs; and the logs."""
    kinds = sorted({sample[:2] for sample in corpus} - {(UP, kind) for kind in LOGS})
    return [[sample for sample in corpus if sample[:2] == kind] for kind in kinds], [
        sample for sample in corpus if sample[0] == UP and sample[1] in LOGS
    ]


def mutate(dice: random.Random, data: bytes, other: bytes) -> bytes:
    """`data` after one to three changes of kinds that happen to bytes, or that an attacker makes."""
    changed = bytearray(data)
    draws = dice.getrandbits(32)
    for _ in range(1 + draws % 3):
        draws >>= 2
        kind = draws & 7
        at = int(dice.random() * (len(changed) + 1))
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << (draws >> 3 & 7)
        elif kind == 1 and at < len(changed):
            changed[at] = (0, 1, 0x17, 0x18, 0x1B, 0x7F, 0x80, 0xFF)[draws >> 3 & 7]
        elif kind == 2:
            changed[at:at] = dice.randbytes(1 + (draws >> 3 & 3))
        elif kind == 3:
            del changed[at : at + 1 + (draws >> 3 & 3)]
        elif kind == 4:
            del changed[at:]
        elif kind == 5:
            changed[at:] = other[at:]
        elif kind == 6:
            changed[at:at] = changed[: 1 + (draws >> 3 & 7)]
        else:
            changed[at : at + 8] = dice.randbytes(8)
    return bytes(changed)


def receive(direction: int, frame: bytes, seen: Window) -> bytes | None:
    """A receiver's way from frame to plaintext; None when no counter's tag fits. Raises WireRefused."""
    header = envelope.read_header(frame)
    extra = window.EXTRA_WINDOWS_HEADEND if direction == UP else window.EXTRA_WINDOWS_METER
    for counter in window.candidates(seen, header.seq, extra):
        plaintext = envelope.open_frame(KEYS, direction, frame, counter)
        if plaintext is not None:
            return plaintext
    return None


def sealed(of_kind: list[Sample], counter: int) -> list[tuple[int, bytes]]:
    """(direction, frame) of each sample."""
    return [(way, envelope.seal(KEYS, way, kind, counter, plaintext)) for way, kind, _, plaintext in of_kind]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_frame_mutated_after_sealing_is_accepted(part: int) -> None:
    """Frames changed by somebody without the key: 0 accepted, and nothing raised but WireRefused."""
    dice = random.Random(f"{SEED} after {part}")
    kinds, logs = by_type(samples())
    late, early = ([sealed(of_kind, counter) for of_kind in (*kinds, logs)] for counter in (COUNTER, EARLY_COUNTER))
    genuine = {frame for frames in (*late, *early) for frame in frames}
    for drawn, seen in ((late, SEEN), (early, EARLY)):
        assert all(receive(direction, frame, seen) is not None for frames in drawn for direction, frame in frames)
    outcome: Counter[str] = Counter()
    for _ in range(AFTER):
        drawn, seen = (early, EARLY) if int(dice.random() * EARLY_SHARE) == 0 else (late, SEEN)
        direction, frame = dice.choice(dice.choice(drawn))
        mutated = frame
        while (direction, mutated) in genuine:
            mutated = mutate(dice, frame, dice.choice(dice.choice(drawn))[1])
        try:
            outcome["tag wrong" if receive(direction, mutated, seen) is None else "accepted"] += 1
        except WireRefused as refused:
            outcome[refused.name] += 1
    print(f"seed {SEED}, after sealing, part {part}: {outcome.total()} frames: {dict(outcome)}")
    assert outcome["accepted"] == 0
    assert set(outcome) >= {"tag wrong", "frame-length", "frame-version"}
    assert outcome["tag wrong"] > AFTER // 2


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_behind_the_tag_only_canonical_messages_within_limits_are_accepted(part: int) -> None:
    """Plaintexts mutated and then sealed with the right key, often under another type and phase: a message is accepted
    only when its limits hold and it encodes to the same bytes; nothing is raised but WireRefused."""
    dice = random.Random(f"{SEED} before {part}")
    corpus = samples()
    kinds, logs = by_type(corpus)
    outcome: Counter[str] = Counter()
    told: Counter[tuple[int, int]] = Counter()
    while outcome.total() < BEFORE:
        of_kind = logs if int(dice.random() * LOG_SHARE) == 0 else dice.choice(kinds)
        direction, kind, phase, text = dice.choice(of_kind)
        mutated = mutate(dice, text, dice.choice(corpus)[3])
        if int(dice.random() * 8) == 0 and of_kind is not logs:
            kind = dice.choice(SHORT_KINDS[direction])
        elif mutated == text:
            continue
        if len(mutated) + OVERHEAD > (FRAME_UP_MAX if direction == UP else FRAME_DOWN_MAX):
            continue
        plaintext = receive(direction, envelope.seal(KEYS, direction, kind, COUNTER, mutated), SEEN)
        assert plaintext == mutated
        outcome[decode_and_judge(direction, kind, plaintext, phase)] += 1
        told[direction, kind] += 1
    print(f"seed {SEED}, before sealing, part {part}: {outcome.total()} frames: {dict(outcome)}")
    assert BEFORE // 40 < outcome["accepted"] < BEFORE
    assert len(outcome) > 12
    assert set(told) == {(direction, kind) for direction in (UP, DOWN) for kind in range(8)}
    assert min(told.values()) > BEFORE // 500


def decode_and_judge(direction: int, kind: int, plaintext: bytes, phase: int) -> str:
    """The refusal's name, or "accepted" for a message that is canonical and within limits; anything else fails."""
    message: Any
    try:
        message = (
            uplinks.decode_up(kind, plaintext, phase) if direction == UP else downlinks.decode_down(kind, plaintext)
        )
    except WireRefused as refused:
        return refused.name
    assert holds(message), message
    again = uplinks.encode_up(message, phase) if direction == UP else downlinks.encode_down(message, kind)
    assert again == (kind, plaintext), message
    return "accepted"


def test_it_is_a_million_frames() -> None:
    assert PARTS * (AFTER + BEFORE) + MICROPYTHON_FRAMES == 1_000_000
