"""`guelta meter`: register meters, print what they are provisioned with, order something of one, renew, swap it."""

from pathlib import Path
from typing import Any

import click
import msgspec

from headend.api import strict_json
from headend.api.endpoint import IMPORT_BYTES_MAX
from headend.api.field_jobs import NothingMore
from headend.api.meters import MeterPath
from headend.api.new_meters import MetersToImport, MeterToAdd, create_meter, create_meters
from headend.api.orders import CommandToGive, SlotsToAsk, ask_slots, give
from headend.api.radios import RadioPath, RadioToSet, set_meter_radio
from headend.api.releases import UpdateToWant, cancel_update, want_update
from headend.api.renewals import KeysToChange, MeterToRenew, change_keys, renew
from headend.api.swaps import MeterToRetire, MeterToSwap, SpareToPrepare, prepare, retire, swap
from headend.cli.releases import VersionNumber
from headend.cli.work import DATABASE, KEY_FILE, json_of, keyring_of, refusals_told, written
from headend.clock import SystemClock


@click.group()
def meter() -> None:
    """Add, import, order, renew, swap and retire meters."""


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
        body = json_of(file, IMPORT_BYTES_MAX, MetersToImport)
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


def _path(meter_id: str) -> MeterPath:
    path: MeterPath = strict_json.decode(msgspec.json.encode({"meter_id": meter_id}), MeterPath)
    return path


@meter.command("command")
@DATABASE
@click.argument("meter_id")
@click.argument("order", type=click.Choice(["open", "close", "release", "report-period", "tell"]))
@click.option("--hold-s", type=int, help="open, close: for how many seconds at most.")
@click.option("--limit-l", type=int, help="open: for how many litres at most.")
@click.option("--report-slots", type=int, help="report-period: half-hours between reports, a divisor of 48.")
@click.option("--expires-at", help="RFC 3339; a day from now by default.")
def meter_command(database: Path, meter_id: str, **given: Any) -> None:
    """Order something of METER_ID; it goes out with the answer to its next uplink."""
    fields = {name: value for name, value in given.items() if value is not None}
    with refusals_told():
        path, body = _path(meter_id), strict_json.decode(msgspec.json.encode(fields), CommandToGive)
    made = written(database, lambda tx: give(tx, path, body, tx.now_us // 1_000_000))
    click.echo(msgspec.json.encode(made).decode())


@meter.command("ask")
@DATABASE
@click.argument("meter_id")
@click.option("--since", required=True, help="RFC 3339.")
@click.option("--until", required=True, help="RFC 3339.")
def meter_ask(database: Path, meter_id: str, since: str, until: str) -> None:
    """Have the half-hours of METER_ID in that time sent again."""
    with refusals_told():
        path = _path(meter_id)
        body = strict_json.decode(msgspec.json.encode({"since": since, "until": until}), SlotsToAsk)
    done = written(database, lambda tx: ask_slots(tx, path, body))
    click.echo(msgspec.json.encode(done).decode())


@meter.command("update")
@DATABASE
@click.argument("meter_id")
@click.option("--version", type=VersionNumber(), help="A release, as 1.2.3.")
@click.option("--hardware", help="Where this version was released for several.")
@click.option("--cancel", is_flag=True, help="Send no more of what was wanted.")
def meter_update(database: Path, meter_id: str, version: int | None, hardware: str | None, cancel: bool) -> None:
    """Have METER_ID run a release: it takes it fragment by fragment, once it is heard."""
    if (version is None) != cancel:
        raise click.UsageError("give --version, or --cancel")
    with refusals_told():
        path = _path(meter_id)
        if version is not None:
            fields = {"version": version, "hardware": hardware}
            body = strict_json.decode(msgspec.json.encode(fields), UpdateToWant)
    if cancel:
        done = written(database, lambda tx: cancel_update(tx, path, NothingMore()))
    else:
        done = written(database, lambda tx: want_update(tx, path, body))
    click.echo(msgspec.json.encode(done).decode())


@meter.command("rekey")
@DATABASE
@click.argument("meter_id")
def meter_rekey(database: Path, meter_id: str) -> None:
    """Have METER_ID change to the next key epoch. For a leaked root key: renew it."""
    with refusals_told():
        path = _path(meter_id)
    done = written(database, lambda tx: change_keys(tx, path, KeysToChange()))
    click.echo(f"{done.meter_id}: asked for key epoch {done.next_epoch}")


@meter.command("renew")
@DATABASE
@KEY_FILE
@click.argument("meter_id")
@click.option("--index-l", type=int, help="Litres on its register now; by default what it reported last.")
def meter_renew(database: Path, key_file: Path | None, meter_id: str, index_l: int | None) -> None:
    """Close the wallet of METER_ID and open the next one with its balance, under a new root key.

    For a meter that lost its state, or whose root key leaked. Prints what it is provisioned with, once.
    """
    with refusals_told():
        path, body = _path(meter_id), strict_json.decode(msgspec.json.encode({"index_l": index_l}), MeterToRenew)
    keyring = keyring_of(database, key_file)
    made = written(database, lambda tx: renew(tx, keyring, path, body))
    click.echo(msgspec.json.encode(made).decode())


@meter.command("spare")
@DATABASE
@KEY_FILE
@click.argument("meter_id")
@click.argument("new_meter_id")
@click.option("--litres-per-pulse", default=1, show_default=True)
def meter_spare(database: Path, key_file: Path | None, meter_id: str, **fields: Any) -> None:
    """Register NEW_METER_ID as the spare for the place of METER_ID; prints what it is provisioned with."""
    with refusals_told():
        path, body = _path(meter_id), strict_json.decode(msgspec.json.encode(fields), SpareToPrepare)
    keyring = keyring_of(database, key_file)
    made = written(database, lambda tx: prepare(tx, keyring, path, body))
    click.echo(msgspec.json.encode(made).decode())


@meter.command("swap")
@DATABASE
@KEY_FILE
@click.argument("meter_id")
@click.argument("new_meter_id")
@click.option("--first-index-l", type=int, required=True, help="Litres on the register of the new meter.")
@click.option("--final-index-l", type=int, help="Litres on the old register; by default what it reported last.")
def meter_swap(database: Path, key_file: Path | None, meter_id: str, **fields: Any) -> None:
    """Put the spare NEW_METER_ID in the place of METER_ID, which is retired for good.

    Balance, debt plan, block position, paid charges and the customer number go on. Prints the new meter's OPENING.
    """
    with refusals_told():
        path, body = _path(meter_id), strict_json.decode(msgspec.json.encode(fields), MeterToSwap)
    keyring = keyring_of(database, key_file)
    done = written(database, lambda tx: swap(tx, keyring, path, body))
    click.echo(msgspec.json.encode(done).decode())


@meter.command("retire")
@DATABASE
@click.argument("meter_id")
@click.option("--final-index-l", type=int, help="Litres on its register; by default what it reported last.")
def meter_retire(database: Path, meter_id: str, final_index_l: int | None) -> None:
    """Take METER_ID away for good: what is left in its wallet counts against what the holder owes."""
    with refusals_told():
        fields = {"final_index_l": final_index_l}
        path, body = _path(meter_id), strict_json.decode(msgspec.json.encode(fields), MeterToRetire)
    done = written(database, lambda tx: retire(tx, path, body))
    click.echo(msgspec.json.encode(done).decode())
