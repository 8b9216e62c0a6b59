"""`guelta meter`: register meters and print what they are provisioned with."""

from pathlib import Path
from typing import Any

import click
import msgspec

from headend.api import strict_json
from headend.api.endpoint import IMPORT_BYTES_MAX
from headend.api.new_meters import MetersToImport, MeterToAdd, create_meter, create_meters
from headend.api.radios import RadioPath, RadioToSet, set_meter_radio
from headend.cli.work import DATABASE, KEY_FILE, content_of, keyring_of, refusals_told, written
from headend.clock import SystemClock


@click.group()
def meter() -> None:
    """Add or import meters."""


@meter.command("add")
@DATABASE
@KEY_FILE
@click.option("--meter-id", required=True, help="16 hex digits.")
@click.option("--holder", required=True)
@click.option("--service-point", required=True)
@click.option("--tariff", "tariff_code", required=True)
@click.option("--litres-per-pulse", default=1, show_default=True)
@click.option("--first-index-l", default=0, show_default=True)
def meter_add(database: Path, key_file: Path | None, **fields: Any) -> None:
    """Register one meter; prints what it is provisioned with, root key included, once."""
    with refusals_told():
        body = strict_json.decode(msgspec.json.encode(fields), MeterToAdd)
    keyring, now_unix_s = keyring_of(database, key_file), SystemClock().unix_us() // 1_000_000
    made = written(database, lambda tx: create_meter(tx, keyring, body, now_unix_s))
    click.echo(msgspec.json.encode(made).decode())


@meter.command("import")
@DATABASE
@KEY_FILE
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def meter_import(database: Path, key_file: Path | None, file: Path) -> None:
    """Register the meters of FILE, a JSON object as POST /v1/meters:import takes it: all of them or none."""
    with refusals_told():
        body = strict_json.decode(content_of(file, IMPORT_BYTES_MAX), MetersToImport)
    keyring, now_unix_s = keyring_of(database, key_file), SystemClock().unix_us() // 1_000_000
    for made in written(database, lambda tx: create_meters(tx, keyring, body, now_unix_s)).meters:
        click.echo(msgspec.json.encode(made).decode())


@meter.command("radio")
@DATABASE
@click.argument("meter_id")
@click.option("--dev-eui", required=True, help="16 hex digits, on the radio's label.")
def meter_radio(database: Path, meter_id: str, dev_eui: str) -> None:
    """Name the LoRaWAN radio of METER_ID, in the place of the one it had."""
    with refusals_told():
        path = strict_json.decode(msgspec.json.encode({"meter_id": meter_id}), RadioPath)
        body = strict_json.decode(msgspec.json.encode({"dev_eui": dev_eui}), RadioToSet)
    done = written(database, lambda tx: set_meter_radio(tx, path, body))
    click.echo(f"{done.meter_id}: radio {done.dev_eui}")
