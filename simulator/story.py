"""What happens in a world besides ordinary life, drawn from its seed.

The plan is made before the world starts and holds no reference to it: which home runs dry and on which evening, which
meter loses its power in mid-write, when the headend is killed, who has a leak, when the price changes and who cannot
hear it. What a small or short world has no room for is left out, and the plan says so.
"""

from __future__ import annotations

from typing import NamedTuple

from .clock import HOUR_US, MINUTE_US, SLOT_US, at
from .prng import Stream

FRIENDLY_FROM_MINUTE = 18 * 60
FRIENDLY_TO_MINUTE = 7 * 60


class Dry(NamedTuple):
    """A home whose credit ends at `dry_us`; its owner pays `amount` at `pays_us`, on three callbacks."""

    home: int
    dry_us: int
    pays_us: int
    amount: int
    inside_friendly_hours: bool


class PowerCut(NamedTuple):
    """A meter's power is cut half-way through its `operation`-th flash operation after `from_us`, and is back `off_us`
    later."""

    home: int
    from_us: int
    operation: int
    off_us: int


class HeadendKill(NamedTuple):
    """The headend is killed while it works on the first uplink after `from_us`, and started again `down_us` later."""

    from_us: int
    down_us: int


class Leak(NamedTuple):
    """A tap that no longer closes: `litres` in every half-hour from `from_us`, repaired `repair_us` after the alarm."""

    home: int
    from_us: int
    litres: int
    repair_us: int


class PriceChange(NamedTuple):
    """A new first-block price from `midnight_us`, published at `published_us`."""

    published_us: int
    midnight_us: int
    price_mills_per_l: int


class Silence(NamedTuple):
    """A meter without radio between two times."""

    home: int
    from_us: int
    to_us: int


class Story(NamedTuple):
    """The plan of one world; an event that did not fit is None and its reason is in `left_out`."""

    dry: Dry
    power_cut: PowerCut
    headend_kill: HeadendKill
    leak: Leak | None
    price_change: PriceChange | None
    silence: Silence | None
    left_out: tuple[tuple[str, str], ...]


def plan(stream: Stream, homes: int, days: int, price_mills_per_l: int) -> Story:
    """Draw the story of a world of 1–50 homes and 1–14 days; `price_mills_per_l` is the price before any change."""
    order = stream.shuffled(range(homes))
    left_out: list[tuple[str, str]] = []
    changing = _price_change(stream, homes, days, price_mills_per_l)
    silence = None
    if changing is None:
        left_out.append(("tariff", "needs_two_days" if days < 2 else "needs_second_home"))
    else:
        quiet_home = order[2] if homes > 2 else order[-1]
        back_us = changing.midnight_us + stream.between(9 * 60, 11 * 60) * MINUTE_US
        silence = Silence(quiet_home, changing.published_us - stream.between(20, 90) * MINUTE_US, back_us)
    leak = None
    if homes > 1 and days > 1:
        leak = _leak(stream, order[1], days)
    else:
        left_out.append(("leak", "needs_two_days" if days < 2 else "needs_second_home"))
    dry = _dry(stream, order[0], days, latest_day=1 if homes == 1 else days - 1)
    if not dry.inside_friendly_hours:
        left_out.append(("friendly_night", "needs_two_days"))
    return Story(
        dry=dry,
        power_cut=_power_cut(stream, order[3 % homes], days),
        headend_kill=_headend_kill(stream, days),
        leak=leak,
        price_change=changing,
        silence=silence,
        left_out=tuple(left_out),
    )


def _dry(stream: Stream, home: int, days: int, latest_day: int) -> Dry:
    amount = 500
    pays_after_us = stream.between(8, 35) * MINUTE_US
    if days < 2:
        dry_us = at(1, 10, 0)
        return Dry(home, dry_us, dry_us + HOUR_US + pays_after_us, amount, False)
    day = stream.between(1, latest_day)
    morning_us = at(day + 1) + FRIENDLY_TO_MINUTE * MINUTE_US
    return Dry(home, at(day, 21), morning_us + pays_after_us, amount, True)


def _power_cut(stream: Stream, home: int, days: int) -> PowerCut:
    from_us = at(stream.between(1, days), 13) + stream.between(0, 240) * MINUTE_US
    return PowerCut(home, from_us, stream.between(1, 12), stream.between(3, 15) * MINUTE_US)


def _headend_kill(stream: Stream, days: int) -> HeadendKill:
    from_us = at(stream.between(1, days), 12) + stream.between(0, 180) * MINUTE_US
    return HeadendKill(from_us, stream.between(10, 25) * MINUTE_US)


def _leak(stream: Stream, home: int, days: int) -> Leak:
    from_us = at(stream.between(1, days - 1)) + stream.between(2, 8) * SLOT_US
    return Leak(home, from_us, stream.between(3, 6), stream.between(180, 420) * MINUTE_US)


def _price_change(stream: Stream, homes: int, days: int, price_mills_per_l: int) -> PriceChange | None:
    earliest = 3 if homes == 1 else 2  # a lone home is dry on the first night and must be heard on the next morning
    if days < earliest:
        return None
    midnight_us = at(stream.between(earliest, days))
    published_us = midnight_us - stream.between(4 * 60, 6 * 60) * MINUTE_US
    step = stream.between(5, 12)
    return PriceChange(published_us, midnight_us, price_mills_per_l + (step if stream.chance(1, 4) else -step))
