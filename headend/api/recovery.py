"""After a restore: how each meter stands to the books since (SEMANTICS A5)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.shapes import PageQuery, Response, cursor_of, instant, keys_of
from headend.ingest.contact import STATES, differences, state_of


class RestoredQuery(PageQuery):
    """All meters, or those that stand in one way."""

    state: Annotated[str, Meta(pattern=rf"^({'|'.join(STATES)})(?![\s\S])")] | None = None


class RestoredMeter(Response):
    """`unheard` since the restore; `asked`: heard, and has not told yet all that it holds; `agrees`; or `diverged`, by
    what it held beyond the restored books, by name: credited_mills and debited_mills that were booked as recovered;
    frames, slots, statements and commands by their number; tariff_version, policy_version, plan_version, key_epoch,
    log_generation and generation as it holds them; wallet or meter in a word. What of C and D nobody has explained yet
    is in the last two.
    """

    meter_id: str
    state: str
    restored_at: str
    heard_at: str | None
    told_at: str | None
    found: dict[str, str | int]
    credited_to_explain_mills: int
    debited_to_explain_mills: int


class RestoredPage(Response):
    items: list[RestoredMeter]
    next: str | None


_SELECT = """
SELECT *, paid_mills + moved_in_mills + rating_credit_mills + credit_mills AS credited_open,
       reversed_mills + rating_debit_mills + debit_mills AS debited_open
FROM recovery WHERE lower(hex(meter_id)) > :after ORDER BY meter_id
"""


def list_restored(connection: Connection, query: RestoredQuery) -> RestoredPage:
    """The meters that lived on through the last restore, by their id; none where there was no restore."""
    (after,) = keys_of(query.cursor, str) or ("",)
    items: list[RestoredMeter] = []
    for row in connection.execute(text(_SELECT), {"after": after}):
        state = state_of(row.heard_us, row.told_us, row.found)
        if query.state in (None, state):
            items.append(
                RestoredMeter(
                    meter_id=bytes(row.meter_id).hex(),
                    state=state,
                    restored_at=instant(row.restored_us // 1_000_000),
                    heard_at=None if row.heard_us is None else instant(row.heard_us // 1_000_000),
                    told_at=None if row.told_us is None else instant(row.told_us // 1_000_000),
                    found=differences(row.found),
                    credited_to_explain_mills=row.credited_open,
                    debited_to_explain_mills=row.debited_open,
                )
            )
        if len(items) > query.limit:
            return RestoredPage(items[:-1], cursor_of(items[-2].meter_id))
    return RestoredPage(items, None)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/restored-meters",
        list_restored,
        "How each meter stands since a restore",
        "Operation",
        refusals=("invalid_cursor",),
    ),
)
