"""`guelta provider`: who may bring money."""

import json
import os
from pathlib import Path

import click
import msgspec

from headend.cli.work import AS_JSON, DATABASE, KEY_FILE, keyring_of, seen, written
from headend.payments import providers
from headend.payments.amounts import AMOUNT_MINOR_MAX


@click.group()
def provider() -> None:
    """Payment providers and their signing secrets."""


@provider.command("add")
@DATABASE
@KEY_FILE
@click.argument("name")
@click.option("--minimum", default=1, show_default=True, help="Smallest payment, in minor units.")
@click.option("--ceiling", default=AMOUNT_MINOR_MAX, show_default=True, help="Largest payment, in minor units.")
@AS_JSON
def provider_add(database: Path, key_file: Path | None, name: str, minimum: int, ceiling: int, as_json: bool) -> None:
    """Register a provider and print its secret, the only time it is ever shown."""
    keyring = keyring_of(database, key_file)
    made = written(database, lambda tx: providers.add(tx, keyring, os.urandom, name, minimum, ceiling))
    click.echo(json.dumps({"provider": name, "secret": made}) if as_json else made)


@provider.command("rotate")
@DATABASE
@KEY_FILE
@click.argument("name")
def provider_rotate(database: Path, key_file: Path | None, name: str) -> None:
    """Print a second secret; the first stays good until `retire`."""
    keyring = keyring_of(database, key_file)
    click.echo(written(database, lambda tx: providers.rotate(tx, keyring, os.urandom, name)))


@provider.command("retire")
@DATABASE
@click.argument("name")
def provider_retire(database: Path, name: str) -> None:
    """End the older of two secrets."""
    written(database, lambda tx: providers.retire(tx, name))
    click.echo(f"{name}: the older secret is retired")


@provider.command("list")
@DATABASE
@AS_JSON
def provider_list(database: Path, as_json: bool) -> None:
    """Show the providers and their limits."""
    rows = seen(database, providers.listed)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(row) for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.name}\t{row.minimum_minor}..{row.ceiling_minor}\t{row.secrets} secret(s)")
