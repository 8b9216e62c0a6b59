"""`guelta keyring`: the key that wraps every secret in the database."""

import contextlib
import os
from pathlib import Path

import click

from headend.cli.work import DATABASE, KEY_FILE_THERE, acting, key_file_of, refusals_told, seen
from headend.clock import SystemClock
from headend.exclusive import alone_with
from headend.meters.keyring import Keyring
from headend.meters.rotation import rotate
from headend.meters.wrapped import KINDS, kek_ids_of, open_keyring, secrets_of, unopened
from headend.storage import migrate
from headend.storage.writer import Writer


@click.group()
def keyring() -> None:
    """Check and change the key that wraps all secrets."""


@keyring.command("check")
@DATABASE
@KEY_FILE_THERE
def keyring_check(database: Path, key_file: Path | None) -> None:
    """Open every secret in the database with the key file; exit code 1 with what does not open."""
    path = key_file_of(database, key_file)
    with refusals_told():
        if not path.exists():
            open_keyring(path, os.urandom, seen(database, kek_ids_of) or {"that is not made yet"})
        opened = Keyring.existing(path)
    faults = seen(database, lambda connection: unopened(connection, opened))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.exceptions.Exit(1)
    counts = seen(database, lambda c: {kind.table: sum(1 for _ in secrets_of(c, kind)) for kind in KINDS})
    told = ", ".join(f"{count} of {name}" for name, count in counts.items())
    click.echo(f"{path}: key {opened.kek_id} opens all: {told}")


@keyring.command("rotate")
@DATABASE
@KEY_FILE_THERE
def keyring_rotate(database: Path, key_file: Path | None) -> None:
    """Wrap every secret under a new key. The headend must be stopped; killed in between, give the command again."""
    path = key_file_of(database, key_file)
    actor = acting()
    with refusals_told(), alone_with(database):
        migrate.upgrade(database)
        with contextlib.closing(Writer(database, SystemClock())) as writer:
            done = rotate(writer, path, os.urandom, actor)
    click.echo(
        f"{path}: key {done.new_id} in the place of {done.old_id}, {done.secrets} secrets wrapped anew\n"
        f"{done.kept}: the old key; keep it as long as you keep backups from before"
    )
