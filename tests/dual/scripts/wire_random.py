"""Seals random messages and walks random windows; prints one digest per kind. Arguments: seed and rounds."""

import sys

from protocol.compat import sha256
from protocol.wire import cbor, downlinks, envelope, keys, log_codec, messages, parts, unwrap, uplinks, window

SEED, ROUNDS = int(sys.argv[1]), int(sys.argv[2])


class Dice:
    """A generator both interpreters agree on (xorshift32; G. Marsaglia, 2003)."""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF or 1

    def below(self, limit):
        """An integer of 0..limit−1, often a small one or the greatest."""
        self.state ^= self.state << 13 & 0xFFFFFFFF
        self.state ^= self.state >> 17
        self.state ^= self.state << 5 & 0xFFFFFFFF
        shape = self.state & 7
        if shape == 0:
            return limit - 1
        value = self.state * 2654435761 + (self.state << 40)
        return value % (min(limit, 24) if shape < 4 else limit)


dice = Dice(SEED)
digests = {}


def record(kind, data):
    digests[kind] = sha256(digests.get(kind, b"") + data)


def litres(count):
    limit = (2, 40, 300, 65536)[dice.below(4)]
    return [dice.below(limit) if dice.below(3) else 0 for _ in range(count)]


def uplink(kind):
    if kind < 2:
        head = [dice.below(limit) for limit in (4, 0x4000, 0x10000, 0x1000000, 64, 64, 16, 256)]
        if kind == 0:
            return messages.Day(*head, litres(48))
        return messages.Range(*head, litres(1 + dice.below(60)))
    if kind == 2:
        entries = [[dice.below(limit) for limit in (1 << 32, 1 << 32, 256, 1 << 53)] for _ in range(1 + dice.below(4))]
        return messages.Event(tuple([messages.EventEntry(*entry) for entry in entries]))
    if kind == 3:
        return messages.Anchor(
            *[dice.below(n) for n in (1 << 24, 1 << 40, 1 << 53, 1 << 53, 1 << 53, 1 << 53, 4, 10000, 256)]
        )
    if kind == 4:
        first_slot = dice.below(1 << 24)
        slots = 1 + dice.below(min(65535, (1 << 24) - first_slot))
        widths = (40, 24, 53, 24, 53, 24, 32, 2)
        return messages.Gap(
            first_slot, slots, *[dice.below(1 << width) for width in widths], dice.below(10000), dice.below(64)
        )
    if kind == 5:
        return messages.Result(1 + dice.below((1 << 32) - 1), dice.below(256), dice.below(256), dice.below(1 << 32))
    if kind == 6:
        return messages.Progress(dice.below(1 << 32), dice.below(1 << 24), dice.below(256), dice.below(256))
    bits = (32, 32, 32, 24, 16, 16, 16, 32, 8, 16, 32, 32, 8, 8)
    return messages.Device(*[dice.below(1 << width) for width in bits])


def downlink(kind):
    if kind == 0:
        return messages.Statement(*[dice.below(limit) for limit in (1 << 32, 1 << 53, 1 << 53, 1 << 32, 1 << 24)])
    if kind == 1:
        return messages.Time(dice.below(1 << 32), dice.below(1 << 32))
    if kind == 2:
        body = bytes([dice.below(256) for _ in range(1 + dice.below(34))])
        return parts.whole_pack(dice.below(1 << 16), dice.below(1 << 24), body)
    if kind == 3:
        first_slot, ranges = dice.below(1 << 20), []
        for _ in range(1 + dice.below(4)):
            ranges.append((first_slot, 1 + dice.below(255)))
            first_slot += ranges[-1][1] + dice.below(1 << 20)
        return messages.Nack(dice.below(1 << 32), tuple(ranges))
    if kind == 4:
        rest = [dice.below(limit) for limit in (1 << 32, 256, 1 << 32, 1 << 16)]
        return messages.Command(1 + dice.below((1 << 32) - 1), *rest)
    if kind == 5:
        return messages.Rekey(dice.below(1 << 32))
    if kind == 6:
        chunk = bytes([dice.below(256) for _ in range(dice.below(33))])
        return messages.Fragment(dice.below(1 << 32), dice.below(1 << 24), chunk)
    limits = (1 << 32, 1 << 40, 1 << 32, 1 << 16, 1 << 16, 1 << 24, 1 << 53, 1 << 53, 1 << 32)
    return messages.Opening(*[dice.below(limit) for limit in limits])


for round_number in range(ROUNDS):
    root = bytes([dice.below(256) for _ in range(16)])
    key_set = keys.derive(root, root[:8], dice.below(1 << 32), dice.below(1 << 32))
    counter, phase = dice.below(1 << 32), dice.below(48)
    message = uplink(round_number % 8)
    kind, plaintext = uplinks.encode_up(message, phase)
    assert uplinks.decode_up(kind, plaintext, phase) == message
    frame = envelope.seal(key_set, envelope.UP, kind, counter, plaintext)
    assert envelope.open_frame(key_set, envelope.UP, frame, counter) == plaintext
    record("up", frame)
    message = downlink(round_number % 8)
    kind, plaintext = downlinks.encode_down(message)
    assert downlinks.decode_down(kind, plaintext) == message
    frame = envelope.seal(key_set, envelope.DOWN, kind, counter, plaintext)
    assert len(frame) <= 51 and envelope.open_frame(key_set, envelope.DOWN, frame, counter) == plaintext
    record("down", frame)
    slots = litres(1 + dice.below(100))
    record("log", log_codec.encode(slots, phase))

seen = window.EMPTY
for _ in range(ROUNDS * 4):
    counter = max(0, seen.highest - 80 + dice.below(160))
    found = list(window.candidates(seen, counter & 0xFFFF, 2))
    fresh = window.is_fresh(seen, counter)
    if fresh:
        seen = window.accept(seen, counter)
    near = unwrap.unwrap_near(counter & 0x3FFF, 14, dice.below(1 << 20))
    forward = unwrap.unwrap_forward(counter & 0xFFFF, 16, dice.below(1 << 40))
    record("window", cbor.encode([found, fresh, seen.highest + 1, seen.bitmap, near, forward]))

for kind in sorted(digests):
    print(kind, digests[kind].hex())
