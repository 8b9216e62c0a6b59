"""The suite runs on both interpreters: no test starts MicroPython without being in the list of those that run twice."""

from pathlib import Path

import pytest

from simulator import meter_process
from simulator.meter_process import MeterFailed
from tests.conftest import NOT_NAMED, STARTS_MICROPYTHON, starts_micropython
from tests.dual import runner
from tests.firmware import rig

TESTS = Path(__file__).resolve().parents[1]


def test_a_test_that_is_not_named_finds_no_interpreter_by_any_way() -> None:
    with pytest.raises(MeterFailed, match=NOT_NAMED):
        meter_process.interpreter()
    with pytest.raises(AssertionError, match=NOT_NAMED):
        runner.micropython()
    with pytest.raises(AssertionError):
        rig.interpreter()


def test_the_list_names_what_is_there() -> None:
    for name in STARTS_MICROPYTHON:
        path, _, test = name.partition("::")
        assert (TESTS / path).exists()
        assert not test or f"def {test}" in (TESTS / path).read_text()


def test_those_with_a_meter_in_them_are_named() -> None:
    assert starts_micropython("tests/firmware/test_heap.py::test_any")
    assert starts_micropython("tests/bench/test_latency.py::test_real_micropython_meters_say_the_same")
    assert not starts_micropython("tests/bench/test_latency.py::test_other")
    assert not starts_micropython("tests/rules/test_policy.py::test_any")
