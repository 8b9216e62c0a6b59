"""The power goes at every file operation of the ledger's database: what was acknowledged is there (H2, I1, I2, I13).

Reliability target 9; SEMANTICS G1. The controls are the same stories, told by headends that are broken on purpose.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import controls, loads
from tests.crash.disk import WAYS
from tests.crash.images import Tally, images, judge_all
from tests.crash.judge import Judge
from tests.crash.story import ACKNOWLEDGED, Story
from tests.figures import ROUND, publish

# Stories, images a moment, and of which share of the moments after a write.
STORIES: dict[str, tuple[int, int]] = {
    "birth": (9, 1),
    "money": (8, 1),
    "meters": (4, 1),
    "restarts": (13, 1),
    "growth": (4, 3),
}
BROKEN = {
    "synchronous=NORMAL": controls.normal_synchronous,
    "told before the commit": controls.told_before_commit,
    "rows first, link later": controls.committed_in_two,
}


def told(name: str, folder: Path, books: Path) -> Story:
    """A story that takes place in this folder."""
    if name == "birth":
        return loads.birth(folder / "told")
    tell: Callable[[loads.Headend], None] = getattr(loads, name)
    return loads.told(folder / "told", books, tell)


def judged(story: Story, folder: Path, per_moment: int, each: int, seed: int, most: int = 10**9) -> Tally:
    """The tally of the images of a story."""
    judging = folder / "judged"
    judging.mkdir()
    judge = Judge(judging, story.states, loads.start)
    return judge_all(judge, story, images(story, per_moment, random.Random(seed), each), most)


@pytest.mark.worlds
@pytest.mark.parametrize("name", STORIES)
def test_the_power_goes_at_every_operation(name: str, books: Path, fast: Path) -> None:
    """H2, H8, I1, I2, I13, target 9: no acknowledged work is lost, no state is found that was never committed."""
    story = told(name, fast, books)
    tally = judged(story, fast, *STORIES[name], seed=1_000 * ROUND + len(name))
    print(f"{name}: {tally.operations} operations, {tally.images} images of {tally.states} states, {dict(tally.ways)}")
    assert tally.violations == []
    assert set(tally.ways) == {way.__name__ for way in WAYS}, "each way must have occurred"
    assert tally.states >= len(set(story.states)), "every committed state must have been found"
    publish("crash", name, images=tally.images, operations=tally.operations, states=tally.states)


@pytest.mark.worlds
@pytest.mark.parametrize("bug", BROKEN)
def test_each_broken_headend_is_found_out(bug: str, books: Path, fast: Path) -> None:
    """Target 20: the judge that passes the real headend fails these."""
    with BROKEN[bug]():
        story = told("money", fast, books)
    tally = judged(story, fast, 1, 1, seed=ROUND, most=10)
    print(f"{bug}: {len(tally.violations)} of {tally.images} images, such as {tally.violations[:1]}")
    assert len(tally.violations) == 10
    publish("crash", f"control-{len(bug)}", controls=1)


def test_i13_a_cut_in_the_middle_of_payments_loses_none_that_was_acknowledged(books: Path, fast: Path) -> None:
    """H2, I13: a sample for every day; `make worlds` looks at every operation."""
    tally = judged(told("restarts", fast, books), fast, 1, 40, seed=1)
    assert tally.images > 40 and tally.violations == []


def test_the_controls_fail_in_the_sample_too(books: Path, fast: Path) -> None:
    """A judge that finds nothing wrong with an early acknowledgement or synchronous=NORMAL would prove nothing."""
    for bug in (controls.normal_synchronous, controls.told_before_commit):
        folder = fast / bug.__name__
        folder.mkdir()
        with bug():
            story = loads.told(folder / "told", books, loads.payments_alone)
        assert judged(story, folder, 1, 10, seed=1, most=1).violations, bug.__name__


def test_a_story_is_told_by_what_the_files_hold_in_the_end(books: Path, fast: Path) -> None:
    """The journal is whole: all operations, taken as done, make exactly the folder that is there."""
    story = told("restarts", fast, books)
    disk = story.start.copy()
    for operation in story.operations:
        if operation.kind != ACKNOWLEDGED:
            disk.do(operation)
    there = {file.name: file.read_bytes() for file in (fast / "told").iterdir()}
    assert {name: kept.content(kept.changes) for name, kept in disk.names.items()} == there
