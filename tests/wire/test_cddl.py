"""protocol/messages.cddl against every vector, by two independent CDDL libraries: what it allows and what it refuses.

zcbor is the exact judge. pycddl (0.6) must accept all that is accepted; of what is refused it lets some pass: bytes in
the place of a number, any second item of `[1*4 event]`, any number of them, and text for `bstr .size 8`.
"""

import json
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2
import pytest
from pycddl import Schema, ValidationError
from zcbor import CddlValidationError, DataTranslator

from headend.bearers.http import CONTENT_TYPE, BodyRefused, read_pairs
from protocol.vectors.generate import FOLDER
from protocol.wire import cbor, messages
from protocol.wire.envelope import DOWN, UP

TEXT = (Path(__file__).resolve().parents[2] / "protocol" / "messages.cddl").read_text()

# (direction, type) → rule; of EXTENDED by its kind, of a plaintext without a kind that is in use the first.
RULES = {
    (UP, messages.UP_DAY): "day-message",
    (UP, messages.UP_RANGE): "range-message",
    (UP, messages.UP_POLL): "poll-message",
    (UP, messages.UP_EVENT): "event-message",
    (UP, messages.UP_ANCHOR): "anchor-message",
    (UP, messages.UP_GAP): "gap-message",
    (UP, messages.UP_DEVICE): "device-message",
    (UP, messages.UP_EXTENDED): "result-message",
    (DOWN, messages.DOWN_STATEMENT): "statement-message",
    (DOWN, messages.DOWN_TIME): "time-message",
    (DOWN, messages.DOWN_NACK): "nack-message",
    (DOWN, messages.DOWN_TARIFF): "pack-message",
    (DOWN, messages.DOWN_POLICY): "pack-message",
    (DOWN, messages.DOWN_COMMAND): "command-message",
    (DOWN, messages.DOWN_PLAN): "pack-message",
    (DOWN, messages.DOWN_EXTENDED): "opening-message",
}
KINDS = {(UP, b"\x01"): "progress-message", (DOWN, b"\x01"): "rekey-message", (DOWN, b"\x02"): "fragment-message"}
IN_CBOR = {"event-message", "device-message", "statement-message", "time-message", "nack-message", "command-message"}

# What CDDL cannot say: the form of the CBOR, and where ranges lie.
BEYOND_CDDL = {
    "a long head",
    "of indefinite length",
    "out of order",
    "twice the same",
    "overlapping",
    "beyond the last slot",
}


def rule_of(direction: int, message_type: int, plaintext: bytes) -> str:
    if message_type == messages.UP_EXTENDED == messages.DOWN_EXTENDED:
        return KINDS.get((direction, plaintext[:1]), RULES[direction, message_type])
    return RULES[direction, message_type]


# pycddl: one schema a rule, with the rule in front. zcbor: all rules of the file.
SCHEMAS = {
    rule: Schema(f"this = {rule}\n{TEXT}") for rule in (*RULES.values(), *KINDS.values(), "uplinks", "downlinks")
}
TRANSLATORS = DataTranslator.from_cddl(TEXT, 2000).my_types


def document(rule: str, plaintext: bytes) -> bytes:
    """What the rule describes: the sequence as an array, or the fixed bytes as a byte string."""
    if rule not in IN_CBOR:
        return cbor2.dumps(plaintext)
    stream = BytesIO(plaintext)
    decoder = cbor2.CBORDecoder(stream, read_size=1)
    items = 0
    while stream.tell() < len(plaintext):
        decoder.decode()
        items += 1
    return cbor.head(4, items) + plaintext


def pycddl_accepts(rule: str, whole: bytes) -> bool:
    try:
        SCHEMAS[rule].validate_cbor(whole)
    except (ValidationError, ValueError):
        return False
    return True


def pycddl_is_lax(line: dict[str, Any]) -> bool:
    """Whether it is known to let this fault pass."""
    return (
        line["fault"] == "bytes"
        or line["message"] in ("Event", "EventEntry")
        or line["name"] == "Nack log_generation missing"
    )


def zcbor_accepts(rule: str, whole: bytes) -> bool:
    try:
        TRANSLATORS[rule].validate_str(whole)
    except (CddlValidationError, cbor2.CBORDecodeError):
        return False
    return True


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def test_every_message_that_is_accepted_is_what_the_cddl_says() -> None:
    told: Counter[str] = Counter()
    for line in lines("frames.jsonl"):
        plaintext = bytes.fromhex(line["plaintext"])
        rule = rule_of(line["direction"], line["type"], plaintext)
        whole = document(rule, plaintext)
        assert pycddl_accepts(rule, whole), line["name"]
        assert zcbor_accepts(rule, whole), line["name"]
        told[rule] += 1
    assert set(told) == set(SCHEMAS) - {"uplinks", "downlinks"}, "a rule without a vector says nothing"


def test_the_cddl_refuses_what_the_decoders_refuse_where_it_can_say_so() -> None:
    outcome: Counter[str] = Counter()
    for line in lines("plaintexts_refused.jsonl"):
        plaintext = bytes.fromhex(line["plaintext"])
        rule = rule_of(line["direction"], line["type"], plaintext)
        try:
            whole = document(rule, plaintext)
        except cbor2.CBORDecodeError:
            outcome["no CBOR"] += 1
            continue
        refused = not zcbor_accepts(rule, whole)
        if rule in IN_CBOR:
            assert refused != (line["fault"] in BEYOND_CDDL), line["name"]
        elif str(line["fault"]).endswith(" bytes") and line["message"] not in ("Tariff", "Policy", "Plan"):
            assert refused, line["name"]  # a length; of fixed fields CDDL says no more
        outcome["refused by zcbor" if refused else "beyond CDDL"] += 1
        refused_twice = refused and not pycddl_accepts(rule, whole)
        outcome["refused by pycddl"] += refused_twice
        assert refused_twice or not refused or pycddl_is_lax(line), line["name"]
    print(dict(outcome))
    assert outcome["refused by zcbor"] > 500
    assert outcome["refused by pycddl"] > 400


METER = bytes(8)
FRAMES = {
    direction: [bytes.fromhex(line["frame"]) for line in lines("frames.jsonl") if line["direction"] == direction]
    for direction in (UP, DOWN)
}


def test_the_bodies_of_the_uplinks_endpoint_are_what_the_cddl_says() -> None:
    """CT-22: a gateway posts many meters' frames at once; the answer may be empty."""
    body = cbor.encode([[METER, frame] for frame in FRAMES[UP]])
    assert zcbor_accepts("uplinks", body) and pycddl_accepts("uplinks", body)
    assert read_pairs(CONTENT_TYPE, body) == [(METER, frame) for frame in FRAMES[UP]]
    most = cbor.encode([[METER, FRAMES[UP][0]]] * 500)
    assert zcbor_accepts("uplinks", most) and len(read_pairs(CONTENT_TYPE, most)) == 500
    for answered in ([], [[METER, frame] for frame in FRAMES[DOWN]]):
        assert zcbor_accepts("downlinks", cbor.encode(answered)) and pycddl_accepts("downlinks", cbor.encode(answered))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        0,
        [METER, FRAMES[UP][0]],
        [[METER]],
        [[METER, FRAMES[UP][0], 0]],
        [[METER[:7], FRAMES[UP][0]]],
        [[METER + b"x", FRAMES[UP][0]]],
        [["guelta-1", FRAMES[UP][0]]],
        [[METER, "a frame of text"]],
        [[METER, FRAMES[UP][0]]] * 501,
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_another_body_is_refused_by_the_cddl_and_by_the_headend(wrong: Any) -> None:
    body = cbor2.dumps(wrong)
    assert not zcbor_accepts("uplinks", body)
    with pytest.raises(BodyRefused):
        read_pairs(CONTENT_TYPE, body)


@pytest.mark.parametrize(("rule", "length"), [("uplinks", 10), ("uplinks", 223), ("downlinks", 10), ("downlinks", 52)])
def test_a_frame_of_another_length_is_no_frame(rule: str, length: int) -> None:
    """The headend refuses such a frame by itself and takes the others of the body."""
    assert not zcbor_accepts(rule, cbor2.dumps([[METER, bytes(length)]]))
    assert not pycddl_accepts(rule, cbor2.dumps([[METER, bytes(length)]]))
