"""One world from first to last: build the firmware, start the headend, live, drain, read everybody, judge.

Faults belong to the living phase; then they stop, and the drain waits until every meter and the headend have told each
other everything. A world that does not drain within a virtual day is not waited for: its findings say what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from firmware import build as firmware_build

from . import clock, prices
from .air import Air
from .checkers import Reading, Witness, check_all
from .director import Director
from .face import valve_is_open
from .headend_link import HeadendLink
from .home import Home
from .phone import Phone
from .prices import FIRST_BLOCK_MILLS_PER_L
from .prng import Streams
from .radio import RadioOptions
from .report import Outcome
from .story import plan
from .teller import Teller, words
from .town import Resident, Town, draw_residents, prices_of
from .world import Pacer, World

_STEP_US = 5 * clock.MINUTE_US
_DRAIN_MAX_US = clock.DAY_US
_TOWN = words("who_world")


class Options(NamedTuple):
    """What a world is made of."""

    seed: int = 7
    meters: int = 8
    days: int = 3
    radio: RadioOptions = RadioOptions()
    skew_mills: int = 0
    seconds_per_day: int | None = None
    lang: str = "en"
    port: int = 0


class Run:
    """One world while it lives. `folder` holds the flash files, the headend's database, and the firmware's build unless
    one is given."""

    def __init__(self, options: Options, folder: Path, show: Callable[[str], None], build: Path | None = None) -> None:
        streams = Streams(options.seed)
        self.options = options
        self.teller = Teller(options.lang, show)
        self.world = World(Pacer(options.seconds_per_day))
        self.story = plan(streams.named("story"), options.meters, options.days, FIRST_BLOCK_MILLS_PER_L)
        self.headend = HeadendLink(folder / "headend", options.port, lambda: self.world.now_us)
        self.air = Air(self.world, self.headend)
        self.phone = Phone(
            self.world,
            self.headend,
            streams.named("phone"),
            lambda payment, answer: self.director.callback_answered(payment, answer),
            lambda home: self.director.button_pressed(home),
        )
        self.town = Town(self.world, streams, self.air, self.phone, options.radio)
        self.director = Director(
            self.world, self.story, self.town.homes, self.phone, self.air, self.headend, self.teller
        )
        self.town.director = self.director
        self._residents = draw_residents(streams, self.story, options.meters, options.days)
        self._folder, self._build = folder, build
        self._sent_before_drain: dict[int, int] = {}
        self._drained_with: dict[int, int] = {}
        self._wall_ms: dict[str, int] = {}
        self._lap_ns = time.monotonic_ns()

    def prepare(self) -> None:
        """Build the firmware, start the headend, publish the prices, register every home and take its first payment."""
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(lambda: self._build or firmware_build.build(self._folder / "build"))
            self.headend.start()
            build = building.result()
        self.headend.publish_price(0, FIRST_BLOCK_MILLS_PER_L)
        for number, resident in enumerate(self._residents, 1):
            self._register(number, resident, build)
        self._lap("prepare")

    def live(self) -> None:
        """The days of the world, with everything that goes wrong in them."""
        self.director.schedule()
        self.town.move_in(self.options.days)
        for day in range(1, self.options.days + 1):
            self.teller.remark("day", day=day, days=self.options.days)
            self._run_until(day * clock.DAY_US)
        self._lap("live")

    def drain(self) -> None:
        """Faults, taps and payers stop; run until every meter has told everything and been told everything."""
        self.town.stop_living()
        self.teller.tell(self.world.now_us, _TOWN, "drain")
        self._sent_before_drain = dict(self.air.counts.sent_by)
        end_us = self.world.now_us + _DRAIN_MAX_US
        while self.world.now_us < end_us:
            self._run_until(self.world.now_us + _STEP_US)
            agreeing = [self._agrees(home) for home in self.town.homes]
            if all(agreeing):
                break
        self._lap("drain")

    def judge(self) -> Outcome:
        """Read every meter over its console and the headend over REST, and let the checkers speak."""
        witnesses = tuple(self._witness(home) for home in self.town.homes)
        interpreters = tuple(_interpreter(home.read_console()) for home in self.town.homes)
        payments = [payment for payment in self.phone.payments if payment.answers]
        ledger = self.headend.ledger()
        self._lap("judge")
        outcome = Outcome(
            seed=self.options.seed,
            days=self.options.days,
            interpreters=interpreters,
            counts=self.air.counts,
            closures=sum(home.valve.closures for home in self.town.homes),
            reopenings=sum(home.valve.reopenings for home in self.town.homes),
            topups=len(payments) + len(self._residents),
            duplicate_callbacks=sum(len(payment.answers) - 1 for payment in payments),
            meter_kills=self.director.meter_kills,
            headend_kills=self.director.headend_kills,
            waits_s=tuple(self.phone.waits_s),
            drain_uplinks=dict(self._drained_with),
            witnesses=witnesses,
            findings=tuple(check_all(witnesses)),
            ledger=ledger,
            left_out=self.story.left_out,
            wall_ms=dict(self._wall_ms),
        )
        self.teller.note(self.world.now_us, _TOWN, "agree", agreeing=outcome.agreeing, meters=len(witnesses))
        self._post_story()
        return outcome

    def close(self) -> None:
        """Switch everything off."""
        for home in self.town.homes:
            home.meter.dispose()
        self.headend.stop()

    def _register(self, number: int, resident: Resident, build: Path) -> None:
        meter_id = sha256(f"meter/{self.options.seed}/{number}".encode()).digest()[:8]
        skew_mills = self.options.skew_mills if number == len(self._residents) else 0
        registered = self.headend.add_meter(meter_id, f"{number} {resident.name}", skew_mills)
        self.headend.inquire(registered.customer_number, resident.first_payment)
        self.headend.notify(f"FIRST{number:03d}", registered.customer_number, resident.first_payment)
        flash = self._folder / f"meter{number}.flash"
        home = self.town.add(resident, meter_id, registered.customer_number, build, flash, registered.provision_hex)
        self.teller.tell(0, home.name, "moves_in", amount=resident.first_payment)

    def _run_until(self, end_us: int) -> None:
        while self.world.now_us < end_us:
            self.world.run_until(min(self.world.now_us + _STEP_US, end_us))
            self._post_story()

    def _post_story(self) -> None:
        if self.air.away:
            return
        self.headend.tell(self.teller.take_unposted())

    def _agrees(self, home: Home) -> bool:
        """Whether meter and books tell the same now; remembers with how many uplinks they first did."""
        if not home.meter.running or self.air.away:
            return False
        agreed = self._meter_reading(home) == self.headend.reading(self.air.meter_ids[home.number])
        if agreed and home.number not in self._drained_with:
            sent = self.air.counts.sent_by.get(home.number, 0)
            self._drained_with[home.number] = sent - self._sent_before_drain.get(home.number, 0)
        return agreed

    def _witness(self, home: Home) -> Witness:
        meter_id = self.air.meter_ids[home.number]
        own = [payment for payment in self.phone.payments if payment.home is home]
        first = self._residents[home.number - 1].first_payment
        return Witness(
            number=home.number,
            name=home.name.partition(" ")[2],
            delivered_l=home.delivered_l,
            tap_open=home.valve.lets_water_through,
            paid_minor=first + sum(payment.amount for payment in own if payment.answers),
            answers=tuple(tuple(payment.answers) for payment in own),
            priced_mills=self._priced_mills(home),
            corrected_mills=self.headend.corrected_mills(meter_id),
            cases=self.headend.cases(meter_id),
            meter=self._meter_reading(home),
            books=self.headend.reading(meter_id),
        )

    def _priced_mills(self, home: Home) -> int:
        """T of SEMANTICS B5, up to and with the open half-hour, from the litres that left the pipe."""
        slots = self.world.now_us // clock.SLOT_US + 1
        return prices.cost_mills(lambda slot: home.delivered_by_slot_l.get(slot, 0), slots, prices_of(self.story))

    def _meter_reading(self, home: Home) -> Reading:
        told = home.read_console()
        return Reading(
            volume_l=told["volume_l"],
            credited_mills=told["credited_mills"],
            debited_mills=told["debited_mills"],
            spent_mills=told["spent_mills"],
            collected_mills=told["collected_mills"],
            balance_mills=told["balance_mills"],
            valve_open=valve_is_open(told["valve"]),
            slots=told["open_slot"] - prices.START_SLOT,
        )

    def _lap(self, name: str) -> None:
        now_ns = time.monotonic_ns()
        self._wall_ms[name] = (now_ns - self._lap_ns) // 1_000_000
        self._lap_ns = now_ns


def _interpreter(told: dict[str, Any]) -> str:
    return f"{told['interpreter']} {told['interpreter_version']}"
