"""How a valve, a pipe and a battery can fail, each as one trial: what is done to a home, and what must be noticed.

A trial returns microseconds from the instant at which the fault first contradicts what is commanded (the motor's start,
the end of a closing, an opening without water, the first pulse of air) to the meter's own event, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bench.valve_scene import Home
from protocol.rules.policy import NEW, TAMPER_CLOSES
from protocol.wire import event_codes as codes
from simulator import link
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simulator.household import Household
from simulator.prng import Stream

GIVEN_UP_US = 7 * DAY_US
CREDIT_L = 30_000


class Trial(NamedTuple):
    """`detected_us`: until the event, None when none came in a week; `argument`: what the event says."""

    detected_us: int | None
    argument: int
    litres: int  # that flowed against the command, from the contradiction to the event
    motor_starts: int


class Fault(NamedTuple):
    """One row of the matrix; `bound_us` is what the firmware promises, whatever the home."""

    told: str
    bound_us: int
    run: Callable[[Household, Stream], Trial]


def _home(household: Household, stream: Stream) -> Home:
    """A home in credit, some drawn time into its second day."""
    home = Home(household, stream)
    home.pay(CREDIT_L)
    home.run(DAY_US + stream.below(DAY_US))
    return home


def _until(home: Home, wanted: tuple[int, ...], since_us: int) -> Trial:
    litres, starts = home.litres, len(home.starts_us)
    while (found := home.first(wanted, since_us)) is None and home.world.now_us < since_us + GIVEN_UP_US:
        home.run(10 * MINUTE_US)
    took_us = None if found is None else found.at_us - since_us
    return Trial(took_us, found.argument if found else 0, home.litres - litres, len(home.starts_us) - starts)


def closing(break_it: Callable[[Home], None], *wanted: int) -> Callable[[Household, Stream], Trial]:
    """The fault is there when the credit ends."""

    def run(household: Household, stream: Stream) -> Trial:
        home = _home(household, stream)
        break_it(home)
        since_us = home.world.now_us
        home.end_credit()
        return _until(home, wanted, since_us)

    return run


def opening(break_it: Callable[[Home], None], presses: bool, *wanted: int) -> Callable[[Household, Stream], Trial]:
    """The fault comes while the valve is shut; then the customer pays."""

    def run(household: Household, stream: Stream) -> Trial:
        home = _home(household, stream)
        home.end_credit()
        home.run(HOUR_US + stream.below(6 * HOUR_US))
        break_it(home)
        home.presses = presses
        since_us = home.world.now_us
        home.pay(CREDIT_L)
        return _until(home, wanted, since_us)

    return run


def _leak_by(millilitres: int, *wanted: int) -> Callable[[Household, Stream], Trial]:
    def run(household: Household, stream: Stream) -> Trial:
        home = _home(household, stream)
        home.valve.leak_by(millilitres)
        home.end_credit()
        home.run(MINUTE_US)
        return _until(home, wanted, home.world.now_us)

    return run


def _blocked(household: Household, stream: Stream) -> Trial:
    home = _home(household, stream)
    home.valve.block_pipe()
    return _until(home, (codes.BLOCKED,), home.world.now_us)


def _air(household: Household, stream: Stream) -> Trial:
    """The town's supply is off for 8 to 48 hours; then 1.5 litres of air a second for 40 to 120 seconds."""
    home = _home(household, stream)
    home.supplied = False
    home.run(7 * HOUR_US + stream.below(40 * HOUR_US))
    home.at_home = False
    home.run(HOUR_US)
    home.supplied = True
    since_us = home.world.now_us
    home.rush(stream.between(60, 180), 2 * SECOND_US // 3)
    home.at_home = True
    return _until(home, (codes.AIR,), since_us)


def _backflow(household: Household, stream: Stream) -> Trial:
    home = _home(household, stream)
    since_us = home.world.now_us
    for minute in range(10):
        home.world.after(minute * MINUTE_US, home.run_back, 2)
    return _until(home, (codes.BACKFLOW,), since_us)


def _flapping(household: Household, stream: Stream) -> Trial:
    """A tamper contact that opens and closes every four minutes for a day, where tampering closes."""
    home = Home(household, stream, NEW._replace(flags=TAMPER_CLOSES))
    home.pay(CREDIT_L)
    home.run(DAY_US)
    starts = len(home.starts_us)
    since_us = home.world.now_us
    for number in range(360):
        home.advance(link.tamper(number % 2 == 0))
        home.run(4 * MINUTE_US)
    told = home.first((codes.TAMPER,), since_us)
    return Trial(None if told is None else told.at_us - since_us, 0, 0, len(home.starts_us) - starts)


def _brown_out(household: Household, stream: Stream) -> Trial:
    """The battery sags under the motor: every start of a closing resets the meter, ten seconds later it is back."""
    home = _home(household, stream)
    home.sags = True
    starts, since_us = len(home.starts_us), home.world.now_us
    home.end_credit()
    home.run(DAY_US)
    return Trial(home.starts_us[starts] - since_us, 0, 0, len(home.starts_us) - starts)


FAULTS = {
    "stuck-open": Fault(
        "the stem is broken: the ends speak, water passes",
        GIVEN_UP_US,
        closing(lambda home: home.valve.break_stem(True), codes.VALVE_STUCK_OPEN, codes.VALVE_LEAK_BY),
    ),
    "stuck-closed, the customer asks": Fault(
        "the stem is broken: open by its ends, no water; who wants water and has none presses the button",
        3 * DAY_US + HOUR_US,
        opening(lambda home: home.valve.break_stem(False), True, codes.NO_WATER, codes.BLOCKED),
    ),
    "stuck-closed, nobody asks": Fault(
        "the same, and nobody presses",
        3 * DAY_US + HOUR_US,
        opening(lambda home: home.valve.break_stem(False), False, codes.NO_WATER, codes.BLOCKED),
    ),
    "seized": Fault(
        "the motor stalls at once, closing",
        10 * MINUTE_US,
        closing(lambda home: home.valve.stick(), codes.VALVE_STUCK),
    ),
    "seized closed": Fault(
        "the motor stalls at once, opening",
        10 * MINUTE_US,
        opening(lambda home: home.valve.stick(), False, codes.VALVE_STUCK),
    ),
    "stall in mid-travel": Fault(
        "grit in the seat: stalls at four fifths of the way",
        10 * MINUTE_US,
        closing(lambda home: home.valve.jam_at(800), codes.VALVE_STUCK),
    ),
    "end stops mute": Fault(
        "the wire of the end stops is cut",
        10 * MINUTE_US,
        closing(lambda home: home.valve.mute_ends(), codes.VALVE_STUCK),
    ),
    "four times slower": Fault(
        "needs a second start; until it is closed",
        10 * MINUTE_US,
        closing(lambda home: home.valve.slow_down(400), codes.VALVE_CLOSED, codes.VALVE_STUCK),
    ),
    "ten times slower": Fault(
        "is not there after three starts",
        10 * MINUTE_US,
        closing(lambda home: home.valve.slow_down(1000), codes.VALVE_STUCK),
    ),
    "leak-by 1 L/h": Fault("a trickle through the closed valve", 4 * HOUR_US, _leak_by(1_000, codes.VALVE_LEAK_BY)),
    "leak-by 5 L/h": Fault("", HOUR_US, _leak_by(5_000, codes.VALVE_LEAK_BY)),
    "leak-by 20 L/h": Fault("", HOUR_US, _leak_by(20_000, codes.VALVE_LEAK_BY)),
    "leak-by 5 L/h, its rate": Fault("the argument is mL/h", 8 * HOUR_US, _leak_by(5_000, codes.LEAK_BY_RATE)),
    "blocked pipe": Fault("no flow any more, valve open", 3 * DAY_US + 2 * HOUR_US, _blocked),
    "air": Fault("1.5 L/s for 40 to 120 s after 8 to 48 h without supply", 90 * MINUTE_US, _air),
    "backflow": Fault("20 L backwards in ten minutes", HOUR_US, _backflow),
    "flapping contact": Fault("open and shut every 4 min for a day, where tampering closes", MINUTE_US, _flapping),
    "brown-out at each start": Fault(
        "a battery that sags resets the meter whenever the motor starts", DAY_US, _brown_out
    ),
}
