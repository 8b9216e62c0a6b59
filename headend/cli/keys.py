"""`guelta key`: who may use REST."""

import json
import os
from pathlib import Path

import click
import msgspec

from headend.api import keys
from headend.api.endpoint import SCOPES
from headend.cli.work import AS_JSON, DATABASE, seen, written


@click.group()
def key() -> None:
    """Create, list and revoke API keys."""


@key.command("create")
@DATABASE
@click.option("--name", required=True, help="Who will use it.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="May be repeated.")
@AS_JSON
def key_create(database: Path, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key and print it, the only time it is ever shown."""
    made = written(database, lambda tx: keys.create(tx, name, scopes, os.urandom))
    click.echo(json.dumps({"name": name, "scopes": scopes, "key": made}) if as_json else made)


@key.command("list")
@DATABASE
@AS_JSON
def key_list(database: Path, as_json: bool) -> None:
    """Show every key ever made, without the keys themselves."""
    rows = seen(database, keys.listed)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(row) for row in rows]))
        return
    for row in rows:
        state = "in use" if row.revoked_us is None else "revoked"
        click.echo(f"{row.name}\t{','.join(row.scopes)}\t{state}")


@key.command("revoke")
@DATABASE
@click.argument("name")
def key_revoke(database: Path, name: str) -> None:
    """End a key."""
    written(database, lambda tx: keys.revoke(tx, name))
    click.echo(f"{name}: revoked")
