"""Where the headend's time comes from: the system, or a simulation that sets it. No rule asks for the time itself."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time as Unix microseconds, an integer."""

    def unix_us(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def unix_us(self) -> int:
        return time.time_ns() // 1000


class SimClock:
    """A clock that stands still until it is set; it never goes back."""

    def __init__(self, unix_us: int) -> None:
        self._unix_us = unix_us

    def unix_us(self) -> int:
        return self._unix_us

    def set(self, unix_us: int) -> None:
        """Move to `unix_us`. Raises ValueError on a step back."""
        if unix_us < self._unix_us:
            raise ValueError(f"the simulated clock may not go back from {self._unix_us} to {unix_us}")
        self._unix_us = unix_us
