"""`guelta ledger`: check the books, and rebuild the counters from the log. Both only read, except `rebuild --write`."""

import json
from pathlib import Path

import click

from headend.clock import SystemClock
from headend.exclusive import InUse, alone_with
from headend.ingest import meter_state
from headend.ledger.checks import CHECKS, account_balances, check_books, shadows
from headend.ledger.rebuild import rebuild as rebuild_meter
from headend.storage.reader import Reader
from headend.storage.writer import Tx, Writer

database_option = click.option(
    "--db",
    "database",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default="guelta.db",
    show_default=True,
    envvar="GUELTA_DB",
    help="The headend's database file.",
)


@click.group()
def ledger() -> None:
    """Check and rebuild the books."""


@ledger.command()
@database_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(database: Path, as_json: bool) -> None:
    """Verify the chain, the accounts and every meter; print every fault. Exit 1 if there is one."""
    reader = Reader(database)
    faults = reader.read(check_books)
    entries = reader.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM entry").scalar_one())
    head = reader.read(
        lambda connection: connection.exec_driver_sql("SELECT hash FROM batch ORDER BY id DESC LIMIT 1").scalar()
    )
    reader.close()
    if as_json:
        found = [{"check": fault.check, "where": fault.where, "what": fault.what} for fault in faults]
        click.echo(json.dumps({"faults": found, "entries": entries, "chain_head": head.hex() if head else None}))
    else:
        for fault in faults:
            click.echo(str(fault))
        names = ", ".join(item.name for item in CHECKS)
        click.echo(f"{len(faults)} faults ({names}); {entries} entries; chain head {head.hex() if head else 'none'}")
    if faults:
        raise SystemExit(1)


@ledger.command()
@database_option
def accounts(database: Path) -> None:
    """Print what every account holds, in mills, on its own side."""
    reader = Reader(database)
    for code, balance in reader.read(account_balances).items():
        click.echo(f"{balance:>20,}  {code}")
    reader.close()


@ledger.command()
@database_option
@click.option("--write", is_flag=True, help="Replace the stored counters by the rebuilt ones. Stop the headend first.")
def rebuild(database: Path, write: bool) -> None:
    """Compute every meter's counters again from its uplinks and compare. Exit 1 on a difference without --write."""
    reader = Reader(database)
    faults = reader.read(lambda connection: list(shadows(connection)))
    reader.close()
    for fault in faults:
        click.echo(str(fault))
    if faults and write:
        _rewrite(database)
    click.echo(f"{len(faults)} differences{' (counters rewritten)' if faults and write else ''}")
    if faults and not write:
        raise SystemExit(1)


def _rewrite(database: Path) -> None:
    """Save every meter's rebuilt state. Segments are books: they are compared, never rewritten."""
    try:
        with alone_with(database):
            writer = Writer(database, SystemClock())
            writer.run(_save_rebuilt)
            writer.close()
    except InUse as refused:
        raise click.ClickException(str(refused)) from None


def _save_rebuilt(tx: Tx) -> None:
    for (meter_id,) in tx.cursor.execute("SELECT meter_id FROM meter_state ORDER BY meter_id").fetchall():
        meter_state.save(tx, rebuild_meter(tx.connection, meter_id).state)
