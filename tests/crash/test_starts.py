"""Each file operation of a start, a stop and a backup fails in turn (H3, H9, I13, target 10).

A start or a backup that cannot be made says so; a stop may leave its work to the next start. Nothing is lost by any.
"""

import contextlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest
from sqlalchemy.exc import DatabaseError

from headend.backups import BackupRefused, back_up
from headend.clock import SimClock
from headend.ledger.payments import Payment, credit_payment
from headend.storage.reader import Reader
from headend.storage.sqlite import StorageRefused
from headend.storage.writer import Writer
from tests.crash.disk import Disk
from tests.crash.faults import FAULTS, NTH_MAX, Failing
from tests.crash.story import DATABASE, content
from tests.crash.vfs import watched
from tests.figures import publish
from tests.headend.world import World

NOW_US = 1_800_000_000_000_000
SAID = (DatabaseError, driver.Error, StorageRefused, BackupRefused)


@pytest.fixture
def life(books: Path, fast: Path) -> Path:
    """Books whose last commits are in a log that nobody closed."""
    folder = fast / "life"
    shutil.copytree(books, folder)
    world = World(folder, random.Random(3))
    meter = world.add()
    for amount in (500, 700):
        world.pay(meter.number, amount, f"t{amount}")
    held = {file.name: file.read_bytes() for file in folder.iterdir()}
    world.close()
    for name, data in held.items():
        (folder / name).write_bytes(data)
    (folder / f"{DATABASE}-shm").unlink()
    return folder


def start_and_stop(folder: Path) -> None:
    """A headend that starts, and stops without having done anything."""
    Writer(folder / DATABASE, SimClock(NOW_US)).close()


def start_and_pay(folder: Path) -> None:
    """A headend that starts, takes a payment that nobody knows, and stops."""
    writer = Writer(folder / DATABASE, SimClock(NOW_US))
    try:
        writer.run(lambda tx: credit_payment(tx, Payment("judge", "t", "nobody", 1, "XOF", 0)))
    finally:
        writer.close()


def backed_up(folder: Path) -> None:
    """A backup beside a headend that does nothing."""
    back_up(folder / DATABASE, folder / "second.db")


def content_of(folder: Path) -> bytes:
    with contextlib.closing(Reader(folder / DATABASE)) as reader:
        return reader.read(content)


# A backup writes many pages, all alike: some of its writes fail.
ACTS: dict[str, tuple[Callable[[Path], None], int]] = {
    "start": (start_and_stop, 1),
    "payment": (start_and_pay, 1),
    "backup": (backed_up, 48),
}


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS)
def test_each_operation_of_a_start_and_a_backup_fails_in_turn(act: str, life: Path, fast: Path) -> None:
    """H3, H9, I13: said clearly or made good later; nothing is lost, and the next try works."""
    before = content_of(life)
    tried = fast / "tried"
    (done, step), failed, told = ACTS[act], 0, 0
    for name, fault in FAULTS.items():
        for nth in range(1, NTH_MAX, step if "write" in fault.kinds else 1):
            shutil.copytree(life, tried)
            failing = Failing(Disk.holding(tried))
            with watched(failing.watch):
                failing.arm(fault, nth)
                raised = None
                try:
                    done(tried)
                except SAID as failure:
                    raised = failure
                failing.mend()
                where = f"{name} {nth}: {raised}"
                if raised is not None and act != "payment":
                    assert content_of(tried) == before, where
                assert not (raised is not None and (tried / "second.db").exists()), where
                (start_and_stop if (tried / "second.db").exists() else done)(tried)
                assert (content_of(tried) == before) == (act != "payment"), where
            shutil.rmtree(tried)
            failed += failing.fired
            told += raised is not None
            if not failing.fired:
                break
    print(f"{act}: {failed} operations failed, {told} times it was said")
    assert 0 < told <= failed
    publish("crash", f"faults-{act}", failed_operations=failed)
