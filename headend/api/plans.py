"""Debt plans: a debt from before, collected by the meter in daily instalments (CT-11, CT-12)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.meters import MeterPath, known_meter
from headend.api.problems import Problem
from headend.api.shapes import MINOR_MAX, CurrencyCode, MeterIdText, Request, Response
from headend.billing.plan_changes import PlanStatus, change_plan, end_plan, plan_status
from headend.billing.plans import set_debt_plan
from headend.ledger.payments import MILLS_PER_MINOR_UNIT
from headend.storage.writer import Tx
from protocol.rules.calendar import date_of_day, day_of_date

DateText = Annotated[str, Meta(pattern=r"^20[2-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?![\s\S])")]
MinorAmount = Annotated[int, Meta(ge=1, le=MINOR_MAX)]


class PlanToMake(Request):
    """A further debt of the meter's present holder, and what is taken of it each local day from `start_date` on."""

    meter_id: MeterIdText
    debt: MinorAmount
    instalment: MinorAmount
    currency: CurrencyCode
    start_date: DateText


class Plan(Response):
    """The plan as the meter will hold it."""

    meter_id: str
    version: int
    days: int


class PlanToChange(Request):
    """Another instalment a local day from `start_date` on; 0 suspends the plan, what is owed stays."""

    instalment: Annotated[int, Meta(ge=0, le=MINOR_MAX)]
    currency: CurrencyCode
    start_date: DateText


class PlanToEnd(Request):
    """Nothing more is collected by instalments. What is left stays owed, unless it is forgiven."""

    forgive: bool = False


class PlanShown(Response):
    """A meter's plan: cumulative ceiling and what R has collected of it (mills), running, suspended or completed.

    `held_version` is the plan the meter last told of: until it holds `version`, the one before goes on.
    """

    meter_id: str
    version: int
    held_version: int
    state: str
    ceiling_mills: int
    collected_mills: int
    remaining_mills: int
    instalment_mills: int
    start_date: str


def get_plan(connection: Connection, path: MeterPath) -> PlanShown:
    """How a meter's debt plan stands."""
    meter_id = known_meter(connection, path.meter_id)
    status = plan_status(Tx(connection, 0, 0), meter_id)
    if status is None:
        raise Problem("plan_unknown", meter_id=path.meter_id)
    return _shown(path.meter_id, status)


def edit_plan(tx: Tx, path: MeterPath, body: PlanToChange) -> PlanShown:
    """Change or suspend a meter's plan: its next version. What was collected stays collected."""
    _require_currency(tx, body.currency)
    meter_id = bytes.fromhex(path.meter_id)
    change_plan(tx, meter_id, body.instalment * MILLS_PER_MINOR_UNIT, _day(body.start_date))
    return _after(tx, path)


def stop_plan(tx: Tx, path: MeterPath, body: PlanToEnd, idempotency_key: str) -> PlanShown:
    """End a meter's plan. An instalment that it takes before it hears of this comes back as credit, if forgiven."""
    end_plan(tx, bytes.fromhex(path.meter_id), idempotency_key, body.forgive)
    return _after(tx, path)


def _after(tx: Tx, path: MeterPath) -> PlanShown:
    status = plan_status(tx, bytes.fromhex(path.meter_id))
    assert status is not None
    return _shown(path.meter_id, status)


def _shown(meter_id: str, status: PlanStatus) -> PlanShown:
    year, month, day = date_of_day(status.plan.start_day)
    return PlanShown(
        meter_id=meter_id,
        version=status.plan.version,
        held_version=status.held_version,
        state=status.state,
        ceiling_mills=status.plan.ceiling_mills,
        collected_mills=status.collected_mills,
        remaining_mills=status.remaining_mills,
        instalment_mills=status.plan.amount_mills,
        start_date=f"{year:04d}-{month:02d}-{day:02d}",
    )


def _require_currency(tx: Tx, currency: str) -> None:
    if currency != tx.connection.execute(text("SELECT currency FROM utility")).scalar_one():
        raise Problem("currency", (("/currency", "pay in the currency of the utility"),), detail=currency)


def _day(date_text: str) -> int:
    year, month, day_of_month = map(int, date_text.split("-"))
    day = day_of_date(year, month, day_of_month)
    if date_of_day(day) != (year, month, day_of_month):
        raise Problem("invalid_body", (("/start_date", "Expected a day that is in the calendar"),))
    return day


def create_plan(tx: Tx, body: PlanToMake, idempotency_key: str) -> Plan:
    """Make a debt plan. Instalments run one a local day, only from a positive balance, until the debt is repaid."""
    _require_currency(tx, body.currency)
    version = set_debt_plan(
        tx,
        bytes.fromhex(body.meter_id),
        idempotency_key,
        body.debt * MILLS_PER_MINOR_UNIT,
        body.instalment * MILLS_PER_MINOR_UNIT,
        _day(body.start_date),
    )
    return Plan(body.meter_id, version, -(-body.debt // body.instalment))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/plans",
        create_plan,
        "Make a debt plan",
        "Meters",
        OPERATE,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "plan", "currency"),
    ),
    Endpoint(
        "GET",
        "/v1/meters/{meter_id}/plan",
        get_plan,
        "A meter's debt plan",
        "Meters",
        refusals=("unknown_meter", "plan_unknown"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/plan",
        edit_plan,
        "Change or suspend a debt plan",
        "Meters",
        OPERATE,
        writes=True,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "plan", "plan_over", "currency"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/plan:end",
        stop_plan,
        "End a debt plan",
        "Meters",
        OPERATE,
        writes=True,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "plan", "plan_over"),
    ),
)
