"""Which tests start MicroPython: `make test` runs these twice, on the installed interpreter and on the built one.

A test that is not named here cannot start one: the interpreter it would find is a name that says what to do. So the
list can hold a test too many, never one too few. What is the tool's affair and not the interpreter's runs once, on the
built one where there is one: that is the one that can verify an update.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Folders, files and tests, as their names begin below tests/.
STARTS_MICROPYTHON = (
    "api/test_operations_guide.py",
    "bench/test_battery.py::test_the_image",
    "bench/test_latency.py::test_real_micropython",
    "bench/test_ninety_days_dark.py::test_a_real_micropython",
    "dual/",
    "firmware/",
    "rules/test_policy_dual.py",
    "rules/test_rating_dual.py",
    "semantics/test_swap.py::test_real_micropython",
    "simulator/test_demo.py",
    "simulator/test_meter_process.py",
    "simulator/test_rig.py",
    "simulator/test_worlds.py",
    "wire/test_bench_wire.py",
)
STARTS_IT_ONCE = ("fieldtool/test_live_", "fieldtool/test_field_guide.py")
BUILT = Path(__file__).resolve().parent.parent / "build" / "firmware" / "micropython"
VARIABLE = "GUELTA_MICROPYTHON"
NOT_NAMED = "none-for-this-test,-name-it-in-tests/conftest.py"

_asked = os.environ.get(VARIABLE)


def starts_micropython(node_id: str) -> bool:
    """Whether the test of this name is one of the list."""
    return node_id.removeprefix("tests/").startswith(STARTS_MICROPYTHON)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if starts_micropython(item.nodeid):
            item.add_marker(pytest.mark.micropython)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures, so that those of a whole session are meant too."""
    once = item.nodeid.removeprefix("tests/").startswith(STARTS_IT_ONCE)
    if not once and item.get_closest_marker("micropython") is None:
        os.environ[VARIABLE] = NOT_NAMED
    elif _asked is not None:
        os.environ[VARIABLE] = _asked
    elif once and BUILT.is_file():
        os.environ[VARIABLE] = str(BUILT)
    else:
        os.environ.pop(VARIABLE, None)
