"""The power goes at every step of a backup and of a restore (I23, H5, H9, D3): old books or new ones, never none."""

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from headend.backups import back_up, faults_of, record_file
from headend.clock import SimClock
from headend.releases.images import keep
from headend.restore import generation_file, restore
from headend.storage import migrate
from headend.storage.audit import SYSTEM
from headend.storage.reader import Reader
from headend.storage.writer import Writer
from tests.crash.disk import Image
from tests.crash.images import images
from tests.crash.steps import all_recorded
from tests.crash.story import DATABASE, Story, content
from tests.figures import ROUND, publish
from tests.headend.world import World

BACKUP = "kept.db"
NOW_US = 1_800_000_000_000_000


@pytest.fixture
def life(books: Path, fast: Path) -> Path:
    """A utility with a backup, and a payment since, in a log that the headend had no time to close."""
    folder = fast / "life"
    shutil.copytree(books, folder)
    world = World(folder, random.Random(3))
    meter = world.add()
    world.pay(meter.number, 500, "before the backup")
    back_up(world.path, folder / BACKUP)
    world.pay(meter.number, 700, "after the backup")
    held = {file.name: file.read_bytes() for file in folder.iterdir()}
    world.close()
    for name, data in held.items():
        (folder / name).write_bytes(data)
    (folder / f"{DATABASE}-shm").unlink()
    return folder


def laid_out(image: Image, folder: Path) -> Path:
    """The image as files; where its database is or should be."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in image.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    return folder / DATABASE


def started(path: Path) -> bytes:
    """What the books hold after a start of the headend on this file."""
    migrate.upgrade(path)
    Writer(path, SimClock(NOW_US)).close()
    with contextlib.closing(Reader(path)) as reader:
        return reader.read(content)


def each_image(story: Story, names: Callable[[str], bool], per_moment: int, each: int) -> tuple[int, list[Image]]:
    """How many images there were, and those that differ in the files that count."""
    seen: dict[tuple[tuple[str, bytes], ...], Image] = {}
    count = 0
    for moment in images(story, per_moment, random.Random(ROUND), each):
        count += 1
        moment.image.pop(f"{DATABASE}-shm", None)
        seen.setdefault(tuple(sorted((n, d) for n, d in moment.image.items() if names(n))), moment.image)
    return count, list(seen.values())


def test_i23_a_restore_that_is_cut_leaves_the_old_books_or_the_new_ones(life: Path, fast: Path) -> None:
    """I23, D3, H5: what stands under the database's name is whole at every moment, and never empty books."""
    laid = fast / "laid"
    old = started(laid_out({file.name: file.read_bytes() for file in life.iterdir()}, laid))
    with all_recorded(life) as story:
        restore(life / DATABASE, life / BACKUP, life / "keys", SYSTEM)
    new = started(laid_out({file.name: file.read_bytes() for file in life.iterdir()}, laid))
    assert old != new

    def counts(name: str) -> bool:
        return name.startswith(DATABASE) and ".restoring" not in name

    count, different = each_image(story, counts, per_moment=1, each=12)
    found = [started(laid_out(image, laid)) for image in different]
    print(f"restore: {len(story.operations)} operations, {count} images, {len(different)} differ")
    assert [state for state in found if state not in (old, new)] == []
    assert {old, new} == set(found)
    for image in (different[0], different[len(different) // 2], different[-1]):
        path = laid_out(image, laid)
        made = restore(path, laid / BACKUP, laid / "keys", SYSTEM)
        counted = int(image.get(generation_file(path).name, b"0") or b"0")
        assert made.generation == counted + 1 and made.kept is not None
    publish("crash", "restore", images=count, operations=len(story.operations))


def test_h9_a_backup_that_is_cut_is_there_whole_or_not_at_all(life: Path, fast: Path) -> None:
    """I23, H9: a file under the backup's name is good, and the database is as it was."""
    laid = fast / "laid"
    old = started(laid_out({file.name: file.read_bytes() for file in life.iterdir()}, laid))
    with all_recorded(life) as story:
        back_up(life / DATABASE, life / "second.db")
    count, different = each_image(story, lambda name: not name.endswith(".part"), per_moment=1, each=12)
    whole = 0
    for image in different:
        path = laid_out(image, laid)
        assert started(path) == old
        if (laid / "second.db").exists():
            assert record_file(laid / "second.db").exists() and faults_of(laid / "second.db", laid / "keys") == []
            whole += 1
    print(f"backup: {len(story.operations)} operations, {count} images, {len(different)} differ, {whole} are whole")
    assert 0 < whole < len(different)
    publish("crash", "backup", images=count, operations=len(story.operations))


def test_the_folder_of_images_is_durable_with_the_first_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I13: a release that was taken is there after a power cut; a name is durable when its folder was synced."""
    synced: set[str] = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = tmp_path / "books.db.releases"
    keep(folder, b"an image")
    assert {str(tmp_path), str(folder)} <= synced
