"""Keeps every byte of a wire version as it was: `python -m protocol.vectors.freeze`. Runs on the host.

A *fact* is one line of the vectors, or one constant that decides bytes. frozen_v1.txt holds a digest of each fact of
version 1. Facts may be added, never changed or taken away: who must change one raises `envelope.VERSION`.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocol import refusal_texts
from protocol.rules import reason_codes
from protocol.vectors.generate import FILES, FOLDER
from protocol.vectors.shapes import RECORDS, SEQUENCES
from protocol.wire import (
    command_codes,
    console,
    console_codes,
    envelope,
    event_codes,
    grants,
    keys,
    limits,
    manifest,
    messages,
    update_codes,
    window,
)
from protocol.wire.priors import PRIORS

DIGEST_DIGITS = 16
# What a line calls itself, and which of several faults is named, is no byte of the wire.
WORDS = ("name", "code", "code_name", "field", "about", "fault")

# One whole manifest, made of its fields.
MANIFEST = manifest.encode(manifest.Manifest("qemu-mps2", 10_203, 10_000, 300_000, bytes(range(32)), bytes(range(64))))

CHANGED = """Wire version {version} is not what it was:
{facts}
Meters in the field speak version {version}. Undo the change; or, if the wire must change, raise VERSION in
protocol/wire/envelope.py, write the new version into docs/SPEC.md, and run: python -m protocol.vectors.freeze"""
ADDED = """Not frozen yet in version {version}:
{facts}
If this is an addition that docs/SPEC.md allows, run: python -m protocol.vectors.freeze"""


def facts() -> dict[str, str]:
    """digest → label of every fact of the code as it is."""
    return {digest(text): label for label, text in (*vector_facts(), *constant_facts())}


def digest(text: str) -> str:
    """The first digits of the SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def vector_facts() -> Iterator[tuple[str, str]]:
    """(label, text) of each line of the vectors."""
    for file, lines in FILES.items():
        for line in lines():
            is_refused = line.get("accepted") is False or "code" in line
            told = {key: value for key, value in line.items() if key not in WORDS}
            label = f"{file} {line.get('name', line.get('bytes'))}"
            yield label, f"{file} {is_refused} {json.dumps(told, sort_keys=True)}"


def constant_facts() -> Iterator[tuple[str, str]]:
    """(label, text) of what decides bytes without being in an example: numbers, names of codes, keys, tables."""
    for label, value in constants():
        yield label, f"{label} = {value!r}"


def constants() -> Iterator[tuple[str, Any]]:
    """(label, value) of each."""
    yield "priors", PRIORS.hex()
    yield "salt", keys.SALT
    yield "algorithm, key and IV length", (keys.ALGORITHM, keys.KEY_LENGTH, keys.IV_LENGTH)
    yield "senders up, down, none", (keys.SENDER_UP, keys.SENDER_DOWN, keys.SENDER_NONE)
    yield "additional data of no meter", envelope.additional_data(bytes(8), 0)
    yield "version", envelope.VERSION
    yield "window", (window.SIZE, window.EXTRA_WINDOWS_HEADEND, window.EXTRA_WINDOWS_METER)
    yield "frames", (limits.OVERHEAD, limits.FRAME_UP_MAX, limits.FRAME_DOWN_MAX)
    yield "plaintexts", (limits.PLAINTEXT_UP_MAX, limits.PLAINTEXT_DOWN_MAX)
    yield (
        "slots of a day, a RANGE, litres of one",
        (
            *(limits.SLOTS_PER_DAY, limits.RANGE_SLOTS_MAX),
            limits.SLOT_LITRES_MAX,
        ),
    )
    yield "events, ranges of a NACK", (limits.EVENTS_MAX, limits.NACK_RANGES_MAX)
    yield "bodies", (limits.WHOLE_BODY_MAX, limits.BODY_MAX, limits.PACK_CHUNK, limits.PACK_PARTS_MAX)
    yield "bytes of an update in a frame", limits.UPDATE_CHUNK_MAX
    yield "head of a manifest, largest image", (manifest.HEAD, manifest.IMAGE_MAX)
    yield "manifest", MANIFEST.hex()
    yield "CBOR depth and items", (limits.CBOR_DEPTH_MAX, limits.CBOR_ITEMS_MAX)
    yield "longest orders", (command_codes.OPEN_S_MAX, command_codes.CLOSE_S_MAX)
    yield "longest grant, most uses", (grants.GRANT_S_MAX, grants.USES_MAX)
    yield "fields of Grant", grants.Grant._fields
    for shape in (*SEQUENCES, *RECORDS):
        yield f"table of {shape.message}", (shape.direction, shape.type, shape.fields)
    for kind in vars(messages).values():
        if hasattr(kind, "_fields"):
            yield f"fields of {kind.__name__}", kind._fields
    for module in (event_codes, command_codes, reason_codes, messages, console, console_codes, update_codes):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, int) and not name.endswith("_MAX"):
                yield f"{module.__name__.rpartition('.')[2]} {name}", value
    for code, (name, _) in refusal_texts.TABLE.items():
        yield f"refusal {name}", code


def frozen(path: Path) -> dict[str, str]:
    """digest → label as the file holds them; nothing when there is none."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split(" ", 1) for line in lines)


def path_of(version: int) -> Path:
    """The frozen facts of a version."""
    return FOLDER.joinpath(f"frozen_v{version}.txt")


def judge(kept: dict[str, str], now: dict[str, str], version: int) -> str:
    """What to say about the difference; nothing when there is none."""
    gone = [label for key, label in kept.items() if key not in now]
    new = [label for key, label in now.items() if key not in kept]
    if gone or new:
        told = "\n".join(f"  {label}" for label in (gone or new)[:20])
        return (CHANGED if gone else ADDED).format(version=version, facts=told)
    return ""


def main() -> int:
    """Add what is new; refuse when something that was frozen is no longer so."""
    path, now = path_of(envelope.VERSION), facts()
    kept = frozen(path)
    if any(key not in now for key in kept):
        sys.stderr.write(judge(kept, now, envelope.VERSION) + "\n")
        return 1
    path.write_text("".join(f"{key} {label}\n" for key, label in now.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
