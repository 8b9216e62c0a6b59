"""Decodes damaged plaintexts; prints per message type how each was refused or accepted. Arguments: seed and rounds."""

import json
import sys

from protocol.compat import sha256
from protocol.errors import WireRefused
from protocol.wire import cbor, downlinks, envelope, uplinks

SEED, ROUNDS = int(sys.argv[1]), int(sys.argv[2])
state = SEED


def below(limit):
    """The next draw of 0..limit−1 (xorshift32; G. Marsaglia, 2003)."""
    global state
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state % limit


def damaged(data):
    """`data` with up to three bytes set, cut out or put in."""
    for _ in range(1 + below(3)):
        at = below(len(data) + 1)
        shape = below(4)
        byte = bytes([(0, 0x18, 0x1B, 0x5B, 0x7B, 0x9B, 0xBB, 0xFF, below(256))[below(9)]])
        if shape == 0:
            data = data[:at] + byte + data[at + 1 :]
        elif shape == 1:
            data = data[:at] + data[at + 1 + below(3) :]
        elif shape == 2:
            data = data[:at] + byte + data[at:]
        else:
            data = data[:at]
    return data


def outcome(direction, kind, plaintext, phase):
    """What the decoder says; a message that is accepted must encode to the same bytes."""
    try:
        if direction == envelope.UP:
            message = uplinks.decode_up(kind, plaintext, phase)
            assert uplinks.encode_up(message, phase) == (kind, plaintext)
        else:
            message = downlinks.decode_down(kind, plaintext)
            assert downlinks.encode_down(message, kind) == (kind, plaintext)
    except WireRefused as refused:
        return "{} {}".format(refused.code, refused.field)
    return "accepted"


def item_outcome(data):
    """The same for one CBOR item."""
    try:
        assert cbor.encode(cbor.decode(data, 4, 30)) == data
    except WireRefused as refused:
        return "{} {}".format(refused.code, refused.field)
    return "accepted"


digests = {}
tallies = {}


def record(kind, told):
    digests[kind] = sha256(digests.get(kind, b"") + told.encode())
    accepted, refused = tallies.get(kind, (0, 0))
    tallies[kind] = (accepted + 1, refused) if told == "accepted" else (accepted, refused + 1)


with open("protocol/vectors/frames.jsonl") as lines:
    for line in lines:
        case = json.loads(line)
        plaintext = bytes.fromhex(case["plaintext"])
        for _ in range(ROUNDS):
            told = outcome(case["direction"], case["type"], damaged(plaintext), case["phase"])
            record("{} {}".format(case["direction"], case["type"]), told)
with open("protocol/vectors/cbor.jsonl") as lines:
    for line in lines:
        data = bytes.fromhex(json.loads(line)["bytes"])
        for _ in range(ROUNDS):
            record("cbor", item_outcome(damaged(data)))

for kind in sorted(digests):
    print(kind, tallies[kind], digests[kind].hex())
