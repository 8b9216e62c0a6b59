"""The homes of one world with their payers: who lives there, what they want, and how they pay.

A town is drawn from the seed in one go and then lives by the timetable. It listens to its homes and passes on what
happened: frames to the air, everything a person would notice to the director.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from . import household
from .air import Air
from .clock import SLOT_US, SLOTS_PER_DAY
from .director import Director
from .face import Face
from .home import Home
from .household import Demand
from .meter_process import MeterProcess
from .payers import NAMES, Habit, Sight, draw_habit, looks, wants_to_pay
from .phone import Phone
from .prices import FIRST_BLOCK_MILLS_PER_L, MILLS_PER_MINOR, Price, cost_mills
from .prng import Streams
from .radio import Radio, RadioOptions
from .story import Story
from .wakes import Wakes
from .world import World

_WASH_L = 15
_AMPLE_MINOR = 1000
# The unreachable home fills a barrel at six in the morning, so that a late price has litres to be late for.
_BARREL_SLOT, _BARREL_L = 12, 60


class Resident(NamedTuple):
    """One home before it has a meter: its name, its wishes, its payer's habit and the first payment in minor units.

    A home of the story that pays on cue has no habit.
    """

    name: str
    demand: Demand
    habit: Habit | None
    first_payment: int


def draw_residents(streams: Streams, story: Story, meters: int, days: int) -> list[Resident]:
    """Who lives in the town. The dry home's first payment lasts until its evening, by the rating rule itself."""
    stream = streams.named("residents")
    households = stream.shuffled(household.load())
    names = stream.shuffled(NAMES)
    prices = prices_of(story)
    residents = []
    for home in range(meters):
        demand = Demand(households[home])
        daily_mills = cost_mills(demand.litres, days * SLOTS_PER_DAY, prices) // days
        habit: Habit | None = draw_habit(stream, daily_mills)
        first = max(-(-daily_mills * stream.between(8, 40) // (10 * MILLS_PER_MINOR)), 20)
        if home == story.dry.home:
            evening = story.dry.dry_us // SLOT_US
            demand.add(evening - 1, _WASH_L)
            demand.add(evening, _WASH_L)
            habit, first = None, cost_mills(demand.litres, evening, prices) // MILLS_PER_MINOR
        elif home in _needs_no_payment(story):
            habit, first = None, _AMPLE_MINOR
        if story.price_change is not None and story.silence is not None and home == story.silence.home:
            demand.add(story.price_change.midnight_us // SLOT_US + _BARREL_SLOT, _BARREL_L)
        residents.append(Resident(names[home], demand, habit, max(first, 1)))
    return residents


def prices_of(story: Story) -> tuple[Price, ...]:
    """The prices of the world in order, as the utility publishes them."""
    first = Price(0, FIRST_BLOCK_MILLS_PER_L)
    if story.price_change is None:
        return (first,)
    return first, Price(story.price_change.midnight_us // SLOT_US, story.price_change.price_mills_per_l)


def _needs_no_payment(story: Story) -> set[int]:
    """Homes whose part of the story would be lost if they ran dry."""
    return {part.home for part in (story.leak, story.silence) if part is not None}


class Town:
    """The living homes. `director` is set once it exists, before anyone moves in."""

    director: Director

    def __init__(self, world: World, streams: Streams, air: Air, phone: Phone, options: RadioOptions) -> None:
        self.homes: list[Home] = []
        self._world, self._streams = world, streams
        self._air, self._phone, self._options = air, phone, options
        self._wakes = Wakes(world)
        self._habits: dict[int, Habit] = {}

    def add(
        self, resident: Resident, meter_id: bytes, customer_number: str, build: Path, flash: Path, hex_: str
    ) -> Home:
        """Hang the meter in the house."""
        number = len(self.homes) + 1
        home = Home(
            number,
            f"{number} {resident.name}",
            self._world,
            MeterProcess(f"{number} {resident.name}", build, flash, hex_),
            resident.demand,
            Radio(self._options, self._streams.named(f"radio/{number}")),
            self._streams.named(f"taps/{number}"),
            self,
            self._wakes,
        )
        self.homes.append(home)
        self._air.meter_ids[number] = meter_id
        self._phone.register(home, customer_number)
        if resident.habit is not None:
            self._habits[number] = resident.habit
        return home

    def move_in(self, days: int) -> None:
        """Everyone switches the meter on at the world's start; payers look at it on each of the days."""
        for home in self.homes:
            home.move_in()
            habit = self._habits.get(home.number)
            if habit is None:
                continue
            stream = self._streams.named(f"payer/{home.number}")
            for day in range(1, days + 1):
                for time_us in looks(habit, stream, day):
                    self._world.at(time_us, self._look, home, habit)

    def stop_living(self) -> None:
        """Taps and faults stop: nobody draws water or pays, and the air is clear."""
        for home in self.homes:
            home.lives = False
            home.radio.reachable = True
            home.radio.options = home.radio.options.quiet()

    def _look(self, home: Home, habit: Habit) -> None:
        if home.face is None or not home.lives or not home.meter.running or self._phone.under_way(home):
            return
        sight = Sight(home.face.balance_mills, bool(home.face.low_credit), home.valve.lets_water_through)
        if wants_to_pay(habit, sight):
            self.director.pay(home, habit.amount, habit.name)

    # What homes tell -----------------------------------------------------------------------------------------------

    def frame_sent(self, home: Home, frame: bytes) -> None:
        self._air.carry(home, frame)

    def face_changed(self, home: Home, before: Face | None, after: Face) -> None:
        self.director.face_changed(home, before, after)

    def valve_arrived(self, home: Home, end: int) -> None:
        self.director.valve_arrived(home, end)

    def power_lost(self, home: Home) -> None:
        self.director.power_lost(home)
