"""Cases: findings to be worked by a person."""

import json
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection, Row, text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.field_shapes import Note
from headend.api.shapes import PageQuery, Request, Response, cursor_of, instant, keys_of
from headend.field.on_site import close_case
from headend.storage.writer import Tx


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


class CasePath(Request):
    case: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class CaseToClose(Request):
    """`outcome` in one word, for figures; `note` for people."""

    outcome: Literal["repaired", "replaced", "nothing-found", "credited", "accepted"]
    note: Note = ""


def list_cases(connection: Connection, query: CaseQuery) -> CasePage:
    """Cases in the order in which they were opened."""
    (after,) = keys_of(query.cursor, int) or (0,)
    select = text(
        "SELECT * FROM case_file WHERE id > :after AND (:state = 'all' OR (closed_us IS NULL) = (:state = 'open')) "
        "ORDER BY id LIMIT :limit"
    )
    fields = {"after": after, "state": query.state, "limit": query.limit + 1}
    rows = connection.execute(select, fields).all()
    items = [_case(row) for row in rows[: query.limit]]
    return CasePage(items, cursor_of(items[-1].case) if len(rows) > query.limit else None)


def close_on_site(tx: Tx, path: CasePath, body: CaseToClose) -> Case:
    """Close a case of work on site: a valve, air, backflow, a lost flash, a seal, a place, an unfinished checklist.
    Cases of the books close by themselves."""
    close_case(tx, path.case, body.outcome, body.note)
    row = tx.connection.execute(text("SELECT * FROM case_file WHERE id = :case"), {"case": path.case}).one()
    return _case(row)


def _case(row: Row[tuple[object, ...]]) -> Case:
    given = row._mapping
    return Case(
        case=given["id"],
        kind=given["kind"],
        meter_id=None if given["meter_id"] is None else bytes(given["meter_id"]).hex(),
        opened_at=instant(given["opened_us"] // 1_000_000),
        closed_at=None if given["closed_us"] is None else instant(given["closed_us"] // 1_000_000),
        outcome=given["outcome"],
        detail={name: _plain(value) for name, value in json.loads(given["detail"]).items()},
    )


def _plain(value: object) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else json.dumps(value)


ENDPOINTS = (
    Endpoint("GET", "/v1/cases", list_cases, "Findings to be worked", "Books", refusals=("invalid_cursor",)),
    Endpoint(
        "POST",
        "/v1/cases/{case}/close",
        close_on_site,
        "Close a case of work on site",
        "Books",
        OPERATE,
        writes=True,
        refusals=("case_unknown", "case_closed", "case_not_on_site"),
    ),
)
