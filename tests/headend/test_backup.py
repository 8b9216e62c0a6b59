"""IW-92, CT-27, H5, H9: a backup under load is good, a bad one is told, and a restore repeats no counter (D3)."""

import contextlib
import json
import resource
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.backups import BackupRefused, back_up, contents_of, faults_of, record_file
from headend.exclusive import alone_with
from headend.ingest import meter_link
from headend.restore import JUMP, generation_file
from tests.headend.world import World


def run(line: str, world: World) -> Result:
    """A command on the world's database with its key file."""
    places = {"DB": str(world.path), "KEYS": str(world.path.parent / "keys")}
    return CliRunner().invoke(main, [places.get(word, word) for word in line.split()])


def down_next(world: World) -> list[int]:
    # The file may have been replaced since the last look.
    world.reader.close()
    return [row[0] for row in world.rows("SELECT down_next FROM meter_link ORDER BY meter_id")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "backup.db"


def test_a_backup_beside_a_busy_writer_is_one_committed_state(busy: World, file: Path) -> None:
    """No commit waits for the copy and none is in it by half: its chain head is one that was committed."""
    stop, done = threading.Event(), 0

    def load() -> None:
        nonlocal done
        while not stop.is_set():
            busy.pay("00000195", 1, f"load-{done}")
            done += 1

    worker = threading.Thread(target=load)
    worker.start()
    try:
        made = [back_up(busy.path, file.with_name(f"{number}.db")) for number in range(4)]
    finally:
        stop.set()
        worker.join()
    heads = {bytes(row[0]).hex() for row in busy.rows("SELECT hash FROM batch")}
    assert {record.contents.chain_head for record in made} <= heads
    assert made[0].contents.payments < made[-1].contents.payments, "money came in while it was copied"
    assert all(faults_of(file.with_name(f"{n}.db"), busy.path.parent / "keys") == [] for n in range(4))


def test_a_backup_is_one_private_file_and_its_record(busy: World, file: Path) -> None:
    made = run(f"db backup --db DB {file}", busy)
    assert made.exit_code == 0 and contents_of(file).chain_head in made.output
    assert sorted(path.name for path in file.parent.iterdir()) == ["backup.db", "backup.db.json"]
    assert {path.stat().st_mode & 0o077 for path in file.parent.iterdir()} == {0}
    assert json.loads(record_file(file).read_text())["contents"]["batch"] == contents_of(busy.path).batch
    assert run(f"db verify {file} --key-file KEYS", busy).exit_code == 0
    again = run(f"db backup --db DB {file}", busy)
    assert again.exit_code == 1 and "never overwrites" in again.output


@pytest.mark.parametrize("harm", ["torn", "flipped", "no record", "no file"])
def test_a_harmed_backup_is_told_and_not_restored(busy: World, file: Path, harm: str) -> None:
    back_up(busy.path, file)
    content = file.read_bytes()
    if harm == "torn":
        file.write_bytes(content[: len(content) // 2])
    if harm == "flipped":
        file.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    if harm == "no record":
        record_file(file).unlink()
    if harm == "no file":
        file.unlink()
    busy.close()
    before = busy.path.read_bytes()
    assert run(f"db verify {file}", busy).exit_code == 1
    refused = run(f"db restore --db DB --key-file KEYS {file} --force", busy)
    assert refused.exit_code == 1 and "restored" not in refused.output, refused.output
    assert busy.path.read_bytes() == before and not generation_file(busy.path).exists()


def test_books_that_are_wrong_make_no_backup(busy: World, file: Path) -> None:
    """A copy of wrong books would be kept as if it were good."""
    busy.writer.run(lambda tx: tx.cursor.execute("UPDATE meter_state SET spent_mills = spent_mills + 1"))
    with pytest.raises(BackupRefused, match="the copy is not good: "):
        back_up(busy.path, file)
    assert not file.exists()


def test_another_key_file_is_refused(busy: World, file: Path) -> None:
    """The database alone opens no frame: a backup without its key is worth nothing, so it is said before, not after."""
    back_up(busy.path, file)
    busy.close()
    other = busy.path.parent / "other"
    other.write_text("11" * 32)
    other.chmod(0o600)
    for key_file, words in ((other, "do not open with"), (other.with_name("none"), "cannot be read")):
        refused = run(f"db restore --db DB --key-file {key_file} {file} --force", busy)
        assert refused.exit_code == 1 and words in refused.output


def test_a_restore_says_what_it_changes_and_asks_for_force(busy: World, file: Path) -> None:
    back_up(busy.path, file)
    busy.pay("00000195", 500, "after-the-backup")
    held = run(f"db restore --db DB --key-file KEYS {file}", busy)
    assert held.exit_code == 1 and "nothing was changed; add --force" in held.output
    assert "payments: 2 now, 1 in the backup" in held.output
    assert busy.one("SELECT count(*) FROM payment") == 2


def test_d3_a_restore_moves_every_downlink_counter_on_and_each_time_further(busy: World, file: Path) -> None:
    """I15: the frames sealed after the backup used counters that the backup does not know; they never come again."""
    back_up(busy.path, file)
    at_backup = down_next(busy)
    busy.writer.run(lambda tx: meter_link.save(tx, _spent(meter_link.load(tx, (1).to_bytes(8, "big")), 500)))
    used = down_next(busy)
    busy.close()
    for times in (1, 2):
        done = run(f"db restore --db DB --key-file KEYS {file} --force", busy)
        assert done.exit_code == 0 and f"on by {JUMP * times}" in done.output, done.output
        assert down_next(busy) == [counter + JUMP * times for counter in at_backup]
        assert min(down_next(busy)) > max(used)
        used = [counter + 1000 for counter in down_next(busy)]
    assert len([path for path in busy.path.parent.glob("*.before-restore-*") if path.suffix != ".db-wal"]) == 2
    assert generation_file(busy.path).read_text() == "2\n"
    assert run("ledger check --db DB", busy).exit_code == 0
    [row] = busy.rows("SELECT actor_kind, command, after FROM audit WHERE what = 'database'")
    assert row[:2] == ("cli", "guelta db restore") and json.loads(row[2])["counters_moved_by"] == 2 * JUMP


def _spent(link: meter_link.MeterLink, frames: int) -> meter_link.MeterLink:
    return replace(link, down_next=link.down_next + frames)


def test_a_restore_on_an_empty_place_and_over_a_broken_database(busy: World, file: Path) -> None:
    """What a restore is for: the disk is new, or the file is broken; logs of the old one are not taken for the new."""
    back_up(busy.path, file)
    busy.close()
    busy.path.write_bytes(b"broken" * 1000)
    busy.path.with_name(busy.path.name + "-wal").write_bytes(b"an old log")
    done = run(f"db restore --db DB --key-file KEYS {file} --force", busy)
    assert done.exit_code == 0 and "cannot be read" in done.output, done.output
    assert run("db check --db DB", busy).exit_code == 0
    busy.path.unlink()
    assert run(f"db restore --db DB --key-file KEYS {file}", busy).exit_code == 0
    assert run("ledger check --db DB", busy).exit_code == 0


def test_a_restore_waits_for_the_headend_to_stop(busy: World, file: Path) -> None:
    back_up(busy.path, file)
    with alone_with(busy.path):
        refused = run(f"db restore --db DB --key-file KEYS {file} --force", busy)
    assert refused.exit_code == 1 and "stop it first" in refused.output


def test_a_backup_without_room_leaves_nothing(busy: World, file: Path) -> None:
    """A disk that fills up, here a limit on the size of files: told in a line, and no half of a backup stays."""
    room = (busy.path.stat().st_size // 2, resource.RLIM_INFINITY)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, room)
    try:
        done = run(f"db backup --db DB {file}", busy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert done.exit_code == 1 and "nothing of it was kept" in done.output, done.output
    assert list(file.parent.iterdir()) == []


def test_a_database_of_a_newer_release_is_told_and_left_alone(busy: World) -> None:
    """An older release would misread what a newer one wrote; the remedy is not an upgrade."""
    busy.close()
    with contextlib.closing(driver.connect(str(busy.path))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    told = run("db check --db DB", busy)
    assert told.exit_code == 1 and told.output.startswith("schema 9999, and this release's is 0")
    refused = run("db upgrade --db DB", busy)
    assert refused.exit_code == 1 and "of a newer release of Guelta: install that release" in refused.output
