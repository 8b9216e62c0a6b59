"""The hash chain over the books: one link per commit, so that a changed, added or missing row shows, and which one.

A batch holds a manifest, 28 bytes per row it committed: table number u8 | row id u56 | first 20 bytes of the row's
SHA-256. The link is SHA-256(previous hash ‖ id ‖ lane ‖ format ‖ committed_us ‖ manifest). A row's digest covers every
column in the table's order except the erasable ones, whose salted hash is a column of its own (SEMANTICS F4), and the
name of the bearer: the same frames make the same chain whatever carried them (CT-22). A column that came later follows
with its name, where it is not 0: so rows from before it keep their digests.
The same machine that holds the file can forge the whole chain; publishing the head elsewhere is what prevents that.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import cbor2
from sqlalchemy import Table

from headend.storage import tables
from headend.storage.columns import CARRIAGE, ERASABLE, LATER

FORMAT = 1
LANE = 0
GENESIS = bytes(32)

_DIGEST_BYTES = 20
_ID_BYTES = 7
RECORD_BYTES = 1 + _ID_BYTES + _DIGEST_BYTES

# A table's number in a manifest; a number is never given to another table.
CHAINED: dict[str, int] = {
    "account": 1,
    "role_account": 2,
    "tariff": 3,
    "pack": 4,
    "uplink": 5,
    "segment": 6,
    "entry": 7,
    "transfer": 8,
    "statement": 9,
    "till_event": 10,
    "payment": 11,
    "meter_event": 12,
    "tariff_terms": 13,
    "rating_notice": 14,
    "lost_slots": 15,
    "field_record": 16,
    "audit": 20,
}
_LEFT_OUT = ERASABLE.keys() | CARRIAGE.keys()
TABLE_OF_NUMBER = {number: name for name, number in CHAINED.items()}


def digest_columns(table: Table) -> tuple[str, ...]:
    """The columns a row's digest covers, in order."""
    return tuple(column.name for column in table.columns if not column.info.keys() & _LEFT_OUT)


def _later(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.info.keys() & LATER.keys())


_LATER = {name: later for name in CHAINED if (later := _later(tables.metadata.tables[name]))}
_COLUMNS = {
    name: tuple(column for column in digest_columns(tables.metadata.tables[name]) if column not in _LATER.get(name, ()))
    for name in CHAINED
}


def row_record(name: str, row: Mapping[str, Any]) -> bytes:
    """The manifest's 28 bytes for a row; `row` has every column of the table, `id` included."""
    values = [row[column] for column in _COLUMNS[name]]
    for column in _LATER.get(name, ()):
        if row[column]:
            values += [column, row[column]]
    digest = hashlib.sha256(cbor2.dumps([name, *values])).digest()[:_DIGEST_BYTES]
    return bytes([CHAINED[name]]) + int(row["id"]).to_bytes(_ID_BYTES, "big") + digest


def read_manifest(manifest: bytes) -> Iterator[tuple[str, int, bytes]]:
    """(table, row id, record) of each row of a batch. Raises ValueError on a manifest that cannot be read."""
    if len(manifest) % RECORD_BYTES:
        raise ValueError("the manifest does not consist of whole records")
    for start in range(0, len(manifest), RECORD_BYTES):
        record = manifest[start : start + RECORD_BYTES]
        name = TABLE_OF_NUMBER.get(record[0])
        if name is None:
            raise ValueError(f"the manifest names table number {record[0]}")
        yield name, int.from_bytes(record[1 : 1 + _ID_BYTES], "big"), record


def link(previous_hash: bytes, batch_id: int, lane: int, form: int, committed_us: int, manifest: bytes) -> bytes:
    """The hash of a batch."""
    head = cbor2.dumps([previous_hash, batch_id, lane, form, committed_us])
    return hashlib.sha256(head + manifest).digest()


def slots_hash(salt: bytes, slots: bytes) -> bytes:
    """H(salt ‖ slots), 32 bytes: what the chain keeps of the half-hours."""
    return hashlib.sha256(salt + slots).digest()
