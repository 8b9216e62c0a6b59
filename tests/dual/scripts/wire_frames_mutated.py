"""Mutates frames after sealing and before it, seals and opens with this interpreter's own cipher, and decodes.

Arguments: seed and frames. Prints per direction, type and way what became of them, and a digest of every outcome.
"""

import json
import sys

from protocol.compat import sha256
from protocol.errors import WireRefused
from protocol.wire import downlinks, envelope, keys, uplinks, window

SEED, FRAMES = int(sys.argv[1]), int(sys.argv[2])
COUNTER = 0xFFFFFFFF - 1000
SEEN = window.Window(0xFFFFFFFF - 65535 + 63, 1)
LOG_LENGTH_MAX = 30
state = SEED


def below(limit):
    """The next draw of 0..limit−1 (xorshift32; G. Marsaglia, 2003)."""
    global state
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state % limit


def mutated(data, other):
    """`data` with one to three bytes set, flipped, cut out or put in, or the end of another."""
    for _ in range(1 + below(3)):
        at = below(len(data) + 1)
        shape = below(6)
        byte = bytes([(0, 1, 0x17, 0x18, 0x1B, 0x80, 0xFF, below(256))[below(8)]])
        if shape == 0:
            data = data[:at] + byte + data[at + 1 :]
        elif shape == 1:
            data = data[:at] + data[at + 1 + below(3) :]
        elif shape == 2:
            data = data[:at] + byte + data[at:]
        elif shape == 3:
            data = data[:at]
        elif shape == 4 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << below(8)]) + data[at + 1 :]
        else:
            data = data[:at] + other[at:]
    return data


def receive(direction, frame):
    """The plaintext, or None. Raises WireRefused."""
    header = envelope.read_header(frame)
    extra = window.EXTRA_WINDOWS_HEADEND if direction == envelope.UP else window.EXTRA_WINDOWS_METER
    for counter in window.candidates(SEEN, header.seq, extra):
        plaintext = envelope.open_frame(key_set, direction, frame, counter)
        if plaintext is not None:
            return plaintext
    return None


def after_sealing(direction, frame, other):
    """What a receiver says to a frame changed by somebody without the key; None if nothing was changed."""
    changed = mutated(frame, other)
    if changed in sealed:
        return None
    try:
        return "tag wrong" if receive(direction, changed) is None else "accepted"
    except WireRefused as refused:
        return "{} {}".format(refused.code, refused.field)


def before_sealing(direction, kind, phase, plaintext, other):
    """What the decoder says to a changed plaintext under a right tag; None if no frame holds it."""
    changed = mutated(plaintext, other)
    if len(changed) + 11 > (222 if direction == envelope.UP else 51):
        return None
    opened = receive(direction, envelope.seal(key_set, direction, kind, COUNTER, changed))
    assert opened == changed
    try:
        if direction == envelope.UP:
            message = uplinks.decode_up(kind, opened, phase)
            assert uplinks.encode_up(message, phase) == (kind, changed)
        else:
            message = downlinks.decode_down(kind, opened)
            assert downlinks.encode_down(message, kind) == (kind, changed)
    except WireRefused as refused:
        return "{} {}".format(refused.code, refused.field)
    return "accepted"


def is_short(case):
    """Logs are slow to decode; the short ones will do."""
    return case["type"] > 1 or case["direction"] == envelope.DOWN or len(case["plaintext"]) <= 2 * LOG_LENGTH_MAX


with open("protocol/vectors/frames.jsonl") as lines:
    cases = [case for case in [json.loads(line) for line in lines] if is_short(case)]
first = cases[0]
key_set = keys.derive(
    bytes.fromhex(first["root"]), bytes.fromhex(first["meter_id"]), first["generation"], first["epoch"]
)
samples = []
for case in cases:
    plaintext = bytes.fromhex(case["plaintext"])
    frame = envelope.seal(key_set, case["direction"], case["type"], COUNTER, plaintext)
    samples.append((case["direction"], case["type"], case["phase"], plaintext, frame))
sealed = [sample[4] for sample in samples]
logs = [sample for sample in samples if sample[0] == envelope.UP and sample[1] < 2]
others = [sample for sample in samples if sample not in logs]

digests = {}
tallies = {}
done = 0
while done < FRAMES:
    direction, kind, phase, plaintext, frame = logs[below(len(logs))] if below(64) == 0 else others[below(len(others))]
    other = samples[below(len(samples))]
    if done & 1:
        way, told = "after", after_sealing(direction, frame, other[4])
    else:
        way, told = "before", before_sealing(direction, kind, phase, plaintext, other[3])
    if told is None:
        continue
    done += 1
    key = "{} {} {}".format(way, direction, kind)
    digests[key] = sha256(digests.get(key, b"") + told.encode())
    accepted, refused = tallies.get(key, (0, 0))
    tallies[key] = (accepted + 1, refused) if told == "accepted" else (accepted, refused + 1)

for key in sorted(tallies):
    print(key, tallies[key][0], tallies[key][1], digests[key].hex())
