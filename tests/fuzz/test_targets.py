"""Every parser against a coverage-guided search (R3, A9, I25), from its committed corpus with the round's dice.

The ordinary suite replays the corpora alone, without the search: what was ever reached stays reached, and refused.
"""

import importlib

import pytest

from tests.figures import ROUND, publish
from tests.fuzz.catalogue import PLANTED, TARGETS, Target
from tests.fuzz.driver import CORPORA, corpus, fuzz, starting_inputs

NIGHT = 6  # so many times the runs in each round but the first


@pytest.mark.worlds
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_search_finds_no_input_that_breaks_a_rule(target: Target) -> None:
    """I25: a refusal is a value or the room's own; what is accepted is canonical and within limits; in bounded time."""
    found = fuzz(target, ROUND, target.runs * (NIGHT if ROUND else 1))
    assert found.crash is None, f"{found.crash.hex()}\n{found.said}"
    assert found.edges >= found.edges_before > 1
    counts = {"executions": found.executions, "branches": found.edges, "new_branches": found.edges - found.edges_before}
    print(target.name, counts)
    publish("fuzz", target.name, targets=1, crashes=0, **counts)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_was_ever_reached_is_still_refused_or_canonical(target: Target) -> None:
    """The corpora and the crashers that came into them, in a moment (I25)."""
    one = importlib.import_module(f"tests.fuzz.targets.{target.name}").one
    for data in starting_inputs(target.name):
        one(data)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda target: target.name)
def test_a_planted_fault_is_found_by_the_same_driver(planted: Target) -> None:
    """The control: an exception that escapes, a second form of one number, and an input without an end."""
    found = fuzz(planted, ROUND, planted.runs, input_s=3)
    assert found.crash is not None, f"not found in {found.executions} runs"
    assert 3 < found.executions <= planted.runs + 10


def test_each_target_has_a_corpus_and_each_corpus_a_target() -> None:
    assert {file.stem for file in CORPORA.glob("*.hex")} == {target.name for target in TARGETS}
    assert sum(file.stat().st_size for file in CORPORA.glob("*.hex")) < 400_000
    for target in TARGETS:
        assert all(len(one) <= target.most for one in corpus(target.name)), target.name
