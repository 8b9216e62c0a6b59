"""What outlives the loss of both copies of a state, and what must not come back; under CPython, files in memory."""

from firmware import boot, state
from firmware.boards.base import Board
from firmware.flash_record import TwoCopies
from protocol.rules.calendar import slot_start
from tests.firmware.fake_files import FakeFiles


class Quiet(Board):
    def __init__(self, files: FakeFiles) -> None:
        self.files = files

    def rtc(self) -> tuple[int, bool]:
        return slot_start(122_000), True

    def pulses(self) -> int:
        return 70


def lived(files: FakeFiles) -> dict[str, bytes]:
    """A state saved thirty times; what its copies were."""
    record = TwoCopies(files, "state")
    kept = state.State()
    kept.credited_mills, kept.opened = 50_000, 1
    for _ in range(30):
        record.save(kept.encode())
    return dict(files.content)


def lose(files: FakeFiles) -> boot.Store:
    """Both copies rot; the meter makes the state of A4 and saves it."""
    for path in ("a/state", "b/state"):
        files.content[path] = files.content[path][:-1] + b"?"
    store = boot.Store(files)
    assert store.state.load() is None
    store.state.save(boot._state_after_loss(Quiet(files), store).encode())
    return store


def test_a_copy_of_before_the_loss_that_turns_up_again_is_outvoted() -> None:
    """A4: a directory that falls back to an older commit must not bring back the credit of a forgotten life."""
    files = FakeFiles()
    old = lived(files)
    lose(files)
    files.content["a/state"] = old["a/state"]
    found = state.decode(TwoCopies(files, "state").load() or b"")
    assert found is not None and (found.opened, found.credited_mills) == (0, 0)


def test_a_loss_with_the_log_gone_too_is_told_and_begins_another_log() -> None:
    """A4: log generation 0 is the one that the headend holds."""
    store = lose_everything()
    found = state.decode(store.state.load() or b"")
    assert found is not None and found.log_generation == 1
    assert store.bad_copies() >= 2


def test_counters_given_back_by_the_keepsake_raise_the_next_log_generation() -> None:
    """A4: a meter in log generation 1 that loses state and log does not begin generation 1 again."""
    found = state.decode(lose_everything(reserved=4096 + 64).state.load() or b"")
    assert found is not None and found.log_generation == 2


def lose_everything(reserved: int = 0) -> boot.Store:
    files = FakeFiles()
    store = boot.Store(files)
    store.counter.reserved = reserved
    assert store.state.load() is None and store.state.bad_copies == 0
    store.state.save(boot._state_after_loss(Quiet(files), store).encode())
    return store


def test_a_copy_that_is_missing_beside_a_good_one_is_told() -> None:
    """M4: a directory that lost a file is as bad as a file that lost a bit."""
    files = FakeFiles()
    lived(files)
    del files.content["b/state"]
    record = TwoCopies(files, "state")
    assert record.load() is not None and record.bad_copies == 1


def test_a_record_that_never_was_is_not_a_bad_copy() -> None:
    record = TwoCopies(FakeFiles(), "packs")
    assert record.load() is None and record.bad_copies == 0
