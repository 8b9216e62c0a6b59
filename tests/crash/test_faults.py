"""Every write, sync, truncation, opening and deletion fails in turn, in every flow (H3, I1, I13, target 10)."""

import contextlib
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError

from headend.ledger.checks import check_books
from headend.storage.writer import Writer
from tests.crash.disk import Disk
from tests.crash.faults import Failing, Found, Trial
from tests.crash.flows import Office, flows
from tests.crash.pages import Pages
from tests.crash.vfs import watched
from tests.figures import publish
from tests.headend.world import World

FLOWS = 32
FEW = ("payment", "reversal", "uplink-day", "swap")


def tried(books: Path, folder: Path, fault: str, names: tuple[str, ...] | None = None) -> tuple[Found, int]:
    """What came of failing all flows, or the few that are named while the others pass, and how many failed in turn."""
    life, power_cut = folder / "life", folder / "cut"
    shutil.copytree(books, life)
    power_cut.mkdir()
    failing = Failing(Disk.holding(life))
    count = 0
    with watched(failing.watch):
        world = World(life, random.Random(3))
        try:
            office = Office(world)
            with contextlib.closing(Pages(world.path)) as pages:
                trial = Trial(world.writer, pages, failing, office.probe)
                for name, job in flows(office):
                    if names is not None and name not in names:
                        world.writer.run(job)
                        continue
                    count += 1
                    trial.fail_each(name, job, fault)
                    trial.found.violations += [f"{name}, {fault}: {wrong}" for wrong in trial.durable(power_cut)]
            trial.found.violations += [str(wrong) for wrong in world.reader.read(check_books)]
        finally:
            world.close()
    return trial.found, count


@pytest.mark.worlds
@pytest.mark.parametrize("fault", ["write-eio", "write-enospc", "sync-eio"])
def test_each_operation_of_each_flow_fails_in_turn(fault: str, books: Path, fast: Path) -> None:
    """H3, I1, I13, target 10: no acknowledgement, nothing by halves, and the next work is done."""
    found, count = tried(books, fast, fault)
    print(f"{fault}: {count} flows, {found.failed} failed operations, {found.acknowledged} told all the same")
    print(found.words)
    assert found.violations == []
    assert count == FLOWS and found.failed >= count - 2, "a forged frame and a notification that is known write nothing"
    publish("crash", f"faults-{fault}", flows=count, failed_operations=found.failed)


@pytest.mark.parametrize("fault", ["write-enospc", "sync-eio"])
def test_h3_a_disk_that_fills_up_costs_no_payment(fault: str, books: Path, fast: Path) -> None:
    """H3, I13: four flows for every day; `make worlds` fails all of them."""
    found, count = tried(books, fast, fault, FEW)
    assert found.violations == []
    assert count == len(FEW) and found.failed >= count


class Careless(Writer):
    """Takes a failed commit for a commit."""

    def _commit(self, batch: Any) -> Any:
        outcomes = super()._commit(batch)
        return [
            (future, None if isinstance(outcome, DatabaseError) else outcome, True) for future, outcome, _ in outcomes
        ]


def test_a_writer_that_takes_a_failed_commit_for_one_is_found_out(
    books: Path, fast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of this file."""
    monkeypatch.setattr("tests.headend.world.Writer", Careless)
    found, _ = tried(books, fast, "sync-eio", FEW[:1])
    assert found.violations != []
