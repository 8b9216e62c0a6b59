"""SEMANTICS A5: what is granted stands in a second file before anybody learns of it, whatever becomes of either."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from headend.backups import back_up
from headend.ingest import meter_link
from headend.restore import JUMP, restore
from headend.storage import high_water
from headend.storage.audit import Actor
from headend.storage.high_water import HighWaterRefused, read
from headend.storage.sqlite import StorageRefused
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

ME = Actor("cli", "office", "guelta db restore")


@pytest.fixture
def granting(opened_books: Path, tmp_path: Path) -> World:
    """A utility with its high-water file in another folder."""
    for file in opened_books.iterdir():
        shutil.copy2(file, tmp_path / file.name)
    (tmp_path / "other-disk").mkdir()
    return again(tmp_path)


def again(folder: Path) -> World:
    return World(folder, random.Random(9), high_water=folder / "other-disk" / "granted")


def granted_file(world: World) -> Path:
    return world.path.parent / "other-disk" / "granted"


def paid_in_file(world: World, meter: VirtualMeter) -> int:
    return read(granted_file(world)).statements[meter.meter_id, 1].parts[0]


def test_a_grant_is_in_the_file_when_its_payer_learns_of_it(granting: World) -> None:
    meter = granting.add()
    for number in range(1, 4):
        granting.pay(meter.number, 500, f"t{number}")
        assert paid_in_file(granting, meter) == 500_000 * number
    marks = read(granted_file(granting))
    assert marks.batch == granting.one("SELECT max(id) FROM batch") and not marks.unreadable
    assert {kind for _, kind, _ in marks.packs} == {3, 4}
    assert granted_file(granting).stat().st_mode & 0o077 == 0
    granting.close()


def test_one_sync_for_a_batch_and_none_for_water(granting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An uplink without a grant, which is nearly every one, costs nothing."""
    meter = granting.add()
    written: list[int] = []
    honest = high_water.HighWater.flush

    def counted(self: high_water.HighWater) -> None:
        written.append(len(self._waiting))
        honest(self)

    monkeypatch.setattr(high_water.HighWater, "flush", counted)
    meter.use([5] * 48)
    granting.receive(meter, meter.report(0, 48))
    assert not any(written)
    granting.pay(meter.number, 500, "t1")
    assert [lines for lines in written if lines] == [2], "the statement and its batch"
    granting.close()


def test_without_the_file_nothing_is_acknowledged_and_nothing_more_is_done(granting: World) -> None:
    """I13: a grant that only one disk knows is not acknowledged; the writer goes on once the file is back."""
    meter = granting.add()
    file = granted_file(granting)
    away = file.rename(file.with_name("away"))
    with pytest.raises(HighWaterRefused, match="nothing is acknowledged"):
        granting.pay(meter.number, 500, "t1")
    with pytest.raises(HighWaterRefused):
        granting.writer.run(lambda tx: tx.append("account", {"code": "x", "class_": "x", "side": "debit"}))
    assert granting.one("SELECT count(*) FROM account WHERE code = 'x'") == 0
    assert not file.exists(), "a share that went away must not be taken for an empty one"
    away.rename(file)
    assert granting.pay(meter.number, 500, "t1").outcome.name == "DUPLICATE", "it was committed, and is told now"
    assert paid_in_file(granting, meter) == 500_000
    granting.close()


def test_a_full_disk_tears_a_line_and_the_next_one_is_whole(granting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """H3: half of a line was written; it is told again, behind a torn one that is left out."""
    meter = granting.add()
    honest = high_water._write_all

    def torn(descriptor: int, data: bytes) -> None:
        honest(descriptor, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(high_water, "_write_all", torn)
    with pytest.raises(HighWaterRefused, match="No space left"):
        granting.pay(meter.number, 500, "t1")
    monkeypatch.setattr(high_water, "_write_all", honest)
    granting.pay(meter.number, 500, "t2")
    assert paid_in_file(granting, meter) == 1_000_000
    assert read(granted_file(granting)).unreadable == 1
    granting.close()


@pytest.mark.parametrize("harm", ["torn tail", "rot", "lost", "cut before the sync"])
def test_a_harmed_file_is_whole_again_after_the_next_start(granting: World, harm: str) -> None:
    """What the books know is told again: a power cut between commit and file, bits that rot, a new disk."""
    meter = granting.add()
    file = granted_file(granting)
    before = file.read_bytes()
    granting.pay(meter.number, 500, "t1")
    granting.close()
    whole = file.read_bytes()
    if harm == "torn tail":
        file.write_bytes(whole[:-9])
    elif harm == "rot":
        at = whole.index(b" S ")
        file.write_bytes(whole[: at + 30] + bytes([whole[at + 30] ^ 1]) + whole[at + 31 :])
    elif harm == "lost":
        file.unlink()
    else:
        file.write_bytes(before)
    back = again(granting.path.parent)
    assert paid_in_file(back, meter) == 500_000
    assert read(file).unreadable == 0 and len(read(file).packs) == 2
    back.close()


def test_a_database_that_was_put_back_by_hand_is_refused(granting: World) -> None:
    """H5: a copied old database would grant again what the meters hold; only a restore may put one in place."""
    meter = granting.add()
    granting.pay(meter.number, 500, "t1")
    granting.close()
    old = granting.path.read_bytes()
    later = again(granting.path.parent)
    later.pay(meter.number, 500, "t2")
    later.close()
    granting.path.write_bytes(old)
    with pytest.raises(StorageRefused, match=r"put back by hand.*guelta db restore"):
        again(granting.path.parent)


def test_the_file_stays_small(granting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last statement of a wallet matters; the file is written anew once it is large."""
    monkeypatch.setattr(high_water, "COMPACTED_BYTES", 4_000)
    meter = granting.add()
    granting.close()
    small = again(granting.path.parent)
    for number in range(200):
        small.pay(meter.number, 1, f"t{number}")
    assert granted_file(small).stat().st_size < 20_000
    assert paid_in_file(small, meter) == 200_000
    small.close()


def test_d3_the_file_knows_of_counters_that_the_jump_would_not_pass(granting: World, tmp_path: Path) -> None:
    """I15: an update by frames spends more downlink counters than a restore jumps over."""
    meter = granting.add()
    back_up(granting.path, tmp_path / "backup")

    def spend(frames: int) -> None:
        granting.writer.run(lambda tx: meter_link.save(tx, _spent(meter_link.load(tx, meter.meter_id), frames)))

    for _ in range(0, 3 * JUMP, 4):
        spend(4)
    [(used,)] = granting.rows("SELECT down_next FROM meter_link")
    granting.close()
    restore(granting.path, tmp_path / "backup", tmp_path / "keys", ME, granted_file(granting))
    back = again(granting.path.parent)
    assert back.one("SELECT down_next FROM meter_link") > used > 2 * JUMP
    back.close()


def _spent(link: meter_link.MeterLink, frames: int) -> meter_link.MeterLink:
    return replace(link, down_next=link.down_next + frames)
