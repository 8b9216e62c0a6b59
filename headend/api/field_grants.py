"""Grants made by the office beside those of jobs, and the list of all that were ever issued."""

from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import PROVISION, Endpoint
from headend.api.field_jobs import with_key
from headend.api.field_shapes import GrantWithKey, JobIdText, Technician
from headend.api.shapes import MeterIdText, PageQuery, Request, Response, cursor_of, instant, keys_of
from headend.field import grants, jobs
from headend.field.technicians import require_technician
from headend.meters.keyring import Keyring
from headend.meters.lookup import holding_in_use
from headend.storage.writer import Tx
from protocol.wire.grants import USES_MAX


class GrantToIssue(Request):
    """Role 1 reads, 2 technician, 3 may update the firmware, 4 may take the meter out of use; at most 72 hours."""

    meter_id: MeterIdText
    role: Literal[1, 2, 3, 4]
    hours: Annotated[int, Meta(ge=1, le=jobs.HOURS_MAX)]
    uses: Annotated[int, Meta(ge=1, le=USES_MAX)]
    technician: Technician


class IssuedGrant(Response):
    """A grant without its key; `job_id` is null where the office issued it by itself."""

    meter_id: str
    generation: int
    number: int
    role: int
    uses: int
    from_s: int
    until_s: int
    technician: str
    job_id: JobIdText | None
    issued_at: str


class GrantPage(Response):
    items: list[IssuedGrant]
    next: str | None


def issue_grant(tx: Tx, keyring: Keyring, body: GrantToIssue, now_unix_s: int) -> GrantWithKey:
    """Issue a grant for a meter's service port. Its key is shown once, in this answer. The meter takes no older grant
    after it has taken this one."""
    require_technician(tx, body.technician)
    meter_id = bytes.fromhex(body.meter_id)
    holding_in_use(tx, meter_id)
    terms = grants.wanted(meter_id, body.role, body.uses, now_unix_s, now_unix_s + body.hours * 3600)
    return with_key(grants.issue(tx, keyring, terms, body.technician, None))


def list_grants(connection: Connection, query: PageQuery) -> GrantPage:
    """Every grant that was issued, by meter and number, without the keys."""
    meter_id, number = keys_of(query.cursor, str, int) or ("", 0)
    select = text(
        "SELECT * FROM field_grant WHERE (lower(hex(meter_id)), number) > (:meter_id, :number) "
        "ORDER BY meter_id, number LIMIT :limit"
    )
    fields = {"meter_id": meter_id, "number": number, "limit": query.limit + 1}
    rows = connection.execute(select, fields).all()
    items = [
        IssuedGrant(
            meter_id=bytes(row.meter_id).hex(),
            generation=row.generation,
            number=row.number,
            role=row.role,
            uses=row.uses,
            from_s=row.from_s,
            until_s=row.until_s,
            technician=row.technician,
            job_id=None if row.job_id is None else jobs.job_id(row.job_id),
            issued_at=instant(row.issued_us // 1_000_000),
        )
        for row in rows[: query.limit]
    ]
    last = (items[-1].meter_id, items[-1].number) if len(rows) > query.limit else None
    return GrantPage(items, None if last is None else cursor_of(*last))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/grants",
        issue_grant,
        "Issue a grant",
        "Field work",
        PROVISION,
        writes=True,
        status=201,
        refusals=("technician_unknown", "meter_unknown", "meter_retired", "meter_spare"),
    ),
    Endpoint("GET", "/v1/grants", list_grants, "List grants", "Field work", PROVISION),
)
