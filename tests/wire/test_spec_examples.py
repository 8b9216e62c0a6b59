"""docs/SPEC.md says what the code does: its examples, priors, limits, refusals and event codes."""

import re
from pathlib import Path
from typing import Any

import pytest

from headend.bearers.chirpstack import F_PORT
from protocol.refusal_texts import TABLE
from protocol.vectors.shapes import RECORDS, SEQUENCES, Record
from protocol.wire import (
    cbor,
    command_codes,
    downlinks,
    envelope,
    event_codes,
    keys,
    limits,
    log_codec,
    messages,
    parts,
    uplinks,
)
from protocol.wire.envelope import DOWN, UP
from protocol.wire.messages import (
    Anchor,
    Command,
    Device,
    Event,
    EventEntry,
    Gap,
    Nack,
    Opening,
    Range,
    Rekey,
    Result,
    Time,
)
from protocol.wire.priors import PRIORS

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text()
EXAMPLES = {name: bytes.fromhex(text) for name, text in re.findall(r"^    (\w+) +([0-9a-f]+)$", SPEC, re.MULTILINE)}
KEYS = keys.derive(EXAMPLES["root"], EXAMPLES["meter_id"], 1, 9)
LITRES = (
    [0] * 12 + [9, 31, 6, 0, 3, 0, 0, 1, 12, 0, 0, 0, 20, 4, 0, 0, 0, 0, 9, 0, 0, 2, 64, 17, 0, 6, 9, 0, 0, 3] + [0] * 6
)
SLOT = 25_496
# Where a name has another limit in another message.
SPECIAL = {
    ("EventEntry", "argument"): "argument of an event",
    ("Command", "argument"): "argument of a COMMAND",
    ("Gap", "slots"): "slots in a GAP",
    ("NackRange", "slots"): "slots in a range of a NACK",
    ("Progress", "version"): "version of an update",
    ("Fragment", "version"): "version of an update",
}
HEADINGS = {
    "Day": "DAY (0)",
    "Range": "DAY (0)",
    "Anchor": "ANCHOR (4)",
    "Gap": "GAP (5)",
    "Result": "EXTENDED (7), kind 0: RESULT",
    "Tariff": "TARIFF (3)",
    "Policy": "TARIFF (3)",
    "Plan": "TARIFF (3)",
    "Opening": "EXTENDED (7), kind 0: OPENING",
    "Rekey": "EXTENDED (7), kind 1: REKEY",
    "Progress": "EXTENDED (7), kind 1: PROGRESS",
    "Fragment": "EXTENDED (7), kind 2: FRAGMENT",
}
CHECKED = {
    *("root", "meter_id", "info_up", "info_down", "info_iv", "up_key", "down_key", "common_iv"),
    *("poll_nonce", "poll_aad", "poll_frame", "day_log", "day_plain", "day_nonce", "day_aad", "day_frame"),
    *(
        "st_plain",
        "st_nonce",
        "st_frame",
        "gap_plain",
        "gap_frame",
        "nack_plain",
        "nack_frame",
        "cmd_plain",
        "cmd_frame",
    ),
    *("res_plain", "res_frame", "rekey_plain", "rekey_frame", "part_first", "part_second", "part_third"),
    *("dev_plain", "event_plain", "time_plain", "anch_plain", "open_plain", "range_plain"),
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table rows below `heading`, without its two head lines."""
    text = SPEC.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_example_is_checked_here() -> None:
    assert set(EXAMPLES) == CHECKED


def test_the_keys_of_the_example() -> None:
    context = EXAMPLES["meter_id"] + bytes.fromhex("0000000100000009")
    for name, identity, use, length in (("up", b"\0", "Key", 16), ("down", b"\1", "Key", 16), ("iv", b"", "IV", 13)):
        assert cbor.encode([identity, context, 10, use, length]) == EXAMPLES[f"info_{name}"]
    assert KEYS[3:] == (EXAMPLES["up_key"], EXAMPLES["down_key"], EXAMPLES["common_iv"])


def test_the_poll_of_the_example() -> None:
    assert keys.nonce(KEYS.common_iv, keys.SENDER_UP, 5) == EXAMPLES["poll_nonce"]
    assert envelope.additional_data(KEYS.meter_id, EXAMPLES["poll_frame"][0]) == EXAMPLES["poll_aad"]
    assert envelope.seal(KEYS, UP, messages.UP_POLL, 5, b"") == EXAMPLES["poll_frame"]


def test_the_day_of_the_example() -> None:
    assert log_codec.encode(LITRES, 0) == EXAMPLES["day_log"]
    day = messages.Day(0, SLOT & 0x3FFF, 41_230, 5_110_464, 3, 17, 2, 0, LITRES)
    assert uplinks.encode_up(day, 0) == (messages.UP_DAY, EXAMPLES["day_plain"])
    assert keys.nonce(KEYS.common_iv, keys.SENDER_UP, 70_000) == EXAMPLES["day_nonce"]
    assert envelope.additional_data(KEYS.meter_id, EXAMPLES["day_frame"][0]) == EXAMPLES["day_aad"]
    assert envelope.seal(KEYS, UP, messages.UP_DAY, 70_000, EXAMPLES["day_plain"]) == EXAMPLES["day_frame"]


def test_the_statement_of_the_example() -> None:
    statement = messages.Statement(18, 100_000_000, 1_000, 0, SLOT + 48)
    assert downlinks.encode_down(statement) == (messages.DOWN_STATEMENT, EXAMPLES["st_plain"])
    assert keys.nonce(KEYS.common_iv, keys.SENDER_DOWN, 18) == EXAMPLES["st_nonce"]
    assert envelope.seal(KEYS, DOWN, messages.DOWN_STATEMENT, 18, EXAMPLES["st_plain"]) == EXAMPLES["st_frame"]


SEALED = (
    ("gap", 70_001, Gap(25_544, 96, 41_930, 41_426, 11_558_154, 5_165_148, 250_000, 250_000, 930, 0, 1_234, 5)),
    ("nack", 19, Nack(0, ((25_496, 48), (25_592, 12)))),
    ("cmd", 20, Command(7, 1_793_494_800, command_codes.VALVE_OPEN, 3_600, 200)),
    ("res", 70_002, Result(7, command_codes.VALVE_OPEN, command_codes.DONE, 1_793_491_205)),
    ("rekey", 21, Rekey(10)),
)


@pytest.mark.parametrize(("name", "counter", "message"), SEALED)
def test_the_sealed_messages_of_the_examples(name: str, counter: int, message: Any) -> None:
    direction = UP if name in ("gap", "res") else DOWN
    kind, plaintext = uplinks.encode_up(message) if direction == UP else downlinks.encode_down(message)
    assert plaintext == EXAMPLES[f"{name}_plain"]
    assert envelope.seal(KEYS, direction, kind, counter, plaintext) == EXAMPLES[f"{name}_frame"]


PLAIN = (
    ("dev", Device(0, 3, 17, 25_496, 2, 1, 0, 12, 1, 3_600, 100, 7, 48, 0), 0),
    ("event", Event((EventEntry(9, 1_793_491_200, event_codes.VALVE_CLOSED, 33),)), 0),
    ("anch", Anchor(25_544, 41_426, 100_000_000, 1_000, 5_165_148, 250_000, 0, 1_234, 0), 0),
    ("range", Range(0, SLOT & 0x3FFF, 41_230, 34, 3, 17, 2, 0x80, (0, 0, 5)), 24),
)


@pytest.mark.parametrize(("name", "message", "phase"), PLAIN)
def test_the_uplink_plaintexts_of_the_examples(name: str, message: Any, phase: int) -> None:
    assert uplinks.encode_up(message, phase)[1] == EXAMPLES[f"{name}_plain"]


def test_the_downlink_plaintexts_of_the_examples() -> None:
    assert downlinks.encode_down(Time(70_000, 1_793_491_205))[1] == EXAMPLES["time_plain"]
    opening = Opening(1, 41_000, 0, 0, 0, 25_490, 50_000_000, 0, 1)
    assert downlinks.encode_down(opening)[1] == EXAMPLES["open_plain"]
    cut = parts.pack_parts(3, 25_592, bytes(range(1, 66)))
    assert [parts.encode_part(part) for part in cut] == [
        EXAMPLES[f"part_{nth}"] for nth in ("first", "second", "third")
    ]


def test_the_priors_are_those_of_the_code() -> None:
    assert "".join(re.findall(r"^    ([0-9a-f]{32})$", SPEC, re.MULTILINE)) == PRIORS.hex()


def test_the_refusals_are_those_of_the_code() -> None:
    told = {int(code): (name, remedy) for code, name, remedy in rows("12. Refusals")}
    assert told == {code: text for code, text in TABLE.items() if code < 100}


def test_the_limits_are_those_of_the_code() -> None:
    """Every field of every table, by its name, or by its name and message where two differ."""
    told = {name: int(most) for names, most in rows("11. Limits") for name in names.split(", ")}
    used = set()
    for shape in (*SEQUENCES, *RECORDS):
        for field, _, most, *_ in shape.fields:
            name = SPECIAL.get((shape.message, field), field)
            assert told[name] == most, (shape.message, field)
            used.add(name)
    others = {
        "litres in a slot": limits.SLOT_LITRES_MAX,
        "slots in a RANGE": limits.RANGE_SLOTS_MAX,
        "bytes in a whole body": limits.WHOLE_BODY_MAX,
        "bytes in the body of a pack": limits.BODY_MAX,
        "bytes in a chunk": limits.PACK_CHUNK,
        "bytes in a fragment": limits.UPDATE_CHUNK_MAX,
        "parts of a pack": limits.PACK_PARTS_MAX,
        "events in an EVENT": limits.EVENTS_MAX,
        "ranges in a NACK": limits.NACK_RANGES_MAX,
    }
    assert {name: told[name] for name in others} == others
    assert set(told) == used | set(others)


def test_the_port_is_that_of_the_code() -> None:
    assert f"on FPort {F_PORT}." in SPEC


def codes_told(section: str) -> dict[int, str]:
    """Number and name of a table of codes."""
    text = SPEC.split(f"### {section}", 1)[1].split("### ", 1)[0]
    return {int(code): name for code, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", text, re.MULTILINE)}


def test_the_commands_and_outcomes_are_those_of_the_code() -> None:
    commands = codes_told("COMMAND (5)")
    assert commands == {getattr(command_codes, name): name for name in commands.values()}
    assert len(commands) == command_codes.TELL
    row = re.search(r"^\| 6 \| 1 \| outcome \| (.*) \|$", SPEC, re.MULTILINE)
    assert row is not None
    outcomes = {int(number): name for number, name in re.findall(r"(\d) ([A-Z_]+)", row.group(1))}
    assert outcomes == {getattr(command_codes, name): name for name in outcomes.values()}
    assert set(outcomes.values()) | set(commands.values()) == {
        name for name in vars(command_codes) if name.isupper() and not name.endswith("_MAX")
    }
    for most in (command_codes.OPEN_S_MAX, command_codes.CLOSE_S_MAX):
        assert f"1 to {most}" in SPEC


@pytest.mark.parametrize("shape", RECORDS, ids=lambda shape: shape.message)
def test_the_tables_of_offsets_are_those_of_the_code(shape: Record) -> None:
    """Each fixed field at its offset with its bytes; fields that share bytes stand in one row."""
    text = SPEC.split(f"### {HEADINGS[shape.message]}", 1)[1].split("### ", 1)[0]
    told = re.findall(r"^\| (\d+) \| (\d+) \| ([\w, ]+) \|", text, re.MULTILINE)
    places = {name: (int(at), int(size)) for at, size, names in told for name in names.split(", ")}
    bit = 8 * len(shape.before)
    for field, _, _, bits in shape.fields:
        at, size = places[field]
        assert 8 * at <= bit and bit + bits <= 8 * (at + size), field
        assert bits % 8 or (bit, bits) == (8 * at, 8 * size), field
        bit += bits


def test_the_event_codes_are_those_of_the_code() -> None:
    assert codes_told("EVENT (3)") == {
        value: name for name, value in vars(event_codes).items() if name.isupper() and isinstance(value, int)
    }


def test_every_field_of_every_message_is_told() -> None:
    records = [kind for kind in vars(messages).values() if hasattr(kind, "_fields")]
    fields = {field for record in records for field in record._fields}
    assert {field for field in fields if not re.search(rf"\b{field}\b", SPEC)} == set()
