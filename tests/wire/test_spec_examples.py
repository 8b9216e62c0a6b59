"""docs/SPEC.md says what the code does: its examples, priors, limits, refusals and event codes."""

import re
from pathlib import Path

from protocol.refusal_texts import TABLE
from protocol.wire import cbor, downlinks, envelope, event_codes, keys, limits, log_codec, messages, uplinks
from protocol.wire.envelope import DOWN, UP
from protocol.wire.priors import PRIORS

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text()
EXAMPLES = {name: bytes.fromhex(text) for name, text in re.findall(r"^    (\w+) +([0-9a-f]+)$", SPEC, re.MULTILINE)}
KEYS = keys.derive(EXAMPLES["root"], EXAMPLES["meter_id"], 1, 9)
LITRES = (
    [0] * 12 + [9, 31, 6, 0, 3, 0, 0, 1, 12, 0, 0, 0, 20, 4, 0, 0, 0, 0, 9, 0, 0, 2, 64, 17, 0, 6, 9, 0, 0, 3] + [0] * 6
)
SLOT = 25_496
CHECKED = {
    *("root", "meter_id", "info_up", "info_down", "info_iv", "up_key", "down_key", "common_iv"),
    *("poll_nonce", "poll_aad", "poll_frame", "day_log", "day_plain", "day_nonce", "day_aad", "day_frame"),
    *("st_plain", "st_nonce", "st_frame"),
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


def test_the_priors_are_those_of_the_code() -> None:
    assert "".join(re.findall(r"^    ([0-9a-f]{32})$", SPEC, re.MULTILINE)) == PRIORS.hex()


def test_the_refusals_are_those_of_the_code() -> None:
    told = {int(code): (name, remedy) for code, name, remedy in rows("12. Refusals")}
    assert told == {code: text for code, text in TABLE.items() if code < 100}


def test_the_limits_are_those_of_the_code() -> None:
    told = {name: int(most) for names, most in rows("11. Limits") for name in names.split(", ")}
    assert told["credited_mills"] == limits.MILLS_MAX
    assert told["volume_l"] == limits.VOLUME_MAX
    assert told["slot"] == limits.SLOT_MAX
    assert told["number"] == limits.U32_MAX
    assert told["version"] == limits.U16_MAX
    assert told["code"] == limits.U8_MAX
    assert told["remainder"] == limits.REMAINDER_MAX
    assert told["litres in a slot"] == limits.SLOT_LITRES_MAX
    assert told["slots in a RANGE"] == limits.RANGE_SLOTS_MAX
    assert told["bytes in the body of a pack"] == limits.PACK_BODY_MAX
    assert told["events in an EVENT"] == limits.EVENTS_MAX


def test_the_event_codes_are_those_of_the_code() -> None:
    section = SPEC.split("### EVENT (3)", 1)[1].split("### ", 1)[0]
    told = {int(code): name for code, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", section, re.MULTILINE)}
    assert told == {
        value: name for name, value in vars(event_codes).items() if name.isupper() and isinstance(value, int)
    }


def test_every_field_of_every_message_is_told() -> None:
    records = (
        messages.Day,
        messages.EventEntry,
        messages.Anchor,
        messages.Device,
        messages.Statement,
        messages.Opening,
    )
    missing = {field for record in records for field in record._fields if not re.search(rf"\b{field}\b", SPEC)}
    assert missing == set()
