"""Cases: findings to be worked by a person."""

import json
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.shapes import PageQuery, Response, cursor_of, instant, keys_of


class CaseQuery(PageQuery):
    """`state` is open (the default), closed or all."""

    state: Annotated[str, Meta(pattern=r"^(open|closed|all)(?![\s\S])")] = "open"


class Case(Response):
    """What was found, about which meter. `detail` differs by kind."""

    case: int
    kind: str
    meter_id: str | None
    opened_at: str
    closed_at: str | None
    outcome: str | None
    detail: dict[str, str | int | None]


class CasePage(Response):
    items: list[Case]
    next: str | None


def list_cases(connection: Connection, query: CaseQuery) -> CasePage:
    """Cases in the order in which they were opened."""
    (after,) = keys_of(query.cursor, int) or (0,)
    select = text(
        "SELECT * FROM case_file WHERE id > :after AND (:state = 'all' OR (closed_us IS NULL) = (:state = 'open')) "
        "ORDER BY id LIMIT :limit"
    )
    fields = {"after": after, "state": query.state, "limit": query.limit + 1}
    rows = connection.execute(select, fields).all()
    items = [
        Case(
            case=row.id,
            kind=row.kind,
            meter_id=None if row.meter_id is None else bytes(row.meter_id).hex(),
            opened_at=instant(row.opened_us // 1_000_000),
            closed_at=None if row.closed_us is None else instant(row.closed_us // 1_000_000),
            outcome=row.outcome,
            detail={name: _plain(value) for name, value in json.loads(row.detail).items()},
        )
        for row in rows[: query.limit]
    ]
    return CasePage(items, cursor_of(items[-1].case) if len(rows) > query.limit else None)


def _plain(value: object) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else json.dumps(value)


ENDPOINTS = (Endpoint("GET", "/v1/cases", list_cases, "Findings to be worked", "Books", refusals=("invalid_cursor",)),)
