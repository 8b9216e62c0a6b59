"""What is and was known of a tariff, and what one would change that is not published yet (CT-10, IW-71)."""

from typing import Any

from sqlalchemy import Connection, text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.problems import Problem
from headend.api.shapes import Instant, PageQuery, Request, Response, cursor_of, instant, keys_of, unix_s_of, unix_us_of
from headend.api.tariffs import ID_AS_KNOWN, Prices, TariffCode, TariffToPublish, prices_of, printed_of, valid_from_slot
from headend.billing.published import NOTICE_DAYS
from headend.billing.tariffs import Terms, drafted
from headend.billing.try_tariff import Tried, meters_of, total, try_on_meter
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of, slot_start


class CodePath(Request):
    code: TariffCode


class AsOfQuery(Request):
    """The tariff true at `at`, as far as it was known by `known`; both now unless said."""

    at: Instant | None = None
    known: Instant | None = None


class KnownTariff(Response):
    """A version of a tariff: true from, known from, who published it, and the terms the meter need not know."""

    tariff: int
    code: str
    title: str
    valid_from: str
    known_from: str
    published_by: str
    late: str
    notice_days: int
    prorated: bool
    prices: Prices


class KnownTariffPage(Response):
    items: list[KnownTariff]
    next: str | None


class TriedMeter(Response):
    """One customer. A rise under `debit` is a receivable first; `announced_mills` of it reach the wallet later."""

    meter_id: str
    by_account: dict[str, int]
    announced_mills: int


class TriedPage(Response):
    """The meters of this page that would be corrected, and their total; follow `next` for the others."""

    items: list[TriedMeter]
    total_by_account: dict[str, int]
    meters: int
    next: str | None


_SELECT = (
    "SELECT t.*, coalesce(m.notice_days, :notice_days) AS notice_days, coalesce(m.prorated, 0) AS prorated, "
    "coalesce(m.published_by, '') AS published_by FROM tariff t LEFT JOIN tariff_terms m ON m.tariff_id = t.id "
    "WHERE t.code = :code "
)


def get_tariff(connection: Connection, path: CodePath, query: AsOfQuery, now_unix_s: int) -> KnownTariff:
    """The version that is true at an instant, by what was known at another."""
    at_unix_s = unix_s_of(query.at, "?at", "invalid_query") if query.at else now_unix_s
    known_us = unix_us_of(query.known, "?known", "invalid_query") if query.known else 2**62
    row = connection.execute(
        text(f"{_SELECT} AND t.id = ({ID_AS_KNOWN})"),
        {"notice_days": NOTICE_DAYS, "code": path.code, "slot": slot_of(at_unix_s), "known_us": known_us},
    ).one_or_none()
    if row is None:
        raise Problem("tariff_not_known", code=path.code)
    return _known(row)


def list_tariff_versions(connection: Connection, path: CodePath, query: PageQuery) -> KnownTariffPage:
    """Every version of a code, in the order of publication: nothing was ever overwritten."""
    (after,) = keys_of(query.cursor, int) or (0,)
    fields = {"notice_days": NOTICE_DAYS, "code": path.code, "after": after, "limit": query.limit + 1}
    rows = connection.execute(text(_SELECT + "AND t.id > :after ORDER BY t.id LIMIT :limit"), fields).all()
    items = [_known(row) for row in rows[: query.limit]]
    return KnownTariffPage(items, cursor_of(items[-1].tariff) if len(rows) > query.limit else None)


def try_tariff(connection: Connection, body: TariffToPublish, query: PageQuery, now_unix_s: int) -> TriedPage:
    """Rate what is posted already under a draft and say what publishing it now would post. Nothing is posted."""
    tx = Tx(connection, 0, now_unix_s * 1_000_000)
    terms = Terms(body.late, body.notice_days, body.prorated)
    draft = drafted(tx, body.code, body.title, printed_of(body.prices), valid_from_slot(body), terms)
    (after,) = keys_of(query.cursor, str) or ("",)
    try:
        found = meters_of(tx, body.code, bytes.fromhex(after), query.limit + 1)
    except ValueError:
        raise Problem("invalid_cursor") from None
    tried = [try_on_meter(tx, draft, meter_id) for meter_id in found[: query.limit]]
    return TriedPage(
        items=[_tried(one) for one in tried if one.by_class],
        total_by_account=total(tried),
        meters=len(tried),
        next=cursor_of(tried[-1].meter_id.hex()) if len(found) > query.limit else None,
    )


def _tried(one: Tried) -> TriedMeter:
    return TriedMeter(one.meter_id.hex(), one.by_class, one.announced_mills)


def _known(row: Any) -> KnownTariff:
    return KnownTariff(
        tariff=row.id,
        code=row.code,
        title=row.title,
        valid_from=instant(slot_start(row.valid_from_slot)),
        known_from=instant(row.known_from_us // 1_000_000),
        published_by=row.published_by,
        late=row.late,
        notice_days=row.notice_days,
        prorated=bool(row.prorated),
        prices=prices_of(row.printed),
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/tariffs/{code}",
        get_tariff,
        "A tariff as of a day, as known by another",
        "Tariffs",
        refusals=("tariff_not_known",),
    ),
    Endpoint("GET", "/v1/tariffs/{code}/versions", list_tariff_versions, "Every version of a tariff", "Tariffs"),
    Endpoint(
        "POST",
        "/v1/tariffs:try",
        try_tariff,
        "What publishing a tariff would change",
        "Tariffs",
        OPERATE,
        refusals=("tariff_printed", "tariff_late", "tariff_notice", "start_slot", "name"),
    ),
)
