"""The books are append-only (I2): the chain is computed again here, from docs/LEDGER.md and the rows."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import cbor2

from ..books_seen import Books
from ..evidence import Evidence
from ..finding import Finding

TABLES = {
    1: "account", 2: "role_account", 3: "tariff", 4: "pack", 5: "uplink", 6: "segment", 7: "entry", 8: "transfer",
    9: "statement", 10: "till_event", 11: "payment", 12: "meter_event", 13: "tariff_terms", 14: "rating_notice",
    15: "lost_slots", 16: "field_record", 20: "audit",
}  # fmt: skip
# What a chain does not cover: half-hours and their salt may be erased, and carriage is nobody's money (F4, CT-22).
_LEFT_OUT = {"uplink": {"salt", "slots", "bearer"}}
# Columns that came after rows were chained: their name and value follow the rest, where they are not 0.
_LATER = {"statement": ("recovered_debit_mills",)}
_RECORD, _ID = 28, 7


def check_I2(evidence: Evidence) -> list[Finding]:
    """Append-only: each link is the hash of the one before and of its rows, each row has the digest of its commit, no
    row is missing and none is there that no commit made; half-hours that are still kept are those of their hash; and
    every table of the books refuses to be changed. What the books' own checks say against them is said here too."""
    texts = (*_links(evidence.books), *_refusals(evidence.books), *evidence.own_faults)
    return [Finding("I2", 0, text) for text in texts]


def _links(books: Books) -> Iterator[str]:
    before, listed = bytes(32), dict[tuple[str, int], bytes]()
    for batch in books.rows("batch"):
        head = cbor2.dumps([before, batch["id"], batch["lane"], batch["format"], batch["committed_us"]])
        before = sha256(head + batch["manifest"]).digest()
        if batch["hash"] != before:
            yield f"the chain breaks at commit {batch['id']}"
        for at in range(0, len(batch["manifest"]), _RECORD):
            record = batch["manifest"][at : at + _RECORD]
            name = TABLES.get(record[0], f"number {record[0]}")
            listed[name, int.from_bytes(record[1 : 1 + _ID], "big")] = record[1 + _ID :]
        before = batch["hash"]
    for name in TABLES.values():
        for row in books.rows(name):
            later = _LATER.get(name, ())
            kept = [value for column, value in row.items() if column not in (*_LEFT_OUT.get(name, ()), *later)]
            kept += [part for column in later if row.get(column) for part in (column, row[column])]
            if listed.pop((name, row["id"]), None) != sha256(cbor2.dumps([name, *kept])).digest()[:20]:
                yield f"row {row['id']} of {name} is not what was committed"
            slots = row.get("slots") if name == "uplink" else None
            if slots is not None and sha256(row["salt"] + slots).digest() != row["slots_hash"]:
                yield f"the half-hours of uplink {row['id']} are not those of their hash"
    for name, row_id in listed:
        yield f"row {row_id} of {name} is gone"


def _refusals(books: Books) -> Iterator[str]:
    triggers = {row["name"] for row in books.rows("sqlite_master") if row["type"] == "trigger"}
    for name in (*TABLES.values(), "batch"):
        for verb in ("update", "delete"):
            if f"{name}_no_{verb}" not in {trigger.lower() for trigger in triggers}:
                yield f"{name} would let itself be changed by {verb}"
