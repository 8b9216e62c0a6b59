"""Exceptions within what the firmware does: the state is the old one or the new one, and nobody was told early (M7)."""

import pytest

from hil_tests.cuts import runner
from tests.figures import ROUND, publish

# Of each the first act of this name. What fails in it, and in the boot that finds it: every flash operation, and each
# of so many calls, in another round the ones after them.
STRIDE = 29
ACTS = (
    ("statements", "statement"),
    ("statements", "pulses"),
    ("rekeys", "rekey"),
    ("rekeys", "first under new keys"),
    ("commands", "command"),
    ("commands", "end-stop"),
    ("fire", "button"),
    ("an_opening", "opening"),
    ("packs_in_parts", "pack"),
    ("the_ring_turns", "time"),
    ("month_edge", "time"),
    ("a_debt", "boot"),
    ("nacks", "nack"),
)
CONTROLS = ("a_live_file_opened", "told_too_early")


@pytest.mark.worlds
@pytest.mark.parametrize(("name", "act"), ACTS)
def test_an_exception_leaves_the_old_or_the_new(name: str, act: str) -> None:
    """M7, I7, I8: a MemoryError in place of a call, or an operation that the flash or the EEPROM refuses."""
    failed = runner.run("cpython", f"faults:{name}:{act}:{STRIDE}:{ROUND}")[0]
    assert failed["wrong"] == []
    assert failed["faults"] > 60
    publish("cuts", f"faults-{name}-{act}", faults_within=failed["faults"], faults_lived_on=failed["swallowed"])


def test_an_operation_refused_once_is_done_on_a_fresh_mount() -> None:
    """M7: littlefs was written to again after a write that failed, by a `replace` that took it for a missing folder."""
    failed = runner.run("cpython", "faults:a_stalling_valve:time:499:0")[0]
    assert failed["wrong"] == []
    assert failed["faults"] > 40


def test_a_store_that_an_exception_harms_is_found() -> None:
    """The controls: a live file opened for writing, and an answer before what it tells is on flash."""
    found = runner.run("cpython", *[f"control:{name}" for name in CONTROLS])
    assert [name for name, control in zip(CONTROLS, found, strict=True) if not control["found"]] == []
