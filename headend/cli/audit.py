"""`guelta audit`: who changed what, and how a meter was known at an instant (IW-15)."""

import json
from pathlib import Path

import click
import msgspec

from headend.api import strict_json
from headend.api.audit import AuditQuery, AuditRow, list_audit
from headend.api.meter_details import AsOfQuery, get_meter_as_of
from headend.api.meters import MeterPath
from headend.cli.work import AS_JSON, DATABASE, refusals_told, seen

PAGE = 500


@click.group()
def audit() -> None:
    """Who changed what, when, and what stood there before."""


@audit.command("list")
@DATABASE
@click.option("--meter", "meter_id", help="Only changes about this meter, 16 hex digits.")
@click.option("--what", help="Only changes of this table, as customer or api_key.")
@click.option("--since", help="Only changes from this instant on, as 2026-11-22T07:30:00Z.")
@click.option("--until", help="Only changes before this instant.")
@AS_JSON
def audit_list(database: Path, as_json: bool, **wanted: str | None) -> None:
    """Print every change in the order in which it was made; with --json one object a line."""
    given = {name: value for name, value in wanted.items() if value is not None}
    with refusals_told():
        query = strict_json.decode(msgspec.json.encode({**given, "limit": PAGE}), AuditQuery)
    cursor: str | None = ""
    while cursor is not None:
        at = msgspec.structs.replace(query, cursor=cursor)
        page = seen(database, lambda connection, at=at: list_audit(connection, at))
        for row in page.items:
            click.echo(msgspec.json.encode(row).decode() if as_json else _line(row))
        cursor = page.next


@audit.command("as-of")
@DATABASE
@click.argument("meter_id")
@click.argument("at")
def audit_as_of(database: Path, meter_id: str, at: str) -> None:
    """Print meter, holder, place and tariff of METER_ID as they were known AT an instant, as JSON."""
    with refusals_told():
        path = strict_json.decode(msgspec.json.encode({"meter_id": meter_id}), MeterPath)
        query = strict_json.decode(msgspec.json.encode({"at": at}), AsOfQuery)
    found = seen(database, lambda connection: get_meter_as_of(connection, path, query))
    click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=1))


def _line(row: AuditRow) -> str:
    """When, who, by which command, what, and the fields that differ."""
    before, after = row.before or {}, row.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    changes = ", ".join(f"{name}: {before.get(name)} → {after.get(name)}" for name in names)
    act = "added" if row.before is None else "removed" if row.after is None else changes
    return f"{row.at}\t{row.actor_kind} {row.actor}\t{row.command or '-'}\t{row.what} {row.row_key}\t{act}"
