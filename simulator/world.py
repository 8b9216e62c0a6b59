"""The event loop in virtual time: what is due next happens next, and ties happen in the order they were asked for.

Nothing here knows a meter or a headend. Nothing reads a wall clock except the pacer, which only ever waits, so a world
watched slowly and a world run as fast as possible are the same world.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Any

from .clock import DAY_US

Action = Callable[..., None]

_SLEEP_MIN_S = 0.01


class Timer:
    """One thing to do at one virtual time; `cancel` makes it do nothing."""

    __slots__ = ("action", "arguments", "time_us")

    def __init__(self, time_us: int, action: Action, arguments: tuple[Any, ...]) -> None:
        self.time_us = time_us
        self.action: Action | None = action
        self.arguments = arguments

    def cancel(self) -> None:
        """Forget it; it stays in the heap and is passed over when its time comes."""
        self.action = None


class Pacer:
    """Holds virtual time back to so many wall seconds a day, for a person to watch. None: never waits."""

    def __init__(self, seconds_per_day: int | None) -> None:
        self._seconds_per_day = seconds_per_day
        self._started_s: float | None = None

    def wait_until(self, now_us: int) -> None:
        """Sleep until the wall clock, counted from the first call, has caught up with `now_us`."""
        if self._seconds_per_day is None:
            return
        if self._started_s is None:
            self._started_s = time.monotonic()
        ahead_s = now_us * self._seconds_per_day / DAY_US - (time.monotonic() - self._started_s)
        if ahead_s > _SLEEP_MIN_S:
            time.sleep(ahead_s)


class World:
    """A heap of timers and the current virtual time in microseconds."""

    def __init__(self, pacer: Pacer | None = None) -> None:
        self.now_us = 0
        self._pacer = pacer or Pacer(None)
        self._heap: list[tuple[int, int, Timer]] = []
        self._asked = 0

    def at(self, time_us: int, action: Action, *arguments: Any) -> Timer:
        """Do `action(*arguments)` at `time_us`; a time already past means now, after what is due now."""
        timer = Timer(max(time_us, self.now_us), action, arguments)
        self._asked += 1
        heapq.heappush(self._heap, (timer.time_us, self._asked, timer))
        return timer

    def after(self, delay_us: int, action: Action, *arguments: Any) -> Timer:
        """Do it `delay_us` from now."""
        return self.at(self.now_us + delay_us, action, *arguments)

    def run_until(self, end_us: int) -> None:
        """Do everything due up to and including `end_us`, then stand at `end_us`."""
        while self._heap and self._heap[0][0] <= end_us:
            time_us, _, timer = heapq.heappop(self._heap)
            if timer.action is None:
                continue
            if time_us > self.now_us:
                self._pacer.wait_until(time_us)
                self.now_us = time_us
            timer.action(*timer.arguments)
        self.now_us = max(self.now_us, end_us)
