"""Time at a meter: a clock chip that jumps by up to thirty years, and may know it; a crystal that is too fast.

Litres may then stand in another half-hour, day or month than they flowed in ("by_slot"), and what depends on the local
time may come early or late; V, and that the books agree, are never excused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import MINUTE_US
from ...prng import Stream
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, often, seldom

if TYPE_CHECKING:
    from ..life import Life

_DAY_S = 86_400
_YEARS_S = 30 * 365 * _DAY_S
JUMPS_S = (60, 3_600, 6 * 3_600, _DAY_S - 1_800, _DAY_S + 1_800, 40 * _DAY_S, _YEARS_S)


def _draw_jumps(dice: Stream, homes: int, days: int) -> list[Fault]:
    """a: seconds that the chip is ahead (or behind: below 0); b: 1 when it knows that it lost the time; c: minutes."""
    jumps = often("clock_jump", 1, (0, 2 * len(JUMPS_S) - 1), (0, 1), (30, 4 * DAY_MIN))(dice, homes, days)
    return [jump._replace(a=JUMPS_S[jump.a // 2] * (1 - 2 * (jump.a % 2))) for jump in jumps]


def _jump(life: Life, fault: Fault, home: WorldHome) -> None:
    def right() -> None:
        home.chip_error_s, home.chip_valid = 0, True
        if home.meter.running:
            home.reset()

    home.excused.setdefault("by_slot", fault.kind)
    home.chip_error_s, home.chip_valid = fault.a, not fault.b
    if home.meter.running:
        home.reset()
    life.later(fault.c * MINUTE_US, right)
    life.mended(right)


def _drift(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: parts in a million too fast, less 200; c: minutes of it."""
    home.excused.setdefault("by_slot", fault.kind)
    home.run_fast(fault.a - 200)
    life.later(fault.c * MINUTE_US, home.run_fast, 0)
    life.mended(lambda: home.run_fast(0))


CLOCKS = (
    Kind("clock_jump", _draw_jumps, at_home(_jump), 4),
    Kind("clock_drift", seldom("clock_drift", 3, (0, 400), (0, 0), (DAY_MIN, 40 * DAY_MIN)), at_home(_drift)),
)
