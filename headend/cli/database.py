"""`guelta db`: create, upgrade, check, back up, restore."""

from pathlib import Path

import click
import msgspec

from headend.api.recovery import RestoredMeter, RestoredQuery, list_restored
from headend.api.shapes import PAGE_LIMIT_MAX
from headend.backups import back_up, contents_of, faults_of
from headend.cli.work import (
    AS_JSON,
    CURRENCY,
    DATABASE,
    HIGH_WATER,
    KEY_FILE_THERE,
    UTILITY,
    acting,
    key_file_of,
    refusals_told,
    seen,
    written,
)
from headend.configuration import high_water_of
from headend.exclusive import alone_with
from headend.ingest.contact import STATES
from headend.ledger.books import open_books
from headend.payments.amounts import EXPONENTS
from headend.restore import Restored, difference, restore
from headend.storage import migrate
from headend.storage.sqlite import StorageRefused


@click.group()
def db() -> None:
    """Create, upgrade, check, back up and restore the database."""


@db.command("upgrade")
@DATABASE
@UTILITY
@CURRENCY
def db_upgrade(database: Path, utility: str, currency: str) -> None:
    """Create the database, or bring it to this release's schema."""
    written(database, lambda tx: open_books(tx, utility, currency, EXPONENTS[currency]))
    click.echo(f"{database}: schema is current, books are kept in {currency}")


@db.command("check")
@DATABASE
def db_check(database: Path) -> None:
    """Check file, schema and settings; exit code 1 with the differences if there are any."""
    problems = seen(database, lambda c: [str(row[0]) for row in c.exec_driver_sql("PRAGMA integrity_check")])
    different = [str(found) for found in seen(database, migrate.differences)]
    faults = [text for text in problems if text != "ok"] + different
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"{database}: sound, schema is current")


BACKUP_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@db.command("backup")
@DATABASE
@BACKUP_FILE
def db_backup(database: Path, file: Path) -> None:
    """Copy the database to FILE, also while the headend runs, and verify the copy; FILE.json says what it holds.

    The key file is not in it: keep that apart, or the backup opens nothing.
    """
    with refusals_told():
        if not database.exists():
            raise StorageRefused(f"{database} does not exist")
        made = back_up(database, file)
    click.echo(f"{file}: batch {made.contents.batch}, chain head {made.contents.chain_head}, books are good")


@db.command("verify")
@click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), help="Also open every secret with it.")
@BACKUP_FILE
def db_verify(file: Path, key_file: Path | None) -> None:
    """Open a backup and check its bytes, schema, books and keys; exit code 1 with what is wrong."""
    with refusals_told():
        faults = faults_of(file, key_file)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"{file}: good, chain head {contents_of(file).chain_head}")


@db.command("restore")
@DATABASE
@KEY_FILE_THERE
@HIGH_WATER
@BACKUP_FILE
@click.option("--force", is_flag=True, help="Replace the database that is there; it is kept under another name.")
def db_restore(database: Path, key_file: Path | None, high_water: Path | None, file: Path, force: bool) -> None:
    """Put the backup FILE in the place of the database, after verifying it. The headend must be stopped.

    Every downlink counter moves on by 2^13 for each restore there has been (SEMANTICS D3). What meters were granted
    after the backup comes from the high-water file (A5); 'guelta db divergent' lists the meters.
    """
    with refusals_told(), alone_with(database):
        faults = faults_of(file, key_file_of(database, key_file))
        for fault in faults:
            click.echo(fault)
        if faults:
            raise click.exceptions.Exit(1)
        for line in difference(database, file):
            click.echo(f"a restore changes {line}")
        if database.exists() and not force:
            raise StorageRefused(f"{database} is there: nothing was changed; add --force to replace it")
        granted = high_water_of(database, high_water)
        done = restore(database, file, key_file_of(database, key_file), acting(), granted)
    click.echo(
        f"{database}: restored, for the {done.generation}. time. The downlink counters of {done.meters} meters moved "
        f"on by {done.jump}, so that none is used twice. {_kept(done.kept)}"
    )
    click.echo(_granted(granted, done))


def _granted(file: Path, done: Restored) -> str:
    """What is known of what the backup does not have."""
    if not file.exists():
        return (
            f"There is no {file}: what was granted after the backup is only what the {done.listed} meters tell when "
            "they are heard; see 'guelta db divergent'."
        )
    torn = f" {done.unreadable} of its lines could not be read." if done.unreadable else ""
    return (
        f"{file} tells that {done.ahead} of {done.listed} meters hold more than the backup has: C and D were raised to "
        f"it.{torn} Have the providers notify again what was paid since; see 'guelta db divergent'."
    )


def _kept(path: Path | None) -> str:
    return "There was no database before." if path is None else f"The database of before is {path}."


@db.command("divergent")
@DATABASE
@click.option("--state", type=click.Choice(STATES), help="Only those that stand so; all unless given.")
@AS_JSON
def db_divergent(database: Path, state: str | None, as_json: bool) -> None:
    """List how each meter stands since the last restore: unheard, asked, agrees, or diverged and by what."""
    query, found = RestoredQuery(state=state, limit=PAGE_LIMIT_MAX), 0
    while True:
        page = seen(database, lambda connection, query=query: list_restored(connection, query))
        for one in page.items:
            click.echo(msgspec.json.encode(one).decode() if as_json else _line(one))
        found += len(page.items)
        if page.next is None:
            break
        query = msgspec.structs.replace(query, cursor=page.next)
    if not found and not as_json:
        click.echo("no meter stands so, or this database was never restored")


def _line(one: RestoredMeter) -> str:
    differs = ", ".join(f"{name} {value}" for name, value in one.found.items())
    left = (one.credited_to_explain_mills, one.debited_to_explain_mills)
    to_explain = f"; still to be explained: C {left[0]}, D {left[1]} mills" if any(left) else ""
    return f"{one.meter_id} {one.state}{': ' if differs else ''}{differs}{to_explain}"
