"""The refusing vectors leave nothing out: each field of each message has a fault of every kind that it can have."""

import json
from collections import defaultdict

import pytest

from protocol.errors import WireRefused
from protocol.vectors.faults import NO_INTEGER
from protocol.vectors.generate import FOLDER, KEYS, decode_message
from protocol.wire import envelope, messages
from tests.wire.limits_oracle import GREATEST, POSITIVE

LINES = [json.loads(line) for line in (FOLDER / "plaintexts_refused.jsonl").read_text().splitlines()]
FAULTS: dict[tuple[str, str], set[str]] = defaultdict(set)
for line in LINES:
    FAULTS[line["message"], line["about"]].add(line["fault"])

# The bits on air of what is no CBOR (docs/SPEC.md), once more.
BITS = {
    "Day": (2, 14, 16, 24, 6, 6, 4, 8),
    "Range": (2, 14, 16, 24, 6, 6, 4, 8),
    "Anchor": (32, 40, 56, 56, 56, 56, 2, 14, 8),
    "Gap": (24, 16, 40, 24, 56, 24, 56, 24, 32, 2, 14, 8),
    "Result": (32, 8, 8, 32),
    "Opening": (32, 40, 32, 16, 16, 24, 56, 56, 32),
    "Rekey": (32,),
    "Progress": (32, 24, 8, 8),
    "Fragment": (32, 24),
}
IN_CBOR = ("EventEntry", "Device", "Statement", "Time", "NackRange", "Command")
FIELDS = {kind.__name__: kind._fields for kind in vars(messages).values() if hasattr(kind, "_fields")}
FIELDS["NackRange"] = ("first_slot", "slots")


def test_every_message_is_known_here() -> None:
    """A new message must be added to the tables of this test, and so to the vectors."""
    assert set(FIELDS) == {*BITS, *IN_CBOR, "Event", "Nack", "Pack", "Poll"}


@pytest.mark.parametrize("message", IN_CBOR)
def test_each_cbor_field_is_refused_in_every_wrong_way(message: str) -> None:
    for field in FIELDS[message]:
        wanted = {"beyond its greatest", "of 2^64 - 1", "missing", "cut", *(how for how, _ in NO_INTEGER)}
        if (message, field) in POSITIVE:
            wanted.add("below its least")
        assert wanted <= FAULTS[message, field], field
    assert {"with a field too many", "without a field"} <= FAULTS[message, ""]


@pytest.mark.parametrize("message", BITS)
def test_each_fixed_field_is_refused_where_its_bits_allow_more_than_its_limit(message: str) -> None:
    rows = zip(FIELDS[message], GREATEST[message], BITS[message], strict=False)
    for field, most, bits in rows:
        wanted = set() if most == 2**bits - 1 else {"beyond its greatest", "with every bit"}
        if (message, field) in POSITIVE:
            wanted.add("below its least")
        assert wanted <= FAULTS[message, field], field


@pytest.mark.parametrize("message", BITS)
def test_each_fixed_message_is_refused_at_every_other_length(message: str) -> None:
    kind = message in ("Result", "Opening", "Rekey", "Progress", "Fragment")
    length = kind + sum(BITS[message]) // 8
    wanted = {f"of {shorter} bytes" for shorter in range(int(kind), length)}
    if message not in ("Day", "Range", "Fragment"):  # a log or a chunk follows
        wanted.add(f"of {length + 1} bytes")
    assert wanted <= FAULTS[message, ""]


@pytest.mark.parametrize(
    ("message", "about", "least"),
    [
        *(("Day", "litres", 2), ("Range", "litres", 2), ("Range", "count", 2), ("Poll", "", 1), ("Event", "events", 5)),
        *(("Gap", "slots", 2), ("Nack", "log_generation", 13), ("Nack", "ranges", 8), ("ExtendedUp", "kind", 5)),
        *(("ExtendedDown", "kind", 5), ("Fragment", "", 8)),
        *((kind, about, 2) for kind in ("Tariff", "Policy", "Plan") for about in ("part", "hash4", "chunk")),
    ],
)
def test_what_no_table_holds_has_its_faults_too(message: str, about: str, least: int) -> None:
    assert len(FAULTS[message, about]) >= least


@pytest.mark.parametrize("kind", ["Tariff", "Policy", "Plan"])
def test_every_byte_that_is_no_part_is_refused(kind: str) -> None:
    found = FAULTS[kind, "part"]
    assert {f"{count} of {count}" for count in range(1, 9)} | {f"0 of {count}" for count in range(9, 17)} <= found
    assert {f"of {length} bytes" for length in range(5)} <= FAULTS[kind, ""]


def test_behind_a_right_tag_each_is_refused_as_its_line_says() -> None:
    """Sealed with the right key where a frame holds it: the tag is right, and still nothing is taken."""
    sealed = 0
    for line in LINES:
        plaintext = bytes.fromhex(line["plaintext"])
        try:
            frame = envelope.seal(KEYS, line["direction"], line["type"], 7, plaintext)
        except WireRefused as refused:
            assert refused.name == line["code_name"] == "frame-length"
            continue
        sealed += 1
        opened = envelope.open_frame(KEYS, line["direction"], frame, 7)
        assert opened == plaintext
        with pytest.raises(WireRefused) as caught:
            decode_message(line["direction"], line["type"], opened)
        assert (caught.value.code, caught.value.name, caught.value.field) == (
            line["code"],
            line["code_name"],
            line["field"],
        )
    assert sealed > 900
