"""`guelta plan`: debt plans, shown, made, changed, suspended and ended."""

from pathlib import Path
from typing import Any

import click
import msgspec

from headend.api import strict_json
from headend.api.dispatch import from_text
from headend.api.meters import MeterPath
from headend.api.plans import PlanToChange, PlanToEnd, PlanToMake, create_plan, edit_plan, get_plan, stop_plan
from headend.cli.work import DATABASE, PUBLICATION_KEY, refusals_told, seen, written

INSTALMENT = click.option("--instalment", type=int, required=True, help="Minor units a local day; 0 suspends.")
CURRENCY = click.option("--currency", required=True, help="ISO 4217, the utility's own.")
START = click.option("--from", "start_date", required=True, help="First local day, as 2026-12-01.")


@click.group()
def plan() -> None:
    """Make, show, change and end debt plans."""


@plan.command("make")
@DATABASE
@click.argument("meter_id")
@click.option("--debt", type=int, required=True, help="Minor units, beside what earlier plans collect.")
@INSTALMENT
@CURRENCY
@START
@PUBLICATION_KEY
def plan_make(database: Path, meter_id: str, idempotency_key: str, **fields: Any) -> None:
    """Recognise a debt of the holder of METER_ID and have the meter collect it."""
    with refusals_told():
        body = strict_json.decode(msgspec.json.encode({"meter_id": meter_id, **fields}), PlanToMake)
    _print(written(database, lambda tx: create_plan(tx, body, f"cli/{idempotency_key}")))


@plan.command("show")
@DATABASE
@click.argument("meter_id")
def plan_show(database: Path, meter_id: str) -> None:
    """Print the plan of METER_ID and how far it is."""
    path = _meter(meter_id)
    _print(seen(database, lambda c: get_plan(c, path)))


@plan.command("change")
@DATABASE
@click.argument("meter_id")
@INSTALMENT
@CURRENCY
@START
def plan_change(database: Path, meter_id: str, **fields: Any) -> None:
    """Give the plan of METER_ID another instalment, or suspend it with 0."""
    path = _meter(meter_id)
    with refusals_told():
        body = strict_json.decode(msgspec.json.encode(fields), PlanToChange)
    _print(written(database, lambda tx: edit_plan(tx, path, body)))


@plan.command("end")
@DATABASE
@click.argument("meter_id")
@click.option("--forgive", is_flag=True, help="Forgive what is left; otherwise it stays owed.")
@PUBLICATION_KEY
def plan_end(database: Path, meter_id: str, forgive: bool, idempotency_key: str) -> None:
    """Collect nothing more from METER_ID by instalments."""
    path, body = _meter(meter_id), PlanToEnd(forgive)
    _print(written(database, lambda tx: stop_plan(tx, path, body, f"cli/{idempotency_key}")))


def _meter(meter_id: str) -> MeterPath:
    with refusals_told():
        return from_text({"meter_id": meter_id}, MeterPath, "invalid_path")


def _print(what: Any) -> None:
    click.echo(msgspec.json.encode(what).decode())
