"""Cooked books are found out: `guelta ledger check` names the row that was touched (DESIGN §6, reliability I2, A7)."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headend.cli.ledger import ledger
from headend.ledger.chain_check import chain_faults
from headend.ledger.checks import CHECKS, check_books
from headend.ledger.fault import Fault
from headend.ledger.rebuild import rewrite
from headend.storage import chain, sqlite, tables
from headend.storage.columns import CARRIAGE
from headend.storage.writer import Writer
from tests.headend.world import World


def tamper(world: World, *statements: tuple[str, tuple[Any, ...]]) -> None:
    """What someone with the file can do: open it with another program, drop the triggers, write."""
    world.writer.close()
    connection = sqlite.pysqlite3.dbapi2.connect(str(world.path), isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints=ON")
    connection.execute("PRAGMA foreign_keys=OFF")
    for statement, values in statements:
        connection.execute(statement, values)
    connection.close()


def faults_of(world: World) -> list[str]:
    return [str(fault) for fault in world.reader.read(check_books)]


def chain_of(world: World) -> list[Fault]:
    return world.reader.read(lambda connection: list(chain_faults(connection)))


def altered(value: Any) -> Any:
    """The value with one bit flipped."""
    if isinstance(value, int):
        return value ^ 1 << 20
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\x00"
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    assert value is None
    return 1


def test_honest_books_have_no_fault(busy: World) -> None:
    assert faults_of(busy) == []


@pytest.mark.parametrize("name", list(chain.CHAINED))
def test_one_flipped_bit_in_any_cell_of_any_row_is_found_and_the_row_is_named(busy: World, name: str) -> None:
    """I2, target 19: for every column of every insert-only table, the first row that has a value there.

    But not the name of the bearer: by which way a frame came is no part of the books (CT-22).
    """
    for column in tables.metadata.tables[name].columns:
        if column.info == CARRIAGE:
            continue
        found = busy.rows(f"SELECT id, {column.name} FROM {name} ORDER BY {column.name} IS NULL, id LIMIT 1")
        row_id, value = found[0]
        wrong = row_id + 1000 if column.name == "id" else altered(value)
        kind = {bytes: "BLOB", str: "TEXT"}.get(type(value), "INTEGER")
        if column.name in ("salt", "slots", "slots_hash", "facts", "meter_id") and value is None:
            wrong, kind = b"\x01", "BLOB"
        tamper(busy, (f"UPDATE {name} SET {column.name} = CAST(? AS {kind}) WHERE id = ?", (wrong, row_id)))
        assert f"{name} row {row_id}" in [fault.where for fault in chain_of(busy)], column.name
        tamper(
            busy,
            (f"UPDATE {name} SET {column.name} = ? WHERE id = ?", (value, wrong if column.name == "id" else row_id)),
        )
    assert chain_of(busy) == [], "and what was put back is not complained about"


def test_every_column_is_covered_by_the_chain() -> None:
    """Half-hours, their salt and records of field work are outside it, their hashes inside (SEMANTICS F4); and the
    bearer (CT-22)."""
    outside = {
        (name, column.name)
        for name in chain.CHAINED
        for column in tables.metadata.tables[name].columns
        if column.name not in chain.digest_columns(tables.metadata.tables[name])
    }
    hashed = {("uplink", "salt"), ("uplink", "slots"), ("field_record", "record")}
    assert outside == {*hashed, ("uplink", "bearer")}
    assert {book.name for book in tables.BOOKS} == {*chain.CHAINED, "batch"}


@pytest.mark.parametrize("column", ["lane", "format", "committed_us", "previous_hash", "manifest", "hash"])
def test_a_changed_batch_is_named(busy: World, column: str) -> None:
    row_id, value = busy.rows(f"SELECT id, {column} FROM batch ORDER BY id LIMIT 1 OFFSET 3")[0]
    tamper(busy, (f"UPDATE batch SET {column} = ? WHERE id = ?", (altered(value), row_id)))
    assert any(fault.startswith(f"chain: batch row {row_id}: ") for fault in faults_of(busy))


def test_a_missing_row_is_named(busy: World) -> None:
    tamper(busy, ("DELETE FROM transfer WHERE id = 1", ()))
    assert "chain: transfer row 1: is missing" in faults_of(busy)


def test_a_row_from_elsewhere_is_named(busy: World) -> None:
    columns = "batch_id, entry_id, debit_account, credit_account, amount_mills"
    tamper(busy, (f"INSERT INTO transfer ({columns}) SELECT {columns} FROM transfer WHERE id = 1", ()))
    assert "chain: transfer row 2: is in no batch: it was not written by the headend" in faults_of(busy)


def test_a_missing_batch_is_noticed(busy: World) -> None:
    tamper(busy, ("DELETE FROM batch WHERE id = 4", ()))
    assert "chain: batch row 5: batch 4 should come here" in faults_of(busy)


def test_f4_erased_half_hours_leave_the_chain_whole(busy: World) -> None:
    """F4: at the end of retention slots and salt go; litres, amounts and the chain stay."""
    tamper(busy, ("UPDATE uplink SET slots = NULL, salt = NULL WHERE first_slot IS NOT NULL", ()))
    assert [fault for fault in faults_of(busy) if fault.startswith("chain")] == []


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("trial-balance", "UPDATE account SET class_ = 'lost' WHERE class_ = 'wallet'"),
        ("wallets", "UPDATE meter_state SET spent_mills = spent_mills - 1"),
        ("wallets", "UPDATE transfer SET amount_mills = amount_mills + 1"),
        ("money-in", "UPDATE payment SET amount_mills = amount_mills + 1"),
        ("money-in", "UPDATE statement SET paid_mills = paid_mills - 1, credited_mills = credited_mills - 1"),
        ("statements", "UPDATE statement SET number = 7 WHERE number = 1"),
        (
            "statements",
            "UPDATE statement SET recovered_mills = 1, credited_mills = credited_mills + 1 WHERE number = 1",
        ),
        (
            "recovered",
            "UPDATE statement SET recovered_debit_mills = 1, debited_mills = debited_mills + 1 WHERE number = 1",
        ),
        ("rebuild", "UPDATE meter_state SET frontier_slot = frontier_slot - 1"),
        ("rebuild", "UPDATE meter_state SET carry_water = carry_water + 1"),
        ("rebuild", "UPDATE uplink SET water_mills = water_mills - 1, sewer_mills = sewer_mills + 1 WHERE id = 3"),
        ("rebuild", "UPDATE uplink SET slots = zeroblob(96) WHERE id = 3"),
        ("daily-cut", "UPDATE meter_state SET today_spent_mills = today_spent_mills + 1"),
    ],
)
def test_each_check_finds_what_it_is_for(busy: World, check: str, statement: str) -> None:
    """A check that cannot fail is none."""
    tamper(busy, (statement, ()))
    assert [fault for fault in faults_of(busy) if fault.startswith(f"{check}: ")]


def test_all_checks_have_a_failing_example() -> None:
    marks = test_each_check_finds_what_it_is_for.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {check.name for check in CHECKS} == {"chain"} | {name for name, _ in marks}


def test_a_broken_book_is_a_fault_and_not_a_crash(busy: World) -> None:
    tamper(busy, ("DELETE FROM pack", ()))
    assert any("cannot be checked" in fault for fault in faults_of(busy))


# ---- the commands --------------------------------------------------------------------------------------------------


def run(path: Path, *arguments: str) -> Any:
    return CliRunner().invoke(ledger, [arguments[0], "--db", str(path), *arguments[1:]])


def test_guelta_ledger_check_says_what_was_checked(busy: World) -> None:
    done = run(busy.path, "check")
    assert done.exit_code == 0
    for check in CHECKS:
        assert check.name in done.output


def test_guelta_ledger_check_prints_every_fault_and_exits_1(busy: World) -> None:
    tamper(busy, ("UPDATE transfer SET amount_mills = amount_mills + 1", ()))
    done = run(busy.path, "check", "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)["faults"]
    assert {"check": "chain", "where": "transfer row 1", "what": "was changed after its commit"} in found
    assert {fault["check"] for fault in found} == {"chain", "wallets", "money-in", "statements"}


def test_a_damaged_shadow_is_found_and_written_again_from_the_log(busy: World) -> None:
    """DESIGN §6: the log is the truth, balances are its shadow."""
    tamper(busy, ("UPDATE meter_state SET spent_mills = spent_mills + 5, waiting = 1", ()))
    assert run(busy.path, "rebuild").exit_code == 1
    writer = Writer(busy.path, busy.clock)
    writer.run(rewrite)
    writer.close()
    assert run(busy.path, "rebuild").exit_code == 0
    assert faults_of(busy) == []
