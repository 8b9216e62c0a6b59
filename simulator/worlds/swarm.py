"""Many worlds, one seed after another: each draws its size, its air and its faults; what none of them met is told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import NamedTuple

from ..prng import Streams
from .draw import ALL, draw
from .played import Played, play
from .scenario import Scenario

# (meters, days): what goes wrong between few meters goes wrong; one home for long, and now and then a street.
SIZES = ((1, 40), (2, 20), (3, 12), (3, 14), (5, 8), (8, 5), (1, 100))


class Sum(NamedTuple):
    """A swarm so far: worlds, days lived by all meters, seconds of processor, the failures, and all that occurred."""

    worlds: int = 0
    meter_days: int = 0
    cpu_s: float = 0.0
    failed: tuple[Played, ...] = ()
    saw: Counter[str] = Counter()

    def plus(self, played: Played, cpu_s: float) -> Sum:
        """With one world more."""
        failed = (*self.failed, played) if played.findings else self.failed
        saw = self.saw + Counter(played.saw)
        return Sum(self.worlds + 1, self.meter_days + played.meter_days, self.cpu_s + cpu_s, failed, saw)

    @property
    def meter_days_per_cpu_s(self) -> float:
        """The published speed."""
        return self.meter_days / self.cpu_s if self.cpu_s else 0.0


def world_of(seed: int, profile: str = ALL) -> Scenario:
    """The swarm's world of a seed."""
    meters, days = Streams(seed).named("size").pick(SIZES)
    return draw(seed, meters, days, profile)


def timed(seed: int, profile: str = ALL) -> tuple[Played, float]:
    """Play a seed's world; what it took of one processor."""
    began_s = time.process_time()
    played = play(world_of(seed, profile))
    return played, time.process_time() - began_s


def swarm(
    seeds: Iterable[int], jobs: int, until_s: float | None, told: Callable[[Played], None], profile: str = ALL
) -> Sum:
    """Play the seeds in order in so many processes, until they end or the monotonic clock shows `until_s`."""
    total = Sum()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for played, cpu_s in _results(pool, iter(seeds), 2 * jobs, until_s, profile):
            total = total.plus(played, cpu_s)
            told(played)
    return total


def _results(
    pool: ProcessPoolExecutor, seeds: Iterator[int], ahead: int, until_s: float | None, profile: str
) -> Iterator[tuple[Played, float]]:
    waiting: set[Future[tuple[Played, float]]] = set()
    while True:
        while len(waiting) < ahead and (until_s is None or time.monotonic() < until_s):
            seed = next(seeds, None)
            if seed is None:
                break
            waiting.add(pool.submit(timed, seed, profile))
        if not waiting:
            return
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for one in sorted(done, key=lambda future: future.result()[0].scenario.seed):
            yield one.result()
