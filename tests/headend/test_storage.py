"""The storage keeps its promises, and the database itself refuses what must never happen (SEMANTICS G1, DESIGN §6)."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from sqlalchemy import exc

from headend.clock import SimClock
from headend.storage import migrate, sqlite, tables
from headend.storage.reader import Reader
from headend.storage.writer import Tx, Writer, WriterClosed
from tests.headend.world import World

ACCOUNT = {"code": "a", "class_": "a", "side": "debit"}


def in_fresh_python(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)


def test_g1_another_sqlite_library_in_the_process_is_refused() -> None:
    """G1: with two libraries, closing a reader of one drops the writer's lock of the other."""
    done = in_fresh_python("import sqlite3", "import headend.storage.sqlite")
    assert done.returncode == 1
    assert "a second SQLite library is loaded" in done.stderr


def test_g1_sqlalchemy_and_import_sqlite3_use_the_one_library() -> None:
    done = in_fresh_python(
        "import headend.storage.sqlite, sqlite3, sys, pysqlite3",
        "from headend.storage.sqlite import writer_engine",
        "engine = writer_engine('none')",
        "assert sqlite3 is pysqlite3 and '_sqlite3' not in sys.modules",
        "assert engine.dialect.dbapi is pysqlite3.dbapi2, engine.dialect.dbapi",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_a_library_with_the_wal_reset_bug_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(sqlite.StorageRefused, match=r"can corrupt a WAL database: install"):
        sqlite.check_version(version)


def test_the_first_fixed_library_is_taken() -> None:
    sqlite.check_version((3, 51, 3))


@pytest.mark.parametrize("pragma", ["synchronous=NORMAL", "journal_mode=DELETE", "foreign_keys=OFF"])
def test_a_connection_that_is_not_durable_is_refused(tmp_path: Path, pragma: str) -> None:
    """H2: an acknowledged commit must survive power loss, so the pragmas are read back, not hoped for."""
    engine = sqlite.writer_engine(tmp_path / "books.db")
    with engine.connect() as connection:
        cursor = sqlite.raw(connection).cursor()
        sqlite.assert_durable(cursor, read_only=False)
        cursor.execute(f"PRAGMA {pragma}")
        with pytest.raises(sqlite.StorageRefused):
            sqlite.assert_durable(cursor, read_only=False)
    engine.dispose()


def test_a_reader_cannot_write(world: World) -> None:
    with pytest.raises(exc.OperationalError, match="attempt to write a readonly database"):
        world.reader.read(lambda connection: connection.exec_driver_sql("DELETE FROM customer"))


def test_only_the_owner_can_read_the_database(world: World) -> None:
    assert world.path.stat().st_mode & 0o077 == 0


# ---- migrations ----------------------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_tables_of_this_release(world: World) -> None:
    """`alembic check`: nothing in tables.py is missing on disk, and nothing on disk is unknown to tables.py."""
    assert world.reader.read(migrate.differences) == []


def test_an_upgrade_twice_is_no_change(world: World) -> None:
    before = world.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    migrate.upgrade(world.path)
    assert world.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == before


def test_meters_of_an_older_database_keep_their_keys_and_their_states(tmp_path: Path) -> None:
    """Revision 0009 makes the table of meters again, for a new state: what points at a meter still does."""
    path = tmp_path / "books.db"
    _upgrade_to(path, "0008")
    engine = sqlite.writer_engine(path)
    with engine.connect() as old:
        for number, state in ((1, "active"), (2, "quarantined"), (3, "retired")):
            meter_id = number.to_bytes(8, "big")
            old.exec_driver_sql("INSERT INTO meter VALUES (?, 1, 0, 1, 0, 0, ?, 0)", (meter_id, state))
            old.exec_driver_sql("INSERT INTO meter_key VALUES (?, 1, 'kek', x'00')", (meter_id,))
    engine.dispose()
    migrate.upgrade(path)
    reader = Reader(path)
    rows = reader.read(
        lambda c: c.exec_driver_sql("SELECT state, replaces, kek_id FROM meter JOIN meter_key USING (meter_id)").all()
    )
    assert [tuple(row) for row in rows] == [(state, None, "kek") for state in ("active", "quarantined", "retired")]
    assert reader.read(lambda c: c.exec_driver_sql("PRAGMA foreign_key_check").all()) == []
    assert reader.read(migrate.differences) == []
    reader.close()


def _upgrade_to(path: Path, revision: str) -> None:
    sqlite.create_private(path)
    engine = sqlite.writer_engine(path)
    with engine.connect() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_an_interrupted_upgrade_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """H8: the schema arrives whole or not at all."""
    monkeypatch.setattr("headend.storage.guards.create_statements", lambda *_: ["CREATE TRIGGER broken"])
    path = tmp_path / "books.db"
    with pytest.raises(exc.OperationalError):
        migrate.upgrade(path)
    reader = Reader(path)
    names = reader.read(lambda connection: connection.exec_driver_sql("SELECT name FROM sqlite_master").fetchall())
    reader.close()
    assert names == []


# ---- what the database refuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("book", [book.name for book in tables.BOOKS])
@pytest.mark.parametrize("act", ["UPDATE {0} SET id = id", "DELETE FROM {0}", "REPLACE INTO {0} SELECT * FROM {0}"])
def test_the_books_are_insert_only(busy: World, book: str, act: str) -> None:
    """I2: no row is ever changed or removed, not even by REPLACE; corrections are further rows."""
    assert busy.one(f"SELECT count(*) FROM {book}") > 0
    with pytest.raises(Exception, match=f"{book} is insert-only|{book} must rise"):
        busy.writer.run(lambda tx: tx.cursor.execute(act.format(book)))


def segment_of(tx: Tx) -> dict[str, Any]:
    """A further segment, as like the first one as may be, at another slot."""
    columns = [c.name for c in tables.segment.columns if c.name not in ("id", "batch_id", "uplink_id")]
    query = f"SELECT {', '.join(columns)} FROM uplink WHERE wallet_mills IS NOT NULL LIMIT 1"
    row = dict(zip(columns, tx.cursor.execute(query).fetchone(), strict=True))
    return {**row, "uplink_id": 1, "segment_first_slot": 1}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"wallet_mills": 2}, "wallet_is_the_sum"),
        ({"water_mills": -1, "sewer_mills": 2}, "roles_not_negative"),
        ({"segment_slots": 0}, "segment_not_empty"),
        ({"water_mills": None}, "NOT NULL"),
        ({"water_mills": 1.5, "wallet_mills": 1.5}, "cannot store REAL"),
    ],
)
def test_f2_a_segment_that_does_not_add_up_is_refused(busy: World, change: dict[str, Any], constraint: str) -> None:
    """F2: each role ≥ 0 and wallet = their sum; STRICT tables take no fractions."""
    zero = {f"{role}_mills": 0 for role in tables.ROLES}
    good = {**zero, "wallet_mills": 1, "water_mills": 1}
    with pytest.raises(Exception, match=constraint):
        busy.writer.run(lambda tx: tx.append("segment", {**segment_of(tx), **good, **change}))
    busy.writer.run(lambda tx: tx.append("segment", {**segment_of(tx), **good}))


def test_f2_a_segment_stored_with_a_frame_is_there_whole_or_not_at_all(busy: World) -> None:
    """A CHECK over NULL passes in SQL, so half a segment must be refused by a rule of its own."""
    facts = {"meter_id": bytes(8), "generation": 1, "epoch": 0, "counter": 1, "type": 2, "bearer": 1, "received_us": 0}
    with pytest.raises(Exception, match="segment_whole"):
        busy.writer.run(lambda tx: tx.append("uplink", {**facts, "facts": b"", "wallet_mills": 5}))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount_mills": 0}, "amount_positive"),
        ({"amount_mills": -5}, "amount_positive"),
        ({"amount_mills": 2**53}, "amount_positive"),
        ({"credit_account": 1}, "two_accounts"),
        ({"credit_account": 999}, "FOREIGN KEY"),
        ({"entry_id": 999}, "FOREIGN KEY"),
    ],
)
def test_a_transfer_cannot_be_unbalanced(busy: World, change: dict[str, int], constraint: str) -> None:
    good = {"entry_id": 1, "debit_account": 1, "credit_account": 2, "amount_mills": 5}
    with pytest.raises(Exception, match=constraint):
        busy.writer.run(lambda tx: tx.append("transfer", {**good, **change}))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"number": 1}, "statement must rise"),
        ({"credited_mills": 499_999, "paid_mills": 499_999}, "statement must rise"),
        ({"credited_mills": 600_000}, "credited_is_the_sum"),
        ({"debited_mills": 1}, "debited_is_the_sum"),
        ({"recovered_mills": -1, "credited_mills": 499_999}, r"recovered_mills|statement must rise"),
    ],
)
def test_a1_c_and_d_never_fall_and_are_sums_of_their_parts(
    busy: World, change: dict[str, int], constraint: str
) -> None:
    """A1, A3: a lower C or a number used twice would undo money on a meter."""
    parts = dict.fromkeys((*tables.CREDIT_PARTS, *tables.DEBIT_PARTS), 0)
    head = {"meter_id": (1).to_bytes(8, "big"), "generation": 1, "number": 2}
    good = {**head, **parts, "paid_mills": 500_000, "credited_mills": 500_000, "debited_mills": 0}
    with pytest.raises(Exception, match=constraint):
        busy.writer.run(lambda tx: tx.append("statement", {**good, **change}))


def test_one_row_per_provider_transaction_for_ever(busy: World) -> None:
    """I4, P1: even a program that forgets to look cannot credit a transaction twice."""
    columns = [c.name for c in tables.payment.columns if c.name not in ("id", "batch_id")]

    def again(tx: Tx) -> None:
        row = tx.cursor.execute(f"SELECT {', '.join(columns)} FROM payment").fetchone()
        entry = {"kind": "payment", "key": "another", "effective_us": 0, "memo": ""}
        tx.append("payment", {**dict(zip(columns, row, strict=True)), "entry_id": tx.append("entry", entry)})

    with pytest.raises(Exception, match=r"UNIQUE constraint failed: payment.provider, payment.provider_txn_id"):
        busy.writer.run(again)


# ---- the writer ----------------------------------------------------------------------------------------------------


def test_a_result_is_given_only_after_its_commit(world: World) -> None:
    """I13: at the instant at which a caller knows, another connection can read it."""
    for number in range(20):
        row_id = world.writer.run(
            lambda tx, n=number: tx.append("account", {**ACCOUNT, "code": f"x{n}", "class_": f"x{n}"})
        )
        assert world.one("SELECT count(*) FROM account WHERE id = ?", row_id) == 1


def hold(world: World) -> threading.Event:
    """Keep the writer busy with a commit until the event is set, so that further jobs must wait together."""
    started, release = threading.Event(), threading.Event()
    world.writer._enqueue(lambda tx: (started.set(), release.wait(5)))
    assert started.wait(5)
    return release


def test_a_job_that_fails_is_undone_alone(world: World) -> None:
    """Its neighbours in the same commit stay, and the chain does not mention what is gone."""
    release = hold(world)

    def fails(tx: Tx) -> None:
        tx.append("account", {**ACCOUNT, "code": "gone", "class_": "gone"})
        raise KeyError("no")

    jobs = [
        world.writer._enqueue(lambda tx: tx.append("account", {**ACCOUNT, "code": "before", "class_": "before"})),
        world.writer._enqueue(fails),
        world.writer._enqueue(
            lambda tx: (tx.append("account", {**ACCOUNT, "code": "after", "class_": "after"}), tx.batch_id)
        ),
    ]
    release.set()
    jobs[0].result()
    with pytest.raises(KeyError):
        jobs[1].result()
    _, batch_id = jobs[2].result()
    codes = world.rows("SELECT code FROM account WHERE batch_id = ? ORDER BY id", batch_id)
    assert codes == [("before",), ("after",)], "one commit, without the failed job"
    from headend.ledger.chain_check import chain_faults

    assert world.reader.read(lambda connection: list(chain_faults(connection))) == []


def test_h3_a_full_disk_is_told_as_such_and_nothing_is_half_done(world: World) -> None:
    """H3, I13: SQLite undoes the whole transaction where the disk is full; the next job after it finds room works."""
    connection = world.writer._connection
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill(tx: Tx) -> None:
        for number in range(200):
            tx.append("account", {**ACCOUNT, "code": f"{'x' * 80}{number}"})

    with pytest.raises(sqlite.pysqlite3.OperationalError, match="disk is full"):
        world.writer.run(fill)
    assert world.one("SELECT count(*) FROM account WHERE code LIKE 'xx%'") == 0
    connection.exec_driver_sql(f"PRAGMA max_page_count = {2**30}")
    world.writer.run(fill)
    assert world.one("SELECT count(*) FROM account WHERE code LIKE 'xx%'") == 200


def test_when_the_commit_fails_nobody_is_told_otherwise(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """H3: disk full at the commit: every caller of the batch gets the error, and nothing of it is there."""

    def full(tx: Tx) -> tuple[int, bytes]:
        raise OSError("disk full")

    before = world.one("SELECT count(*) FROM account")
    monkeypatch.setattr(world.writer, "_append_link", full)
    with pytest.raises(OSError, match="disk full"):
        world.writer.run(lambda tx: tx.append("account", ACCOUNT))
    monkeypatch.undo()
    assert world.one("SELECT count(*) FROM account") == before
    world.writer.run(lambda tx: tx.append("account", ACCOUNT))
    assert world.one("SELECT count(*) FROM account") == before + 1


def test_jobs_that_wait_share_one_commit(world: World) -> None:
    """Group commit: what arrives during a commit becomes the next one."""
    release = hold(world)
    jobs = [
        world.writer._enqueue(lambda tx, n=n: tx.append("account", {**ACCOUNT, "code": f"g{n}", "class_": f"g{n}"}))
        for n in range(100)
    ]
    release.set()
    for job in jobs:
        job.result()
    assert world.one("SELECT count(DISTINCT batch_id) FROM account WHERE code LIKE 'g%'") == 1


def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    path, clock = tmp_path / "books.db", SimClock(0)
    migrate.upgrade(path)
    for code in ("a", "b"):
        writer = Writer(path, clock)
        writer.run(lambda tx, code=code: tx.append("account", {**ACCOUNT, "code": code, "class_": code}))
        writer.close()
    reader = Reader(path)
    links = reader.read(lambda c: c.execute(sqlalchemy.select(tables.batch.c.previous_hash, tables.batch.c.hash)).all())
    reader.close()
    assert links[1].previous_hash == links[0].hash


def test_a_closed_writer_takes_nothing(world: World) -> None:
    world.writer.close()
    with pytest.raises(WriterClosed):
        world.writer.run(lambda tx: None)


def test_a_column_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(KeyError, match="no column"):
        world.writer.run(lambda tx: tx.append("account", {**ACCOUNT, "kind": "x"}))
