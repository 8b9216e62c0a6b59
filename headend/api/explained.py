"""Why a day cost what it cost: every mill of a local day of a meter, as figures and as sentences (TR-27)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.local_time import utility_offsets
from headend.api.meters import known_meter
from headend.api.plans import DateText
from headend.api.problems import Problem
from headend.api.shapes import MeterIdText, Request, Response, instant
from headend.billing.explain import LOST, DayLine, DayRun, ExplainedDay, explain_day
from headend.billing.explained_text import ROLES, Names, told_day
from headend.meters.lookup import holding_of_meter
from headend.storage.writer import Tx
from headend.wording import date
from protocol.rules.calendar import date_of_day, day_of_date, local_day, slot_start
from protocol.rules.rating import MINIMUM, STANDING_DAY, STANDING_MONTH, WATER

_KINDS = {WATER: "water", STANDING_DAY: "standing-day", STANDING_MONTH: "standing-month", MINIMUM: "minimum",
          LOST: "lost"}  # fmt: skip


class MeterDayPath(Request):
    meter_id: MeterIdText
    day: DateText


class ExplainQuery(Request):
    lang: Annotated[str, Meta(pattern=r"^(fr|en)(?![\s\S])")] = "en"


class ExplainedLine(Response):
    """One price. `price` and `amount` are ten-thousandths of a mill, as are the parts by role; water runs from litre
    `from_l` to `to_l` of the month, in block `block` (from 1)."""

    kind: str
    block: int
    from_l: int
    to_l: int
    quantity: int
    price: int
    amount: int
    by_role: dict[str, int]


class ExplainedRun(Response):
    """Half-hours of one pack and one holder, and the tariff that priced them: true from, known from."""

    starts_at: str
    slots: int
    litres: int
    holder: str
    customer_number: str
    pack_version: int
    tariff: int
    code: str
    title: str
    valid_from: str
    known_from: str
    clock_sure: bool
    lines: list[ExplainedLine]


class Explained(Response):
    """A local day, in mills but for the lines and remainders (ten-thousandths of a mill).

    Lines + remainder_in − remainder_out = spent. Left the wallet: spent + told_differently + instalment + the wallet's
    part of later corrections, which may still be under notice. `text` says the same.
    """

    meter_id: str
    day: str
    runs: list[ExplainedRun]
    remainder_in: int
    remainder_out: int
    spent_mills: int
    told_differently_mills: int
    instalment_mills: int
    corrected_by_role: dict[str, int]
    corrected_by_bearer_mills: dict[str, int]
    left_wallet_mills: int
    text: list[str]


def get_explained_day(connection: Connection, path: MeterDayPath, query: ExplainQuery) -> Explained:
    """Every mill of a local day: half-hours, litres block by block, roles, charges, remainders, corrections."""
    meter_id = known_meter(connection, path.meter_id)
    year, month, day_of_month = map(int, path.day.split("-"))
    day = day_of_date(year, month, day_of_month)
    if date_of_day(day) != (year, month, day_of_month):
        raise Problem("invalid_path", (("?day", "Expected a day that is in the calendar"),))
    tx = Tx(connection, 0, 0)
    holding_of_meter(tx, meter_id)
    explained = explain_day(tx, meter_id, day)
    packs = {run.pack_version: _pack(connection, meter_id, run.pack_version) for run in explained.runs}
    holders = {run.contract_id: _holder(connection, run.contract_id) for run in explained.runs}
    runs = [_run(run, packs[run.pack_version], holders[run.contract_id]) for run in explained.runs]
    names = _names(connection, path, packs, holders, query.lang)
    return _explained(path, explained, runs, told_day(explained, names, query.lang))


def _explained(path: MeterDayPath, day: ExplainedDay, runs: list[ExplainedRun], told: list[str]) -> Explained:
    borne: dict[str, int] = {}
    for (kind, _), mills in day.borne_mills.items():
        borne[kind] = borne.get(kind, 0) + mills
    return Explained(
        meter_id=path.meter_id,
        day=path.day,
        runs=runs,
        remainder_in=day.remainder_in,
        remainder_out=day.remainder_out,
        spent_mills=day.spent_mills,
        told_differently_mills=day.differing_mills,
        instalment_mills=day.instalment_mills,
        corrected_by_role=_by_role(day.corrected_roles),
        corrected_by_bearer_mills=borne,
        left_wallet_mills=day.left_mills,
        text=told,
    )


def _run(run: DayRun, pack: dict[str, object], holder: tuple[str, str]) -> ExplainedRun:
    return ExplainedRun(
        starts_at=instant(slot_start(run.first_slot)),
        slots=run.slots,
        litres=run.litres,
        holder=holder[0],
        customer_number=holder[1],
        pack_version=run.pack_version,
        clock_sure=run.sure,
        lines=[_line(line) for line in run.lines],
        **pack,  # type: ignore[arg-type]
    )


def _line(line: DayLine) -> ExplainedLine:
    position = (line.block + 1, line.from_l, line.to_l) if line.kind == WATER else (0, 0, 0)
    return ExplainedLine(_KINDS[line.kind], *position, line.quantity, line.price, line.amount, _by_role(line.roles))


def _by_role(roles: list[int]) -> dict[str, int]:
    return {role: amount for role, amount in zip(ROLES, roles, strict=True) if amount}


def _pack(connection: Connection, meter_id: bytes, version: int) -> dict[str, object]:
    row = connection.execute(
        text(
            "SELECT t.id, t.code, t.title, t.valid_from_slot, t.known_from_us FROM pack p JOIN tariff t "
            "ON t.id = p.tariff_id WHERE p.meter_id = :meter_id AND p.kind = 3 AND p.version = :version"
        ),
        {"meter_id": meter_id, "version": version},
    ).one()
    valid_from, known_from = instant(slot_start(row.valid_from_slot)), instant(row.known_from_us // 1_000_000)
    return {"tariff": row.id, "code": row.code, "title": row.title, "valid_from": valid_from, "known_from": known_from}


def _holder(connection: Connection, contract_id: int) -> tuple[str, str]:
    row = connection.execute(
        text(
            "SELECT u.name, c.customer_number FROM contract c JOIN customer u ON u.id = c.customer_id WHERE c.id = :i"
        ),
        {"i": contract_id},
    ).one()
    return row[0], row[1]


def _names(
    connection: Connection,
    path: MeterDayPath,
    packs: dict[int, dict[str, object]],
    holders: dict[int, tuple[str, str]],
    language: str,
) -> Names:
    currency, exponent = connection.execute(text("SELECT currency, exponent FROM utility")).one()
    offsets = utility_offsets(connection)
    since = "since" if language == "en" else "depuis le"
    tariffs = {}
    for version, pack in packs.items():
        slot = connection.execute(
            text("SELECT valid_from_slot FROM tariff WHERE id = :id"), {"id": pack["tariff"]}
        ).scalar_one()
        day = date(*date_of_day(local_day(slot, offsets)), language)
        tariffs[version] = f"{pack['title']} ({pack['code']}), {since} {day}"
    named = {contract_id: f"{name} {number}" for contract_id, (name, number) in holders.items()}
    return Names(path.meter_id, named, tariffs, currency, exponent, offsets)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/meters/{meter_id}/days/{day}/explain",
        get_explained_day,
        "Every mill of a day",
        "Meters",
        refusals=("unknown_meter", "meter_spare"),
    ),
)
