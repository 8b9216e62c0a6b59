"""100,000 mutated frames: what the tag keeps out, and what the decoders do when the tag lets everything in."""

import os
import random
from collections import Counter
from typing import Any

import pytest

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import downlinks, envelope, keys, uplinks, window
from tests.wire.limits_oracle import holds

SEED = int(os.environ.get("GUELTA_FUZZ_SEED", "20200101"))
FRAMES = 50_000
KEYS = keys.derive(cases.ROOT, cases.METER_ID, cases.GENERATION, cases.EPOCH)
COUNTER = 70_000
SEEN = window.accept(window.EMPTY, COUNTER - 1)

Sample = tuple[int, int, int, bytes]  # direction, type, phase, plaintext


def samples() -> list[Sample]:
    """A plaintext of every message of the vectors."""
    up = [(envelope.UP, *uplinks.encode_up(message, phase), phase) for _, message, phase in cases.UPLINKS]
    down = [(envelope.DOWN, *downlinks.encode_down(message, kind), 0) for _, message, kind in cases.DOWNLINKS]
    return [(direction, kind, phase, plaintext) for direction, kind, plaintext, phase in up + down]


def mutate(dice: random.Random, data: bytes, other: bytes) -> bytes:
    """`data` after one to three changes of kinds that happen to bytes, or that an attacker makes."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(changed) + 1)
        kind = dice.randrange(8)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1 and at < len(changed):
            changed[at] = dice.choice((0, 1, 0x17, 0x18, 0x1B, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            changed[at:at] = dice.randbytes(dice.randint(1, 4))
        elif kind == 3:
            del changed[at : at + dice.randint(1, 4)]
        elif kind == 4:
            del changed[at:]
        elif kind == 5:
            changed[at:] = other[dice.randrange(len(other) + 1) :]
        elif kind == 6:
            changed[at:at] = changed[: dice.randint(1, 9)]
        else:
            changed[at : at + 8] = dice.randbytes(8)
    return bytes(changed)


def receive(direction: int, frame: bytes) -> bytes | None:
    """A receiver's way from frame to plaintext; None when no counter's tag fits. Raises WireRefused."""
    header = envelope.read_header(frame)
    extra = window.EXTRA_WINDOWS_HEADEND if direction == envelope.UP else window.EXTRA_WINDOWS_METER
    for counter in window.candidates(SEEN, header.seq, extra):
        plaintext = envelope.open_frame(KEYS, direction, frame, counter)
        if plaintext is not None:
            return plaintext
    return None


@pytest.mark.slow
def test_no_frame_mutated_after_sealing_is_accepted() -> None:
    """50,000 frames changed by somebody without the key: 0 accepted, and nothing raised but WireRefused."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    sealed = [
        (direction, envelope.seal(KEYS, direction, kind, COUNTER, text)) for direction, kind, _, text in samples()
    ]
    assert all(receive(direction, frame) is not None for direction, frame in sealed)
    outcome: Counter[str] = Counter()
    while sum(outcome.values()) < FRAMES:
        direction, frame = dice.choice(sealed)
        mutated = mutate(dice, frame, dice.choice(sealed)[1])
        if (direction, mutated) in sealed:
            continue
        try:
            outcome["tag wrong" if receive(direction, mutated) is None else "accepted"] += 1
        except WireRefused as refused:
            outcome[refused.name] += 1
    print(dict(outcome))
    assert outcome["accepted"] == 0
    assert set(outcome) >= {"tag wrong", "frame-length", "frame-version"}


@pytest.mark.slow
def test_behind_the_tag_only_canonical_messages_within_limits_are_accepted() -> None:
    """50,000 plaintexts mutated and then sealed with the right key, often under another type and phase: a message is
    accepted only when its limits hold and it encodes to the same bytes; nothing is raised but WireRefused."""
    print(f"seed {SEED}")
    dice = random.Random(SEED + 1)
    corpus = samples()
    outcome: Counter[str] = Counter()
    while sum(outcome.values()) < FRAMES:
        direction, kind, phase, text = dice.choice(corpus)
        mutated = mutate(dice, text, dice.choice(corpus)[3])
        if dice.randrange(8) == 0:
            kind = dice.randrange(8)
        if len(mutated) + 11 > (222 if direction == envelope.UP else 51):
            continue
        plaintext = receive(direction, envelope.seal(KEYS, direction, kind, COUNTER, mutated))
        assert plaintext == mutated
        outcome[decode_and_judge(direction, kind, plaintext, phase)] += 1
    print(dict(outcome))
    assert outcome["accepted"] > FRAMES // 20
    assert len(outcome) > 10


def decode_and_judge(direction: int, kind: int, plaintext: bytes, phase: int) -> str:
    """The refusal's name, or "accepted" for a message that is canonical and within limits; anything else fails."""
    message: Any
    try:
        if direction == envelope.UP:
            message = uplinks.decode_up(kind, plaintext, phase)
        else:
            message = downlinks.decode_down(kind, plaintext)
    except WireRefused as refused:
        return refused.name
    assert holds(message), message
    again = uplinks.encode_up(message, phase) if direction == envelope.UP else downlinks.encode_down(message, kind)
    assert again == (kind, plaintext), message
    return "accepted"
