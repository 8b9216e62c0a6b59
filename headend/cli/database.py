"""`guelta db`: create, upgrade, check."""

from pathlib import Path

import click

from headend.cli.work import DATABASE, UTILITY, seen, written
from headend.ledger.books import open_books
from headend.payments.amounts import EXPONENTS
from headend.storage import migrate


@click.group()
def db() -> None:
    """Create, upgrade and check the database."""


@db.command("upgrade")
@DATABASE
@UTILITY
@click.option("--currency", type=click.Choice(sorted(EXPONENTS)), default="XOF", show_default=True)
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
