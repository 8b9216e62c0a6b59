"""Verifying the hash chain: every batch against the one before, every row against its batch; faults name the row."""

import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from headend.ledger.fault import Fault
from headend.storage import chain, tables


def chain_faults(connection: Connection) -> Iterator[Fault]:
    """Rows changed, missing or added since their commit, and batches that do not follow each other."""
    records: dict[tuple[str, int], bytes] = {}
    yield from _batches(connection, records)
    for name in chain.CHAINED:
        table = tables.metadata.tables[name]
        for mapping in connection.execute(table.select().order_by(table.c.id)).mappings():
            row = dict(mapping)
            where = f"{name} row {row['id']}"
            expected = records.pop((name, row["id"]), None)
            if expected is None:
                yield Fault("chain", where, "is in no batch: it was not written by the headend")
            elif chain.row_record(name, row) != expected:
                yield Fault("chain", where, "was changed after its commit")
            elif name == "uplink" and not _slots_match(row):
                yield Fault("chain", where, "its half-hours were changed after its commit")
            elif name == "field_record" and not _record_matches(row):
                yield Fault("chain", where, "what was done on site was changed after its commit")
    for name, row_id in sorted(records):
        yield Fault("chain", f"{name} row {row_id}", "is missing")


def _slots_match(row: dict[str, Any]) -> bool:
    """Whether half-hours that are still kept are those the chain commits to (SEMANTICS F4)."""
    if row["slots"] is None:
        return True
    return chain.slots_hash(row["salt"] or b"", row["slots"]) == bytes(row["slots_hash"])


def _record_matches(row: dict[str, Any]) -> bool:
    """Whether a record that is still kept is the one whose hash the chain commits to."""
    return row["record"] is None or hashlib.sha256(row["record"].encode()).digest() == bytes(row["record_hash"])


def _batches(connection: Connection, records: dict[tuple[str, int], bytes]) -> Iterator[Fault]:
    """Check the links and collect the manifests' records."""
    previous, expected_id = chain.GENESIS, 1
    for row in connection.execute(tables.batch.select().order_by(tables.batch.c.id)).mappings():
        where = f"batch row {row['id']}"
        if row["id"] != expected_id:
            yield Fault("chain", where, f"batch {expected_id} should come here")
        if row["previous_hash"] != previous:
            yield Fault("chain", where, "does not follow the batch before it")
        head = (row["id"], row["lane"], row["format"], row["committed_us"], row["manifest"])
        if chain.link(row["previous_hash"], *head) != row["hash"]:
            yield Fault("chain", where, "was changed after its commit")
        try:
            records |= {(name, row_id): record for name, row_id, record in chain.read_manifest(row["manifest"])}
        except ValueError as failure:
            yield Fault("chain", where, str(failure))
        previous, expected_id = row["hash"], row["id"] + 1
