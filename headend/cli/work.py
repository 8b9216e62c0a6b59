"""What every command needs: its options, the database opened alone or for reading, refusals told in one line."""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from headend.api import strict_json
from headend.api.problems import Problem
from headend.backups import BackupRefused
from headend.clock import SystemClock
from headend.configuration import configured, high_water_of
from headend.exclusive import InUse, alone_with
from headend.meters.keyring import KeyFileRefused, Keyring
from headend.meters.wrapped import kek_ids_of, open_keyring
from headend.payments.amounts import EXPONENTS
from headend.refusals import Refused
from headend.settings import SettingsRefused
from headend.storage import migrate
from headend.storage.audit import Actor
from headend.storage.reader import Reader
from headend.storage.sqlite import StorageRefused
from headend.storage.writer import Job, Tx, Writer

T = TypeVar("T")


def _configured(name: str) -> Any:
    """A default that the configuration file may have set (GUELTA_CONFIG)."""
    try:
        return configured(name)
    except SettingsRefused as refused:
        raise click.UsageError(str(refused)) from None


DATABASE = click.option(
    "--db", "database", type=click.Path(dir_okay=False, path_type=Path), default=lambda: _configured("db"),
    show_default="guelta.db", envvar="GUELTA_DB", help="The database file.",
)  # fmt: skip


def _key_file(help_text: str) -> Callable[[Any], Any]:
    return click.option(
        "--key-file", type=click.Path(dir_okay=False, path_type=Path), envvar="GUELTA_KEY_FILE",
        default=lambda: _configured("key_file"), show_default=False, help=help_text,
    )  # fmt: skip


KEY_FILE = _key_file(
    "The key that wraps all secrets; made on first use. Default: DB with '.kek' appended. Back it up apart."
)
# Where a new key would open nothing.
KEY_FILE_THERE = _key_file("The key file that is there. Default: DB with '.kek' appended.")
HIGH_WATER = click.option(
    "--high-water", type=click.Path(dir_okay=False, path_type=Path), envvar="GUELTA_HIGH_WATER",
    default=lambda: _configured("high_water"), show_default=False,
    help="What meters were granted; keep it on another disk. Default: DB with '.high-water' appended.",
)  # fmt: skip
TEXT_MAX = 100


def _text(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > TEXT_MAX or not value.isprintable():
        raise click.BadParameter(f"give 1 to {TEXT_MAX} printable characters")
    return value


UTILITY = click.option(
    "--utility", default=lambda: _configured("utility"), show_default="Guelta", callback=_text, envvar="GUELTA_UTILITY",
    help="Name of the utility, for a new database.",
)  # fmt: skip
CURRENCY = click.option(
    "--currency", type=click.Choice(sorted(EXPONENTS)), default=lambda: _configured("currency"), show_default="XOF",
    envvar="GUELTA_CURRENCY", help="ISO 4217, for a new database.",
)  # fmt: skip
PUBLICATION_KEY = click.option(
    "--key", "idempotency_key", required=True, callback=_text,
    help="Your name for this publication; the same key acts once.",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def written(database: Path, job: Callable[[Tx], T]) -> T:
    """Run one job as the only writer. The audit names the command."""
    with written_alone(database) as run:
        return run(job)


def repeated(database: Path, job: Callable[[Tx], bool]) -> int:
    """Run a small job until it has nothing left to do, each time as its own commit; how often it had something."""
    with written_alone(database) as run:
        return sum(1 for _ in iter(lambda: run(job), False))


@contextmanager
def written_alone(database: Path) -> Iterator[Callable[[Job[T]], T]]:
    """What runs jobs as the only writer; refused while a headend runs on the same database."""
    actor = acting()

    def run(job: Job[T]) -> T:
        def signed(tx: Tx) -> T:
            tx.actor = actor
            return job(tx)

        return writer.run(signed)

    with refusals_told(), alone_with(database):
        migrate.upgrade(database)
        given = os.environ.get("GUELTA_HIGH_WATER") or _configured("high_water")
        writer = Writer(database, SystemClock(), high_water_of(database, Path(given) if given else None))
        try:
            yield run
        finally:
            writer.close()


def acting() -> Actor:
    """Who gives this command, and which one it is: the user of the machine, and "guelta key create"."""
    names: list[str] = []
    context = click.get_current_context(silent=True)
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    return Actor("cli", user, " ".join(["guelta", *names]))


def seen(database: Path, query: Callable[[Connection], T]) -> T:
    """Read from an existing database, which may be in use."""
    with refusals_told():
        if not database.exists():
            raise StorageRefused(f"{database} does not exist: make it with 'guelta db upgrade --db {database}'")
        reader = Reader(database)
        try:
            return reader.read(query)
        finally:
            reader.close()


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn every kind of refusal into one line on stderr and an exit code."""
    try:
        yield
    except SettingsRefused as refused:
        raise click.UsageError(str(refused)) from None
    except Problem as problem:
        document = problem.document("en", "")
        places = "; ".join(f"{error.pointer}: {error.detail}" for error in document.errors)
        raise click.ClickException(f"{document.code}: {places or document.detail}") from None
    except UnicodeEncodeError:
        raise click.ClickException("what was given is not UTF-8 text; nothing was changed") from None
    except (Refused, InUse, StorageRefused, BackupRefused, KeyFileRefused, ValueError) as refused:
        raise click.ClickException(str(refused)) from None
    except OSError as refused:
        raise click.ClickException(
            f"{refused.filename}: {refused.strerror}" if refused.filename else str(refused)
        ) from None
    except (DatabaseError, CommandError) as refused:
        why = str(refused.orig if isinstance(refused, DatabaseError) else refused)
        remedy = "Is it one of Guelta's? 'guelta db upgrade' brings it to this release"
        if "disk is full" in why or "disk I/O" in why:
            remedy = "Make room, then give the command again"
        raise click.ClickException(f"the database: {why}. {remedy}") from None


def content_of(file: Path, bytes_max: int) -> bytes:
    """The bytes of a file that a request of the same kind could carry; OSError, or ValueError when it is longer."""
    with file.open("rb") as stream:
        content = stream.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ValueError(f"{file}: longer than {bytes_max} bytes, the most that is taken at a time")
    return content


def json_of(file: Path, bytes_max: int, shape: type[T]) -> T:
    """What a file says in the shape of a request. Raises as `content_of`, and Problem for a wrong field."""
    try:
        return strict_json.decode(content_of(file, bytes_max), shape)
    except Problem as problem:
        if problem.code != "malformed_json":
            raise
        raise ValueError(f"{file}: not JSON in UTF-8; it must hold one JSON object") from None


def key_file_of(database: Path, key_file: Path | None) -> Path:
    return Path(f"{database}.kek") if key_file is None else key_file


def keyring_of(database: Path, key_file: Path | None) -> Keyring:
    """The keyring that opens this database; a new key only where nothing is wrapped yet."""
    with refusals_told():
        ids = seen(database, kek_ids_of) if database.exists() else set()
        return open_keyring(key_file_of(database, key_file), os.urandom, ids)
