"""Tariffs: published with a date from which they are true, never changed afterwards."""

import json
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.aftermath import Aftermath
from headend.api.endpoint import OPERATE, Endpoint
from headend.api.problems import Problem
from headend.api.shapes import Instant, Label, PageQuery, Request, Response, cursor_of, instant, keys_of, unix_s_of
from headend.billing.published import NOTICE_DAYS
from headend.billing.tariffs import Terms, publish_tariff
from headend.storage.rating_tables import NOTICE_DAYS_MAX
from headend.storage.writer import Tx
from headend.web.story import PLAIN, Told
from headend.web.texts import date
from protocol.rules.calendar import SLOT_S, slot_of, slot_start

PRICE_MAX = 10**12

TariffCode = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}(?![\s\S])")]
Price = Annotated[
    Annotated[int, Meta(ge=0, le=PRICE_MAX)]
    | Annotated[str, Meta(pattern=r"^[0-9]{1,18}(\.[0-9]{1,9}|/[0-9]{1,9})?(?![\s\S])")],
    Meta(description='minor units, exact: 127, "412.34" or "127/3"'),
]
Role = Annotated[str, Meta(pattern=r"^(water|sewer|fixed|levy)(?![\s\S])")]


class Block(Request):
    """Up to `upto_l` litres of the month (0 for the last, open block), at `price` minor units per m³."""

    upto_l: Annotated[int, Meta(ge=0, le=16_777_215)]
    price: Price


class Tax(Request):
    """A percentage on the roles it is levied on."""

    percent: Price
    roles: Annotated[list[Role], Meta(min_length=1, max_length=4)]


class ClockChange(Request):
    """From a slot on, local time is this far east of UTC (summer time)."""

    from_slot: Annotated[int, Meta(ge=0, le=2**24 - 1)]
    utc_offset_minutes: Annotated[int, Meta(ge=-720, le=840)]


class Prices(Request, omit_defaults=True):
    """A tariff as it is printed: prices per m³ and charges, in minor units, without taxes."""

    blocks: Annotated[list[Block], Meta(min_length=1, max_length=8)]
    utc_offset_minutes: Annotated[int, Meta(ge=-720, le=840)] = 0
    transitions: Annotated[list[ClockChange], Meta(max_length=16)] = []
    minimum: Price = 0
    sewer_percent: Price = 0
    sewer_per_m3: Price = 0
    levy_per_m3: Price = 0
    standing_day: Price = 0
    standing_month: Price = 0
    tax1: Tax | None = None
    tax2: Tax | None = None


class TariffToPublish(Request):
    """`late` says what becomes of a rise that reaches a meter late (SEMANTICS B6); the default is to waive it. A debit
    is announced `notice_days` before the wallet bears it. `prorated`: a holder's first month bears its share of the
    monthly standing charge (CT-09)."""

    code: TariffCode
    title: Label
    valid_from: Instant
    prices: Prices
    late: Annotated[str, Meta(pattern=r"^(waive|debt|debit)(?![\s\S])")] = "waive"
    notice_days: Annotated[int, Meta(ge=0, le=NOTICE_DAYS_MAX)] = NOTICE_DAYS
    prorated: bool = False


class Tariff(Response):
    tariff: int
    code: str
    title: str
    valid_from: str
    known_from: str
    late: str
    prices: Prices


class TariffPage(Response):
    items: list[Tariff]
    next: str | None


# The version that is true in :slot by what was known at :known_us: the latest start, and of one start the newest.
ID_AS_KNOWN = (
    "SELECT id FROM tariff WHERE code = :code AND valid_from_slot <= :slot AND known_from_us <= :known_us "
    "ORDER BY valid_from_slot DESC, known_from_us DESC, id DESC LIMIT 1"
)


def list_tariffs(connection: Connection, query: PageQuery) -> TariffPage:
    """Every tariff ever published, in the order of publication."""
    (after,) = keys_of(query.cursor, int) or (0,)
    select = text("SELECT * FROM tariff WHERE id > :after ORDER BY id LIMIT :limit")
    rows = connection.execute(select, {"after": after, "limit": query.limit + 1}).all()
    items = [_tariff(row) for row in rows[: query.limit]]
    return TariffPage(items, cursor_of(items[-1].tariff) if len(rows) > query.limit else None)


def tariff_as_known(connection: Connection, code: str, slot: int, at_us: int) -> Tariff | None:
    """The prices of a slot as far as they had been published at `at_us`; None before the first."""
    query = text(f"SELECT * FROM tariff WHERE id = ({ID_AS_KNOWN})")
    row = connection.execute(query, {"code": code, "slot": slot, "known_us": at_us}).one_or_none()
    return None if row is None else _tariff(row)


def create_tariff(tx: Tx, aftermath: Aftermath, body: TariffToPublish, idempotency_key: str) -> Tariff:
    """Publish prices that are true from an instant on. Each meter of the code gets its pack with its next answer."""
    slot = valid_from_slot(body)
    terms = Terms(body.late, body.notice_days, body.prorated)
    tariff_id = publish_tariff(tx, body.code, body.title, printed_of(body.prices), slot, terms, idempotency_key)
    aftermath.tell(_told(tx, body, slot_start(slot)))
    row = tx.connection.execute(text("SELECT * FROM tariff WHERE id = :id"), {"id": tariff_id}).one()
    return _tariff(row)


def valid_from_slot(body: TariffToPublish) -> int:
    """The slot that a tariff is to start with; Problem if that is within one."""
    valid_from_unix_s = unix_s_of(body.valid_from, "/valid_from")
    if valid_from_unix_s % SLOT_S:
        raise Problem("invalid_body", (("/valid_from", "Expected a full half-hour"),))
    return slot_of(valid_from_unix_s)


def printed_of(prices: Prices) -> dict[str, Any]:
    """The record that is kept: only what differs from the defaults, blocks and transitions as pairs."""
    printed: dict[str, Any] = msgspec.to_builtins(prices)
    printed["blocks"] = [[block.upto_l, block.price] for block in prices.blocks]
    if prices.transitions:
        printed["transitions"] = [[change.from_slot, change.utc_offset_minutes] for change in prices.transitions]
    return printed


def prices_of(printed: str) -> Prices:
    """The same, back from the record."""
    fields = json.loads(printed)
    fields["blocks"] = [{"upto_l": upto_l, "price": price} for upto_l, price in fields["blocks"]]
    pairs = fields.pop("transitions", [])
    fields["transitions"] = [{"from_slot": slot, "utc_offset_minutes": minutes} for slot, minutes in pairs]
    return msgspec.convert(fields, Prices)


def _tariff(row: Any) -> Tariff:
    return Tariff(
        tariff=row.id,
        code=row.code,
        title=row.title,
        valid_from=instant(slot_start(row.valid_from_slot)),
        known_from=instant(row.known_from_us // 1_000_000),
        late=row.late,
        prices=prices_of(row.printed),
    )


def _told(tx: Tx, body: TariffToPublish, valid_from_unix_s: int) -> Told:
    local = instant(valid_from_unix_s + 60 * body.prices.utc_offset_minutes)
    year, month, day, time = int(local[:4]), int(local[5:7]), int(local[8:10]), local[11:16]
    what_fr = f"«\u00a0{body.title}\u00a0» est publié, en vigueur le {date(year, month, day, 'fr')} à {time}."
    what_en = f"“{body.title}” is published, in force on {date(year, month, day, 'en')} at {time}."
    return Told(tx.now_us // 1_000_000, "Tarif", "Tariff", what_fr, what_en, PLAIN)


ENDPOINTS = (
    Endpoint("GET", "/v1/tariffs", list_tariffs, "List the tariffs", "Tariffs"),
    Endpoint(
        "POST",
        "/v1/tariffs",
        create_tariff,
        "Publish a tariff",
        "Tariffs",
        OPERATE,
        writes=True,
        status=201,
        refusals=("tariff_printed", "start_slot", "name"),
    ),
)
