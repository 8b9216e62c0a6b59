"""Restoring a backup: verified, brought to this release, its downlink counters moved on, only then put in place.

A frame counter is never used twice (SEMANTICS D3): what the headend sealed after the backup is not in the backup. So a
restore moves every downlink counter on by 2^13 for each restore of this database there has ever been, as counted in a
file beside the database that no restore takes back. The replaced database is kept. What meters were granted after the
backup is read from the high-water file (A5, recovery.py).
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pysqlite3.dbapi2 as driver

from headend.backups import BackupRefused, Contents, contents_of, faults_of
from headend.clock import Clock, SystemClock
from headend.recovery import move_counters, recover
from headend.storage import high_water, migrate
from headend.storage.audit import Actor, Change
from headend.storage.copy import sync, sync_folder, to_one_file
from headend.storage.sqlite import create_private
from headend.storage.writer import Tx, Writer

JUMP = 2**13
_LOGS = ("-wal", "-shm")


class Restored(NamedTuple):
    """What was put in place: how far the counters were moved, for how many meters, and where the old database is. Of
    the meters that are `listed`, the high-water file tells that so many are `ahead`; `unreadable` lines it has."""

    generation: int
    jump: int
    meters: int
    kept: Path | None
    listed: int
    ahead: int
    unreadable: int


def difference(database: Path, file: Path) -> list[str]:
    """What a restore of `file` would change, line by line, against the database that is there."""
    backup = contents_of(file)
    if not database.exists():
        return [f"there is no {database}; the backup ends at batch {backup.batch}"]
    try:
        present = contents_of(database)
    except Exception as failure:  # noqa: BLE001  (a database to be replaced may be broken in any way)
        return [f"{database} cannot be read ({type(failure).__name__}); the backup ends at batch {backup.batch}"]
    lines = [
        f"{name}: {getattr(present, name)} now, {getattr(backup, name)} in the backup"
        for name in ("batch", "meters", "payments", "uplinks", "entries")
        if getattr(present, name) != getattr(backup, name)
    ]
    if not lines:
        same = present.chain_head == backup.chain_head
        return ["nothing: the chains end alike" if same else "the chains end differently"]
    return [*lines, _chain_line(present, backup)]


def restore(
    database: Path,
    file: Path,
    key_file: Path,
    actor: Actor,
    high_water_file: Path | None = None,
    clock: Clock | None = None,
) -> Restored:
    """Put the backup in the database's place; the caller holds its lock. Raises BackupRefused before anything moves.

    `high_water_file` may be missing: then what was granted after the backup is what the meters tell of it.
    """
    faults = faults_of(file, key_file)
    if faults:
        raise BackupRefused("; ".join(faults[:5]))
    marks = None if high_water_file is None or not high_water_file.exists() else high_water.read(high_water_file)
    contents = contents_of(file)
    generation = _next_generation(database)
    coming = database.with_name(database.name + ".restoring")
    _remove(coming)
    create_private(coming)
    shutil.copyfile(file, coming)
    migrate.upgrade(coming)
    jump = JUMP * generation
    with contextlib.closing(Writer(coming, clock or SystemClock())) as writer:
        meters, (listed, ahead) = writer.run(lambda tx: _bring_forward(tx, jump, generation, actor, marks))
    to_one_file(coming)
    if high_water_file is not None:
        high_water.restored(high_water_file, contents.batch, contents.chain_head)
    kept = _put_aside(database)
    os.rename(coming, database)
    sync(database)
    return Restored(generation, jump, meters, kept, listed, ahead, 0 if marks is None else marks.unreadable)


def generation_file(database: Path) -> Path:
    """Where the restores of this database are counted, outside of it."""
    return database.with_name(database.name + ".restores")


def _next_generation(database: Path) -> int:
    """Count this restore, durably, before any counter of it can be used."""
    path = generation_file(database)
    generation = 1 + (int(path.read_text()) if path.exists() else 0)
    part = path.with_name(path.name + ".part")
    part.write_text(f"{generation}\n")
    sync(part)
    os.rename(part, path)
    sync(path)
    return generation


def _bring_forward(
    tx: Tx, jump: int, generation: int, actor: Actor, marks: high_water.Marks | None
) -> tuple[int, tuple[int, int]]:
    """The counters moved on, and every meter's books at what is known to have been granted."""
    tx.actor = actor
    tx.changes.append(Change("database", "1", None, {"restored": generation, "counters_moved_by": jump}))
    return move_counters(tx, jump, marks), recover(tx, marks, generation)


def _put_aside(database: Path) -> Path | None:
    """Keep the present database under another name as well; it stays in its place until the new one takes that.

    Its log goes into it before, so that a restore which is cut leaves either database whole and never none; only a
    broken one has its log moved away, lest that be taken for the new one's.
    """
    kept = database.with_name(f"{database.name}.before-restore-{time.time_ns() // 1_000_000}")
    found = None
    if database.exists():
        with contextlib.suppress(driver.Error):
            to_one_file(database)
        os.link(database, kept)
        found = kept
    for ending in _LOGS:
        there = database.with_name(database.name + ending)
        if there.exists():
            os.rename(there, kept.with_name(kept.name + ending))
            found = kept
    sync_folder(database)
    return found


def _remove(path: Path) -> None:
    """What a restore that was killed left behind."""
    for ending in ("", *_LOGS):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _chain_line(present: Contents, backup: Contents) -> str:
    return f"chain: {present.chain_head[:16]} at batch {present.batch} → {backup.chain_head[:16]} at {backup.batch}"
