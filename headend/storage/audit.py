"""Who changed what, told by the database itself: no handler and no command can forget its audit row (IW-15).

Temporary triggers on the writer's connection hand every changed row, before and after, to `Tx.changes`; when a job is
done the writer turns them into rows of the table `audit`, in the same transaction. The command layer only says who acts
(`tx.actor`). A new table is audited unless it is named in `FOLLOWS`.
"""

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, LargeBinary, Table

from headend.storage import remembered, tables
from headend.storage.sqlite import raw

if TYPE_CHECKING:
    from headend.storage.writer import Tx

REDACTED = "[redacted]"

# What follows from meters' frames, from providers' messages or from an audited row, and can be explained by those.
FOLLOWS = frozenset(
    {
        "account", "audit", "batch", "field_record", "first_uplink", "idempotency", "lost_slots", "meter_event",
        "meter_link", "meter_state", "payment", "rating_base", "rating_notice", "rating_work", "recovery",
        "recovery_pack", "role_account", "segment", "statement", "till_answer", "till_event", "transfer",
        "update_progress", "uplink",
    }
)  # fmt: skip

AUDITED = tuple(sorted(set(tables.metadata.tables) - FOLLOWS))
_BOOKS = frozenset(book.name for book in tables.BOOKS)
_SECRET = re.compile(r"secret|wrapped|kek|root|password|token|salt")

# A person and a place belong to the meter of their contract.
_METER_OF = {
    "customer": "SELECT meter_id FROM contract WHERE customer_id = ? ORDER BY start_slot DESC LIMIT 1",
    "service_point": "SELECT meter_id FROM contract WHERE service_point_id = ? ORDER BY start_slot DESC LIMIT 1",
}


class Actor(NamedTuple):
    """Who acts: an API key, a user of this machine, a provider, or the headend by itself; and by which command."""

    kind: str
    name: str
    command: str


SYSTEM = Actor("system", "headend", "")

Image = dict[str, str | int | None]


class Change(NamedTuple):
    """One row of a table: its key as text, how it was (None: not there), how it is now (None: gone)."""

    table: str
    row_key: str
    before: Image | None
    after: Image | None


def changes_of(connection: Connection) -> list[Change]:
    """Where the changes on a connection are collected; always empty on one that only reads."""
    found: list[Change] = connection.info.setdefault("audit_changes", [])
    return found


def install(connection: Connection) -> None:
    """Have every audited table on this connection tell its changes; what was read of it is read again after them."""
    changes = changes_of(connection)
    known = remembered.begin(connection)

    def note(table: str, row_key: str, before: str | None, after: str | None) -> None:
        images = [None if image is None else json.loads(image) for image in (before, after)]
        changes.append(Change(table, row_key, *images))
        known.changed(table)

    raw(connection).create_function("audit_note", 4, note)
    for name in AUDITED:
        for statement in _triggers(tables.metadata.tables[name]):
            connection.exec_driver_sql(statement)


def record(tx: "Tx") -> None:
    """Turn what this job changed into audit rows."""
    for change in _folded(tx.changes):
        if change.before == change.after or not _worth_a_row(tx.actor, change):
            continue
        image = change.after or change.before or {}
        kind, name, command = tx.actor
        tx.append(
            "audit",
            {
                "at_us": tx.now_us,
                "actor_kind": kind,
                "actor": name,
                "command": command,
                "what": change.table,
                "row_key": change.row_key,
                "meter_id": _meter_id(tx, change, image),
                "before": _text(change.before),
                "after": _text(change.after),
            },
        )


def _folded(changes: list[Change]) -> list[Change]:
    """One change per row: how it was before the job, how it is after."""
    folded: dict[tuple[str, str], Change] = {}
    for change in changes:
        first = folded.get((change.table, change.row_key), change)
        folded[change.table, change.row_key] = change._replace(before=first.before)
    return list(folded.values())


def _worth_a_row(actor: Actor, change: Change) -> bool:
    """Books are audited where somebody wrote them; a tariff's packs follow from the tariff."""
    if change.table == "pack" and change.after is not None and change.after["tariff_id"] is not None:
        return False
    return change.table not in _BOOKS or actor != SYSTEM


def _meter_id(tx: "Tx", change: Change, image: Image) -> bytes | None:
    if change.table in _METER_OF:
        row = tx.cursor.execute(_METER_OF[change.table], (change.row_key,)).fetchone()
        return None if row is None else bytes(row[0])
    found = image.get("meter_id")
    return bytes.fromhex(found) if isinstance(found, str) else None


def _text(image: Image | None) -> str | None:
    return None if image is None else json.dumps(image, ensure_ascii=False, sort_keys=True)


def _triggers(table: Table) -> list[str]:
    calls = {"INSERT": ("NEW", None, "NEW"), "UPDATE": ("NEW", "OLD", "NEW"), "DELETE": ("OLD", "OLD", None)}
    return [
        f"CREATE TEMP TRIGGER audit_{table.name}_{verb} AFTER {verb} ON main.{table.name} BEGIN "
        f"SELECT audit_note('{table.name}', {_key(table, key)}, {_image(table, before)}, {_image(table, after)}); END"
        for verb, (key, before, after) in calls.items()
    ]


def _key(table: Table, row: str) -> str:
    return " || '/' || ".join(f"CAST({_plain(column, row)} AS TEXT)" for column in table.primary_key.columns)


def _image(table: Table, row: str | None) -> str:
    if row is None:
        return "NULL"
    return "json_object(" + ", ".join(f"'{column.name}', {_shown(column, row)}" for column in table.columns) + ")"


def _shown(column: Any, row: str) -> str:
    if _SECRET.search(column.name):
        return f"CASE WHEN {row}.{column.name} IS NULL THEN NULL ELSE '{REDACTED}' END"
    return _plain(column, row)


def _plain(column: Any, row: str) -> str:
    """Bytes as hexadecimal digits, all else as it is; `hex(NULL)` would be an empty text."""
    value = f"{row}.{column.name}"
    if isinstance(column.type, LargeBinary):
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE lower(hex({value})) END"
    return value
