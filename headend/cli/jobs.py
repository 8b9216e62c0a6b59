"""`guelta job` and `guelta seal`: the office's side of field work, where no headend runs on the database."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from headend.api import strict_json
from headend.api.dispatch import from_text
from headend.api.field_jobs import JobToMake, NothingMore, cancel_job, create_job
from headend.api.field_seals import SealQuery, SealsToImport, list_seals, post_seals
from headend.api.field_shapes import JobPath, job_of
from headend.cli.work import AS_JSON, DATABASE, KEY_FILE, keyring_of, refusals_told, seen, written
from headend.clock import SystemClock
from headend.field import job_facts
from headend.field.jobs import HOURS_MAX

SHOWN_MAX = 500
# Of the meter that an installation registers; the others are the job's own.
_METER = {"holder": "holder", "service_point": "service_point", "tariff": "tariff_code", "phone": "phone"}


@click.group()
def job() -> None:
    """Make, list and cancel jobs for technicians."""


@job.command("add")
@DATABASE
@KEY_FILE
@click.option("--kind", required=True, type=click.Choice(["install", "swap", "retire", "visit"]))
@click.option("--technician", required=True, help="Name of an API key with the scope field.")
@click.option("--hours", type=int, default=24, show_default=True, help=f"How long it may be claimed, 1 to {HOURS_MAX}.")
@click.option("--meter-id", required=True, help="16 hex digits.")
@click.option("--holder", help="install: registers the meter for this holder.")
@click.option("--service-point", help="install: where it hangs.")
@click.option("--tariff", help="install: the code of its tariff.")
@click.option("--phone", help="install: the holder's.")
@click.option("--new-meter-id", help="swap: 16 hex digits.")
@click.option("--litres-per-pulse", type=int, help="install, swap: 1, 10 or 100.")
@click.option("--first-index-l", type=int, help="install, swap: litres on the new register.")
@click.option("--role", type=int, help="visit: 1 reads, 2 technician, 3 may update, 4 may take out of use.")
@click.option("--not-before", help="RFC 3339; now by default.")
@click.option("--note", default="")
def job_add(database: Path, key_file: Path | None, **given: Any) -> None:
    """Make a job; prints its one-time token, once. Without a holder, `install` takes a meter that never spoke."""
    fields = _fields({name: value for name, value in given.items() if value is not None})
    with refusals_told():
        body = strict_json.decode(msgspec.json.encode(fields), JobToMake)
    keyring, now_unix_s = keyring_of(database, key_file), SystemClock().unix_us() // 1_000_000
    made = written(database, lambda tx: create_job(tx, keyring, body, now_unix_s))
    click.echo(msgspec.json.encode(made).decode())


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """The request that the options stand for: those of a meter to register are an object of their own."""
    meter = {name: given.pop(option) for option, name in _METER.items() if option in given}
    if meter:
        meter |= {name: given.pop(name) for name in ("litres_per_pulse", "first_index_l") if name in given}
        given["meter"] = {"meter_id": given.pop("meter_id"), **meter}
    return given


@job.command("list")
@DATABASE
@AS_JSON
def job_list(database: Path, as_json: bool) -> None:
    """Show the jobs, the oldest first, 500 at most."""
    found = [job_of(one) for one in seen(database, lambda c: job_facts.listed(c, 0, SHOWN_MAX, None, 0))]
    for one in found:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(one)))
        else:
            click.echo("\t".join((one.job_id, one.kind, one.state, one.technician, one.meter_id, one.expires_at)))


@job.command("cancel")
@DATABASE
@click.argument("job_id")
def job_cancel(database: Path, job_id: str) -> None:
    """End JOB_ID, as j17: its token opens nothing any more."""
    with refusals_told():
        path = from_text({"job_id": job_id}, JobPath, "invalid_path")
    done = written(database, lambda tx: cancel_job(tx, path, NothingMore()))
    click.echo(f"{done.job_id}: {done.state}")


@click.group()
def seal() -> None:
    """Take numbered seals into stock, and list where they are."""


@seal.command("import")
@DATABASE
@click.option("--prefix", default="", help="What stands before each number, as NE.")
@click.option("--first", required=True, help="Digits, zeros kept.")
@click.option("--last", required=True, help="As many digits.")
def seal_import(database: Path, **fields: str) -> None:
    """Take the seals FIRST to LAST into stock."""
    with refusals_told():
        body = strict_json.decode(msgspec.json.encode(fields), SealsToImport)
    done = written(database, lambda tx: post_seals(tx, body))
    click.echo(f"{done.first} to {done.last}: {done.count}")


@seal.command("list")
@DATABASE
@click.option("--state", type=click.Choice(["stock", "placed", "broken", "all"]), default="all", show_default=True)
@click.option("--meter-id", default="", help="Those that are or were on this meter.")
@AS_JSON
def seal_list(database: Path, state: str, meter_id: str, as_json: bool) -> None:
    """Show seals by their numbers, 500 at most."""
    with refusals_told():
        query = from_text({"state": state, "meter_id": meter_id, "limit": str(SHOWN_MAX)}, SealQuery, "invalid_query")
    for one in seen(database, lambda c: list_seals(c, query)).items:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(one)))
        else:
            click.echo("\t".join((one.number, one.state, one.meter_id or "-", one.technician or "-")))
