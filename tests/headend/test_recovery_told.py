"""SEMANTICS A5: after a restore everyone can see which meters are ahead of the books, and by what."""

import json
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.api.problems import Problem
from headend.api.recovery import RestoredQuery, list_restored
from headend.api.store import Store
from headend.metrics import Metrics
from headend.storage.high_water import read
from tests.headend.test_recovery import Fallible, living


@pytest.fixture
def town(opened_books: Path, tmp_path: Path) -> Fallible:
    for file in opened_books.iterdir():
        shutil.copy2(file, tmp_path / file.name)
    return Fallible(tmp_path, random.Random(9), high_water=tmp_path / "granted")


def run(world: Fallible, *words: str) -> Result:
    return CliRunner().invoke(main, ["db", words[0], "--db", str(world.path), *words[1:]])


def restored(world: Fallible, *more: str) -> Result:
    files = ("--key-file", str(world.path.parent / "keys"), str(world.path.parent / "backup"))
    return run(world, "restore", *files, "--force", *more)


def test_a_restore_tells_what_the_file_knows_and_the_list_who_is_ahead(town: Fallible) -> None:
    ahead, behind = living(town), town.add(2)
    town.back_up()
    town.pay(ahead.number, 500, "t1")
    town.close()
    done = restored(town, "--high-water", str(town.file))
    assert done.exit_code == 0, done.output
    assert f"{town.file} tells that 1 of 2 meters hold more than the backup has" in done.output
    listed = run(town, "divergent")
    assert listed.output.splitlines() == [
        f"{ahead.meter_id.hex()} unheard: credited_mills 500000; still to be explained: C 500000, D 0 mills",
        f"{behind.meter_id.hex()} unheard",
    ]
    as_json = json.loads(run(town, "divergent", "--json").output.splitlines()[0])
    assert (as_json["found"], as_json["credited_to_explain_mills"]) == ({"credited_mills": 500_000}, 500_000)
    assert run(town, "divergent", "--state", "diverged").output.startswith("no meter stands so")


def test_a_restore_without_the_file_says_so(town: Fallible) -> None:
    """And one whose lines are partly lost says that, too."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 500, "t1")
    town.close()
    done = restored(town, "--high-water", str(town.file.with_name("elsewhere")))
    assert "only what the 1 meters tell when they are heard" in done.output, done.output
    town.file.write_bytes(town.file.read_bytes()[:-9])
    done = restored(town, "--high-water", str(town.file))
    assert "1 of its lines could not be read" in done.output, done.output


def test_a_file_that_cannot_be_read_stops_a_restore_before_anything_moves(town: Fallible) -> None:
    living(town)
    town.back_up()
    town.close()
    before = town.path.read_bytes()
    done = restored(town, "--high-water", str(town.file.parent))
    assert done.exit_code == 2 and "is a directory" in done.output
    assert town.path.read_bytes() == before


def test_a_command_by_hand_tells_the_file_as_well(town: Fallible, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is granted while the headend is stopped is granted all the same; the variable names the file."""
    meter = living(town)
    town.close()
    monkeypatch.setenv("GUELTA_HIGH_WATER", str(town.file))
    policy = Path(__file__).parents[2] / "docs" / "examples" / "policy.json"
    before = len(read(town.file).packs)
    done = CliRunner().invoke(main, ["policy", "set", "--db", str(town.path), meter.meter_id.hex(), str(policy)])
    assert done.exit_code == 0, done.output
    assert len(read(town.file).packs) == before + 1


def test_the_list_comes_in_pages_and_by_state(town: Fallible) -> None:
    meters = [town.add(number) for number in range(1, 6)]
    town.back_up()
    back = town.fall()
    back.receive(meters[3], meters[3].poll())
    ids, cursor = [], ""
    while cursor is not None:
        page = back.reader.read(lambda c, cursor=cursor: list_restored(c, RestoredQuery(limit=2, cursor=cursor)))
        ids += [one.meter_id for one in page.items]
        cursor = page.next
    assert ids == [one.meter_id.hex() for one in meters]
    asked = back.reader.read(lambda c: list_restored(c, RestoredQuery(state="asked")))
    assert [one.meter_id for one in asked.items] == [meters[3].meter_id.hex()]
    with pytest.raises(Problem, match="invalid_cursor"):
        back.reader.read(lambda c: list_restored(c, RestoredQuery(cursor="x")))
    metrics = Metrics(Store(back.clock, back.writer, back.reader, 0))
    [family] = [one for one in metrics.books() if one.name == "guelta_restored_meters"]
    counts = {sample.labels["state"]: sample.value for sample in family.samples}
    assert counts == {"unheard": 4, "asked": 1, "agrees": 0, "diverged": 0}
    back.close()
