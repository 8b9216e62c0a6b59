"""Debt plans: a debt from before, collected by the meter in daily instalments (CT-11, CT-12)."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.problems import Problem
from headend.api.shapes import MINOR_MAX, CurrencyCode, MeterIdText, Request, Response
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


def create_plan(tx: Tx, body: PlanToMake, idempotency_key: str) -> Plan:
    """Make a debt plan. Instalments run one a local day, only from a positive balance, until the debt is repaid."""
    if body.currency != tx.connection.execute(text("SELECT currency FROM utility")).scalar_one():
        raise Problem("currency", (("/currency", "pay in the currency of the utility"),), detail=body.currency)
    year, month, day_of_month = map(int, body.start_date.split("-"))
    start_day = day_of_date(year, month, day_of_month)
    if date_of_day(start_day) != (year, month, day_of_month):
        raise Problem("invalid_body", (("/start_date", "Expected a day that is in the calendar"),))
    version = set_debt_plan(
        tx,
        bytes.fromhex(body.meter_id),
        idempotency_key,
        body.debt * MILLS_PER_MINOR_UNIT,
        body.instalment * MILLS_PER_MINOR_UNIT,
        start_day,
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
        refusals=("meter_unknown", "plan", "currency"),
    ),
)
