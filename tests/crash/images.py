"""The images of a story: the disk after every operation, with what was not yet synced arrived in many ways."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.crash.disk import WAYS, Disk, Image, Way, arrived, dropped
from tests.crash.judge import Judge
from tests.crash.story import ACKNOWLEDGED, Story

# A shared-memory file that a power cut left: SQLite must not believe a word of it.
STALE = bytes(range(256)) * 128


class Moment(NamedTuple):
    """A disk that the power may have left, and how much work was acknowledged by then."""

    at: int
    way: str
    image: Image
    acknowledged: int


def images(story: Story, per_moment: int, chance: random.Random, each: int = 1) -> Iterator[Moment]:
    """So many disks for the moment after each operation; one alone where everything is durable.

    Of the moments after a mere write, `each`-th ones alone can be asked for.
    """
    disk = story.start.copy()
    acknowledged = 0
    for at, operation in enumerate(story.operations):
        if operation.kind == ACKNOWLEDGED:
            acknowledged = max(acknowledged, operation.offset)
        else:
            disk.do(operation)
        if operation.kind == "write" and at % each:
            continue
        for way in _ways(disk, per_moment, operation.kind, chance):
            image = disk.image(way, chance)
            if chance.random() < 0.1:
                image["books.db-shm"] = STALE
            yield Moment(at, way.__name__, image, acknowledged)


def _ways(disk: Disk, per_moment: int, kind: str, chance: random.Random) -> list[Way]:
    if disk.is_settled():
        return [arrived]
    # Nothing arrived: the same disk until the next sync, so that it is looked at when more was told or synced.
    always = [dropped] if kind in (ACKNOWLEDGED, "sync", "folder", "delete") else []
    return [*always, *(chance.choice(WAYS[1:]) for _ in range(per_moment - len(always)))]


@dataclass
class Tally:
    """What came of judging: how many, in which ways, how many different books, and what was wrong."""

    images: int = 0
    operations: int = 0
    states: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def judge_all(judge: Judge, story: Story, moments: Iterator[Moment], most: int = 10**9) -> Tally:
    """Judge every image, or stop when so many violations were found."""
    tally = Tally(operations=len(story.operations))
    for moment in moments:
        verdict = judge.verdict(moment.image)
        tally.images += 1
        tally.ways[moment.way] += 1
        if wrong := verdict.violation(moment.acknowledged):
            tally.violations.append(f"after operation {moment.at}, {moment.way}: {wrong}")
            if len(tally.violations) >= most:
                break
    tally.states = len(judge.known)
    return tally
