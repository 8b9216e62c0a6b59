"""`guelta ledger`: check the books, and post every meter again from its log."""

import json
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from headend.cli.work import AS_JSON, DATABASE, seen
from headend.ledger.checks import CHECKS, check_books, shadows
from headend.ledger.fault import Fault


@click.group()
def ledger() -> None:
    """Check and rebuild the books."""


@ledger.command("check")
@DATABASE
@AS_JSON
def ledger_check(database: Path, as_json: bool) -> None:
    """Print every fault of the books; exit code 1 if there is one."""
    names = ", ".join(check.name for check in CHECKS)
    _report(database, as_json, check_books, f"books are good: {names}")


@ledger.command("rebuild")
@DATABASE
@AS_JSON
def ledger_rebuild(database: Path, as_json: bool) -> None:
    """Post every meter again from its log and compare with what is stored; exit code 1 if they differ."""
    _report(
        database, as_json, lambda connection: list(shadows(connection)), "every meter posts again to what is stored"
    )


def _report(database: Path, as_json: bool, find: Callable[[Connection], list[Fault]], good: str) -> None:
    faults = seen(database, find)
    if as_json:
        click.echo(json.dumps({"good": not faults, "faults": [msgspec.to_builtins(fault) for fault in faults]}))
    else:
        click.echo("\n".join(f"{fault.check}: {fault.where}: {fault.what}" for fault in faults) or good)
    if faults:
        raise click.exceptions.Exit(1)
