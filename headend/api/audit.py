"""The audit: who changed what, when, and what stood there before (IW-15)."""

import json
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import ADMIN, Endpoint
from headend.api.shapes import Instant, MeterIdText, PageQuery, Response, cursor_of, instant, keys_of, unix_s_of
from headend.storage.audit import AUDITED, Image

TABLE_NAME = rf"^({'|'.join(AUDITED)})(?![\s\S])"


class AuditQuery(PageQuery):
    """All of it, or of one meter, of one kind of row, and of a time."""

    meter_id: MeterIdText | None = None
    what: Annotated[str, Meta(pattern=TABLE_NAME, description="a table, as customer or api_key")] | None = None
    since: Instant | None = None
    until: Instant | None = None


class AuditRow(Response):
    """One row changed: `before` is null for a new one, `after` for a removed one. Secrets are never in it."""

    number: int
    at: str
    actor_kind: str
    actor: str
    command: str
    what: str
    row_key: str
    meter_id: str | None
    before: dict[str, str | int | None] | None
    after: dict[str, str | int | None] | None


class AuditPage(Response):
    items: list[AuditRow]
    next: str | None


_SELECT = """
SELECT * FROM audit WHERE id > :after AND (:meter_id IS NULL OR meter_id = :meter_id)
AND (:what IS NULL OR what = :what) AND at_us >= :since_us AND at_us < :until_us ORDER BY id LIMIT :limit
"""
_FOR_EVER_US = 2**62


def list_audit(connection: Connection, query: AuditQuery) -> AuditPage:
    """Every change in the order in which it was made. Needs a key of its own scope: names and telephones are in it."""
    (after,) = keys_of(query.cursor, int) or (0,)
    since_us = 0 if query.since is None else 1_000_000 * unix_s_of(query.since, "?since", "invalid_query")
    until_us = _FOR_EVER_US if query.until is None else 1_000_000 * unix_s_of(query.until, "?until", "invalid_query")
    fields = {
        "after": after,
        "meter_id": None if query.meter_id is None else bytes.fromhex(query.meter_id),
        "what": query.what,
        "since_us": since_us,
        "until_us": until_us,
        "limit": query.limit + 1,
    }
    rows = connection.execute(text(_SELECT), fields).all()
    items = [
        AuditRow(
            number=row.id,
            at=instant(row.at_us // 1_000_000),
            actor_kind=row.actor_kind,
            actor=row.actor,
            command=row.command,
            what=row.what,
            row_key=row.row_key,
            meter_id=None if row.meter_id is None else bytes(row.meter_id).hex(),
            before=_image(row.before),
            after=_image(row.after),
        )
        for row in rows[: query.limit]
    ]
    return AuditPage(items, cursor_of(items[-1].number) if len(rows) > query.limit else None)


def _image(stored: str | None) -> Image | None:
    return None if stored is None else json.loads(stored)


ENDPOINTS = (
    Endpoint("GET", "/v1/audit", list_audit, "Who changed what", "Operation", ADMIN, refusals=("invalid_cursor",)),
)
