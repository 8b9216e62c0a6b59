"""Numbered seals: taken into stock by ranges, and where each of them is (IW-83)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import PROVISION, READ, Endpoint
from headend.api.shapes import PageQuery, Request, Response, cursor_of, instant, keys_of
from headend.field.seals import SealRange, import_seals
from headend.storage.writer import Tx

Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(?![\s\S])", description="1 to 12 digits, zeros kept")]


class SealsToImport(Request):
    """`prefix` stands before each number, as NE000; numbers keep their zeros."""

    prefix: Annotated[
        str, Meta(pattern=r"^[A-Z0-9-]{0,8}(?![\s\S])", description="up to 8 capitals, digits or '-'", examples=["NE"])
    ]
    first: Digits
    last: Digits


class ImportedSeals(Response):
    count: int
    first: str
    last: str


class SealQuery(PageQuery):
    """`state` is stock, placed, broken or all; `meter_id` those that are or were on that meter."""

    state: Annotated[str, Meta(pattern=r"^(stock|placed|broken|all)(?![\s\S])")] = "all"
    meter_id: Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?(?![\s\S])", examples=["0000000000000001"])] = ""


class Seal(Response):
    number: str
    state: str
    meter_id: str | None
    technician: str | None
    imported_at: str
    placed_at: str | None
    read_at: str | None
    broken_at: str | None


class SealPage(Response):
    items: list[Seal]
    next: str | None


def post_seals(tx: Tx, body: SealsToImport) -> ImportedSeals:
    """Take a range of seals into stock, at most 10,000: all of them, or none."""
    count = import_seals(tx, SealRange(body.prefix, body.first, body.last))
    return ImportedSeals(count, body.prefix + body.first, body.prefix + body.last)


def list_seals(connection: Connection, query: SealQuery) -> SealPage:
    """Seals by their numbers."""
    (after,) = keys_of(query.cursor, str) or ("",)
    select = text(
        "SELECT * FROM seal WHERE number > :after AND (:state = 'all' OR state = :state) "
        "AND (:meter_id = '' OR lower(hex(meter_id)) = :meter_id) ORDER BY number LIMIT :limit"
    )
    fields = {"after": after, "state": query.state, "meter_id": query.meter_id, "limit": query.limit + 1}
    rows = connection.execute(select, fields).all()
    items = [
        Seal(
            number=row.number,
            state=row.state,
            meter_id=None if row.meter_id is None else bytes(row.meter_id).hex(),
            technician=row.technician,
            imported_at=instant(row.imported_us // 1_000_000),
            placed_at=_instant(row.placed_us),
            read_at=_instant(row.read_us),
            broken_at=_instant(row.broken_us),
        )
        for row in rows[: query.limit]
    ]
    return SealPage(items, cursor_of(items[-1].number) if len(rows) > query.limit else None)


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else instant(at_us // 1_000_000)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/seals",
        post_seals,
        "Take seals into stock",
        "Field work",
        PROVISION,
        writes=True,
        status=201,
        refusals=("seal_range", "seal_exists"),
    ),
    Endpoint("GET", "/v1/seals", list_seals, "List seals", "Field work", READ),
)
