"""What the writer remembers of tables that seldom change is never older than the tables (docs/adr/0085)."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headend.billing.published import pack_rates, timeline
from headend.clock import SimClock
from headend.meters import commands, slot_requests
from headend.meters.lookup import contracts_of
from headend.storage import audit, chain, remembered
from headend.storage.remembered import Topic
from headend.storage.writer import Tx, Writer
from protocol.rules.calendar import slot_start
from tests.headend.world import START_SLOT, World

METER = bytes(7) + b"\1"
LATER_US = (slot_start(START_SLOT) + 60) * 1_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, random.Random(1))
    world.add(1)
    yield world
    world.close()


# topic: what is read of it, and a change of each of its tables that the reading shows.
READ: dict[Topic, Callable[[Tx], object]] = {
    Topic.HOLDERS: lambda tx: contracts_of(tx, METER),
    Topic.TARIFFS: lambda tx: timeline(tx, "home"),
    Topic.RATES: lambda tx: pack_rates(tx, METER, 1),
    Topic.COMMANDS: lambda tx: commands.wanted_command(tx, METER),
    Topic.REQUESTS: lambda tx: slot_requests.wanted(tx, METER, 0),
}
CHANGE = {
    Topic.HOLDERS: "UPDATE contract SET tariff_code = 'shops'",
    Topic.TARIFFS: "INSERT INTO tariff "
    "(batch_id, code, title, valid_from_slot, known_from_us, late, printed, body, split, key) "
    "SELECT batch_id, code, title, valid_from_slot + 1, known_from_us, late, printed, body, split, 'x' FROM tariff",
    Topic.RATES: "UPDATE contract SET households = 7",
    Topic.COMMANDS: "INSERT INTO meter_command (meter_id, number, code, argument, cap, expires_unix_s, state, "
    "created_us) VALUES (x'0000000000000001', 1, 5, 0, 0, 4000000000, 'wanted', 1)",
    Topic.REQUESTS: "INSERT INTO slot_request VALUES (x'0000000000000001', 0, 5, 3, 9)",
}


def test_every_table_that_is_remembered_tells_its_changes() -> None:
    """A table without the audit's triggers would be remembered for ever."""
    for topic in Topic:
        assert topic.value <= set(audit.AUDITED)


@pytest.mark.parametrize("topic", READ, ids=lambda topic: topic.name)
def test_a_change_is_seen_at_once_in_its_job_and_after_it(world: World, topic: Topic) -> None:
    """The books are read as they are, whoever read them before; and as they were, where the change was undone."""
    read = READ[topic]

    def change(tx: Tx) -> object:
        assert read(tx) == before
        tx.cursor.execute(CHANGE[topic])
        return read(tx)

    def change_in_vain(tx: Tx) -> None:
        assert change(tx) != before
        raise LookupError

    before = world.writer.run(read)
    with pytest.raises(LookupError):
        world.writer.run(change_in_vain)
    assert world.writer.run(read) == before
    after = world.writer.run(change)
    assert before != after == world.writer.run(read)


def test_the_check_above_sees_a_memory_that_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the triggers' word the old answer is given."""
    before = world.writer.run(READ[Topic.RATES])
    monkeypatch.setattr(remembered.Remembered, "changed", lambda _self, _table: None)
    world.writer.run(lambda tx: tx.cursor.execute(CHANGE[Topic.RATES]))
    assert world.writer.run(READ[Topic.RATES]) is before


def test_what_a_commit_did_not_keep_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that could not be committed leaves no memory of what it wrote."""
    before = world.writer.run(READ[Topic.RATES])

    def fail(*_: object) -> bytes:
        raise OSError("the disk is full")

    def change(tx: Tx) -> None:
        tx.cursor.execute(CHANGE[Topic.RATES])
        assert READ[Topic.RATES](tx) != before

    with monkeypatch.context() as broken, pytest.raises(OSError, match="full"):
        broken.setattr(chain, "link", fail)
        world.writer.run(change)
    assert world.writer.run(READ[Topic.RATES]) == before


def test_a_connection_that_only_reads_keeps_nothing(world: World) -> None:
    """It is not told of changes, so it asks each time."""
    seen = [world.reader.read(lambda connection: READ[Topic.RATES](Tx(connection, 0, 0)))]
    world.writer.run(lambda tx: tx.cursor.execute(CHANGE[Topic.RATES]))
    seen.append(world.reader.read(lambda connection: READ[Topic.RATES](Tx(connection, 0, 0))))
    assert seen[0] != seen[1] == world.writer.run(READ[Topic.RATES])


def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """I25: however many meters a headend has."""
    monkeypatch.setattr(remembered, "ENTRIES_MAX", 10)
    kept = world.writer.run(lambda tx: tx.remembered)
    for key in range(100):
        assert kept.recall(Topic.PACKS, key, lambda key=key: key) == key  # type: ignore[misc]
    assert len(kept._kept[Topic.PACKS]) <= 10


def test_a_writer_without_a_thread_commits_at_once(tmp_path: Path) -> None:
    """A simulation's: each job is a commit in the caller's thread, one that fails is undone and raises."""
    world = World(tmp_path, random.Random(1))
    world.add(1)
    world.close()
    writer = Writer(world.path, SimClock(LATER_US), own_thread=False)
    assert writer.run(lambda tx: tx.cursor.execute("UPDATE contract SET households = 3").rowcount) == 1
    with pytest.raises(ZeroDivisionError):
        writer.run(lambda tx: tx.cursor.execute("UPDATE contract SET households = 4").rowcount // 0)
    assert writer.run(lambda tx: [contract.households for contract in contracts_of(tx, METER)]) == [3]
    writer.close()
