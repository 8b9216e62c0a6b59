"""`guelta policy`: what a valve may do without credit, and why it stands as it does."""

from pathlib import Path
from typing import Any

import click
import msgspec

from headend.api.dispatch import from_text
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.explained import ExplainQuery
from headend.api.meters import MeterPath
from headend.api.policies import PoliciesToSet, PolicyToSet, explain_policy, get_policy, put_policies, put_policy
from headend.cli.work import AS_JSON, DATABASE, json_of, refusals_told, seen, written

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def policy() -> None:
    """Show, set and explain valve policies."""


@policy.command("show")
@DATABASE
@click.argument("meter_id")
def policy_show(database: Path, meter_id: str) -> None:
    """Print what METER_ID is meant to hold, and the version it says it holds."""
    path = _meter(meter_id)
    _print(seen(database, lambda c: get_policy(c, path)))


@policy.command("set")
@DATABASE
@click.argument("meter_id")
@FILE
def policy_set(database: Path, meter_id: str, file: Path) -> None:
    """Give METER_ID the policy in FILE, a JSON object as POST /v1/meters/{meter_id}/policy takes it.

    \b
    {"policy": {"lifeline_l_per_day": 50, "vulnerable_until": "2027-03-31", "vulnerable_l_per_day": 200,
                "holidays": ["2026-12-25"], "holidays_end": "09:00", "friendly_cap_l": 500,
                "friendly_until": "2027-12-31T00:00:00Z"}}
    """
    path = _meter(meter_id)
    with refusals_told():
        body = json_of(file, BODY_BYTES_MAX, PolicyToSet)
    _print(written(database, lambda tx: put_policy(tx, path, body)))


@policy.command("set-all")
@DATABASE
@FILE
@click.option("--tariff", "tariff_code", help="Only the meters of this tariff code.")
def policy_set_all(database: Path, file: Path, tariff_code: str | None) -> None:
    """Give every meter, or every meter of a tariff, the policy in FILE."""
    with refusals_told():
        wanted = json_of(file, BODY_BYTES_MAX, PolicyToSet)
    meters, cursor = 0, ""
    while True:
        body = PoliciesToSet(wanted.policy, tariff_code, cursor=cursor)
        done = written(database, lambda tx, body=body: put_policies(tx, body))
        meters += done.meters
        if done.next is None:
            break
        cursor = done.next
    click.echo(f'{{"meters": {meters}}}')


@policy.command("explain")
@DATABASE
@click.argument("meter_id")
@click.option("--lang", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@AS_JSON
def policy_explain(database: Path, meter_id: str, lang: str, as_json: bool) -> None:
    """Say why the valve of METER_ID stands as it does, as its customer may be told."""
    path = _meter(meter_id)
    told = seen(database, lambda c: explain_policy(c, path, ExplainQuery(lang)))
    click.echo(msgspec.json.encode(told).decode() if as_json else told.sentence)


def _meter(meter_id: str) -> MeterPath:
    with refusals_told():
        return from_text({"meter_id": meter_id}, MeterPath, "invalid_path")


def _print(what: Any) -> None:
    click.echo(msgspec.json.encode(what).decode())
