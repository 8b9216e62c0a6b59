"""Writes the example files from the code: `python -m protocol.vectors.generate`. Runs on the host."""

import json
from pathlib import Path
from typing import Any

from protocol.errors import WireRefused
from protocol.rules import rating, tariff
from protocol.vectors import cases, console_cases, faults, rule_cases
from protocol.wire import cbor, downlinks, envelope, keys, log_codec, parts, uplinks

FOLDER = Path(__file__).parent
KEYS = keys.derive(cases.ROOT, cases.METER_ID, cases.GENERATION, cases.EPOCH)


def fields_of(message: Any) -> list[Any]:
    """A message's fields for JSON: bytes as hex, records and tuples as lists."""
    return [plain(value) for value in message]


def plain(value: Any) -> Any:
    """One field for JSON."""
    if isinstance(value, bytes):
        return value.hex()
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def frames() -> list[dict[str, Any]]:
    """Every message sealed, both directions."""
    lines = []
    for number, (name, message, phase) in enumerate(cases.UPLINKS):
        message_type, plaintext = uplinks.encode_up(message, phase)
        lines.append(frame_line(name, envelope.UP, cases.COUNTER + number, phase, message, message_type, plaintext))
    for number, (name, message, pack_type) in enumerate(cases.DOWNLINKS):
        message_type, plaintext = downlinks.encode_down(message, pack_type)
        lines.append(frame_line(name, envelope.DOWN, cases.COUNTER + number, 0, message, message_type, plaintext))
    return lines


def frame_line(
    name: str, direction: int, counter: int, phase: int, message: Any, message_type: int, plaintext: bytes
) -> dict[str, Any]:
    """One accepted frame and everything it follows from."""
    return {
        "name": name,
        "root": cases.ROOT.hex(),
        "meter_id": cases.METER_ID.hex(),
        "generation": cases.GENERATION,
        "epoch": cases.EPOCH,
        "direction": direction,
        "counter": counter,
        "phase": phase,
        "message": type(message).__name__,
        "fields": fields_of(message),
        "type": message_type,
        "plaintext": plaintext.hex(),
        "frame": envelope.seal(KEYS, direction, message_type, counter, plaintext).hex(),
    }


def plaintexts_refused() -> list[dict[str, Any]]:
    """Plaintexts that no message is, with what the decoder says to them; `about`: the field with the fault."""
    return [
        {
            "name": f"{fault.message} {fault.field} {fault.fault}".replace("  ", " "),
            "message": fault.message,
            "about": fault.field,
            "fault": fault.fault,
            "direction": fault.direction,
            "type": fault.type,
            "plaintext": fault.plaintext.hex(),
            **refusal(decode_message, fault.direction, fault.type, fault.plaintext),
        }
        for fault in faults.all_faults()
    ]


def packs() -> list[dict[str, Any]]:
    """Bodies and the plaintexts that carry them; then parts that do not make their body."""
    lines: list[dict[str, Any]] = []
    for length in faults.BODY_LENGTHS:
        body = bytes((7 * at + length) & 0xFF for at in range(length))
        found = parts.pack_parts(2, 120_048, body)
        assert parts.join_parts(found) == body
        plaintexts = [parts.encode_part(part).hex() for part in found]
        lines.append({"name": f"{length} bytes", "body": body.hex(), "plaintexts": plaintexts})
    for name, joined in faults.wrong_parts():
        plaintexts = [parts.encode_part(part).hex() for part in joined]
        lines.append({"name": name, "plaintexts": plaintexts, **refusal(parts.join_parts, joined)})
    return lines


def decode_message(direction: int, message_type: int, plaintext: bytes) -> Any:
    """The message of either direction."""
    if direction == envelope.UP:
        return uplinks.decode_up(message_type, plaintext, 0)
    return downlinks.decode_down(message_type, plaintext)


def refusal(decode: Any, *arguments: Any) -> dict[str, Any]:
    """Code, name and field of the refusal that `decode` must raise."""
    try:
        accepted = decode(*arguments)
    except WireRefused as refused:
        return {"code": refused.code, "code_name": refused.name, "field": refused.field}
    raise AssertionError(f"accepted: {accepted}")


def frames_refused() -> list[dict[str, Any]]:
    """Frames whose header is refused (code) or whose tag is wrong under the key of frames.jsonl (code null)."""
    lines = []
    for name, direction, counter, frame in cases.refused_frames(KEYS):
        try:
            envelope.read_header(frame)
            said: dict[str, Any] = {"code": None, "code_name": None, "field": None}
            assert envelope.open_frame(KEYS, direction, frame, counter) is None
        except WireRefused as refused:
            said = {"code": refused.code, "code_name": refused.name, "field": refused.field}
        lines.append({"name": name, "direction": direction, "counter": counter, "frame": frame.hex(), **said})
    return lines


def cbor_items() -> list[dict[str, Any]]:
    """Single items: accepted ones decode and encode to the same bytes."""
    lines: list[dict[str, Any]] = []
    for text in cases.CBOR_ACCEPTED:
        assert cbor.encode(cbor.decode(bytes.fromhex(text))).hex() == text
        lines.append({"bytes": text, "accepted": True})
    for text in cases.CBOR_REFUSED:
        lines.append({"bytes": text, "accepted": False, **refusal(cbor.decode, bytes.fromhex(text))})
    return lines


def logs() -> list[dict[str, Any]]:
    """Logs both ways, and bytes that are not canonical."""
    lines: list[dict[str, Any]] = []
    for name, phase, litres in cases.LOGS:
        data = log_codec.encode(litres, phase)
        lines.append({"name": name, "phase": phase, "litres": list(litres), "bytes": data.hex()})
    for name, phase, count, text in cases.LOGS_REFUSED:
        said = refusal(log_codec.decode, bytes.fromhex(text), count, phase)
        lines.append({"name": name, "phase": phase, "count": count, "bytes": text, **said})
    return lines


def bodies() -> list[dict[str, Any]]:
    """Bodies of packs both ways: docs/TARIFFS.md gives their bytes."""
    lines: list[dict[str, Any]] = []
    for kind, rules, packs_of_kind in rule_cases.KINDS:
        for name, pack in packs_of_kind:
            body = rules.encode_body(pack)
            assert rules.decode_body(rule_cases.VERSION, rule_cases.FROM_SLOT, body) == pack
            lines.append({"name": name, "kind": kind, "fields": fields_of(pack), "body": body.hex()})
    return lines


def ratings() -> list[dict[str, Any]]:
    """What S, its remainder, the day, the month and the block position are after each slot."""
    lines: list[dict[str, Any]] = []
    for name, pack, first_slot, litres, unsure_from in rule_cases.RUNS:
        state, states = rating.NEW, []
        for at, slot_l in enumerate(litres):
            is_sure = unsure_from is None or at < unsure_from
            state = rating.rate_slot(state, pack, first_slot + at, slot_l, is_sure)
            states.append(list(state))
        body = tariff.encode_body(pack).hex()
        run = {"first_slot": first_slot, "unsure_from": unsure_from, "litres": list(litres), "states": states}
        lines.append({"name": name, "body": body, **run})
    return lines


FILES = {
    "frames.jsonl": frames,
    "plaintexts_refused.jsonl": plaintexts_refused,
    "packs.jsonl": packs,
    "frames_refused.jsonl": frames_refused,
    "cbor.jsonl": cbor_items,
    "logs.jsonl": logs,
    "bodies.jsonl": bodies,
    "ratings.jsonl": ratings,
    "console.jsonl": console_cases.lines,
}


def text_of(name: str) -> str:
    """The content of the file `name`."""
    return "".join(json.dumps(line) + "\n" for line in FILES[name]())


def main() -> None:
    """Write all files."""
    for name in FILES:
        (FOLDER / name).write_text(text_of(name))


if __name__ == "__main__":
    main()
