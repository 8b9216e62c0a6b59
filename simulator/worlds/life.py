"""A world while it lives: homes, air, gateways, payers, the headend, and the faults of its scenario.

First everything goes wrong that the scenario holds, while the watchers look at every event (safety). Then the faults
stop, the air clears, nobody draws water, and every meter must come to agree with its books (liveness, I22).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEW

from ..clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, START_UNIX_S, unix_s
from ..headend_acts import Office, Refused
from ..headend_within import Down
from ..meter_in_memory import MeterInMemory
from ..prng import Streams
from ..world import World
from . import faults
from .air import Air
from .home import WorldHome
from .scenario import CLEAR, Fault, Scenario
from .till import Payment, Till
from .trace import Trace

START_SLOT = slot_of(START_UNIX_S)
PRICES = {"blocks": [[700, 127], [2_500, 279], [0, 448]], "standing_day": 20}
POLICY = NEW._replace(low_credit_mills=30_000)
DOWN_US = 10 * MINUTE_US
UPLINKS_MAX = 60
SETTLE_MAX_US = 70 * DAY_US
_RETRY_US = 10 * MINUTE_US
_WORK_US = 6 * HOUR_US


class Watcher(Protocol):
    """Looks at every event of a world while it lives."""

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """`what` has just happened: boot off draw face motor end up heard refused pay answer headend…"""


class Life:
    """One scenario, played in `folder`. `saw` counts what occurred; `findings` is what the watchers found wrong."""

    def __init__(self, scenario: Scenario, folder: Path, watchers: Sequence[Watcher] = ()) -> None:
        self.scenario, self.watchers = scenario, watchers
        self.world, self.trace, self.till = World(), Trace(), Till()
        self.saw: Counter[str] = Counter()
        self.findings: list[str] = []
        self.safe = True
        self.settled_with: dict[int, int] = {}
        self.streams = Streams(scenario.seed)
        self.office = Office(folder, self.streams.named("headend"), lambda: self.world.now_us)
        self.air = Air(self, self.streams)
        self.down_us = DOWN_US
        self.homes: list[WorldHome] = []
        self.twins: list[WorldHome] = []  # clones: the same identity, somewhere else
        # What the office did, and when; with how to do it again if a restore takes it back, where that may be.
        self.acts: list[tuple[int, str, Callable[[], Any] | None]] = []
        self.no_work_until_us = 0
        self._mended: list[Callable[[], None]] = []
        self.owed_pages: dict[int, int] = {}
        self._before_settling: dict[int, int] = {}

    # From first to last --------------------------------------------------------------------------------------------

    def play(self) -> None:
        """All of it. What a world shows is then read from its parts (evidence.py)."""
        self.prepare()
        self.run_until(self.scenario.ends_us)
        self.settle()

    def prepare(self) -> None:
        """Prices, meters, first payments; the faults of the scenario go on the timetable."""
        self.office.publish(START_SLOT - 48, PRICES, "waive", 3)
        for number, plan in enumerate(self.scenario.homes, 1):
            self.homes.append(self._move_in(number))
            self.pay(self.homes[-1], plan.first_minor)
        for home in self.homes:
            home.power_on()
            home.begin_slot()
            for hour in home.plan.looks_at_hours:
                self.world.at(hour * HOUR_US + home.number * SECOND_US, self._look_at, home)
        self.world.after(_WORK_US, self._work_off)
        for fault in self.scenario.faults:
            self.world.at(fault.at_us, self._strike, fault)

    def run_until(self, end_us: int) -> None:
        """Live until then."""
        self.world.run_until(end_us)

    def settle(self) -> None:
        """The faults stop. Ends when every meter has agreed with its books, or has had uplinks enough to."""
        self._before_settling = {home.number: home.uplinks - home.polls for home in self.homes}
        if not self.office.up:
            self._headend_back()
        self.safe = False
        self.tell("settle", None)
        self.no_work_until_us = 0
        while self._mended:
            self._mended.pop()()
        for home in self.homes:
            home.lives, home.dark, home.link = False, False, CLEAR
            home.valve.heal()
            if not home.meter.running:
                home.power_on()
            self.owed_pages[home.number] = home.owed_pages()
        end_us = self.world.now_us + SETTLE_MAX_US
        while self.world.now_us < end_us and not all(self._done(home) for home in self.homes):
            self._visit_quarantined()
            self.world.run_until(self.world.now_us + HOUR_US)

    def _visit_quarantined(self) -> None:
        """Whom the office does not believe gets a technician with another wallet, and all its uplinks from there on."""
        for home in self.homes:
            if not home.retired and self.office.state_of(home.meter_id) == "quarantined":
                self.renew(home)
                self._before_settling[home.number] = home.uplinks - home.polls

    def close(self) -> None:
        """Give the files back."""
        self.office.close()

    # What faults and people do -------------------------------------------------------------------------------------

    def pay(self, home: WorldHome, amount_minor: int, copies: int = 1) -> Payment:
        """A customer pays; the operator notifies until it is answered, and perhaps more often."""
        payment = self.take(home, home.customer_number, amount_minor)
        for copy in range(copies):
            self.world.after(copy * MINUTE_US, self.notify, payment)
        return payment

    def take(self, home: WorldHome, account: str, amount_minor: int) -> Payment:
        """The operator has the money; nobody was notified yet."""
        payment = self.till.take(home.number, account, amount_minor, self.world.now_us)
        self.tell("pay", home, payment.transaction.encode())
        return payment

    def notify(self, payment: Payment) -> None:
        """One notification, repeated until it is answered."""
        try:
            message = self.till.next_message()
            told = (payment.transaction, payment.account, payment.amount_minor, payment.paid_at, payment.currency)
            outcome, pushed = self.office.notify(message, *told)
        except Down:
            self.headend_died()
            self.world.after(_RETRY_US, self.notify, payment)
            return
        payment.answers.append(outcome)
        payment.answered_us = self.world.now_us
        self.tell("answer", None, f"{payment.transaction} {outcome}".encode())
        self.air.push(pushed)

    def office_does(self, act: Callable[[], Any]) -> None:
        """An act of the office; while the headend is down it tries again."""
        try:
            act()
        except Down:
            self.headend_died()
            self.world.after(_RETRY_US, self.office_does, act)

    def act(self, what: str, home: WorldHome | None, act: Callable[[], Any], again: bool = True) -> None:
        """Something the office does once, told when it is done; `again`: after a restore of before, it does it again.

        What the books refuse was no act: it is counted by its code.
        """

        def attempt() -> None:
            try:
                act()
            except Refused as refused:
                self.tell(f"refused act {refused.name}", home)
                return
            self.tell("act " + what, home)
            self.acts.append((self.world.now_us, what, act if again else None))

        self.office_does(attempt)

    def do_again(self, act: Callable[[], Any]) -> None:
        """What a restore took back."""

        def attempt() -> None:
            try:
                act()
            except Refused as refused:
                self.saw[f"refused again {refused.name}"] += 1

        self.office_does(attempt)

    def later(self, delay_us: int, action: Callable[..., None], *arguments: Any) -> None:
        """Do it then, or just before the faults stop."""
        self.world.at(min(self.world.now_us + delay_us, self.scenario.ends_us - MINUTE_US), action, *arguments)

    def mended(self, action: Callable[[], None]) -> None:
        """Do it when the faults stop: what people had to bring right is right by then."""
        self._mended.append(action)

    def renew(self, home: WorldHome) -> None:
        """A technician gives a meter another wallet and root key, with the register that is on its face."""

        def by_cable() -> None:
            registered, first_l = self.office.renew(home.meter_id, home.register_l, home.plan.report_slots)
            meter = MeterInMemory(str(home.number), registered.provision_hex)
            home.hang(meter, home.meter_id, first_l, False)

        self.act("renew", home, by_cable, again=False)

    def headend_died(self) -> None:
        """It is down; the first to notice has it started again a while later."""
        if not self.office.up and not self.saw["headend down now"]:
            self.saw["headend down now"] = 1
            self.tell("headend-died", None)
            self.world.after(self.down_us, self._headend_back)

    def lost_power(self, home: WorldHome) -> None:
        """A cut that was armed has come; the power is back after a while."""
        self.tell("cut", home)
        self.world.after(2 * MINUTE_US, self.power_back, home)

    def power_back(self, home: WorldHome, clock_error_s: int = 0, clock_valid: bool = True) -> None:
        """The power is back, if it was away."""
        if not home.meter.running:
            home.power_on(clock_error_s, clock_valid)

    @property
    def now_slot(self) -> int:
        """The true half-hour."""
        return slot_of(unix_s(self.world.now_us))

    @property
    def first_slot(self) -> int:
        """The first half-hour of the world."""
        return START_SLOT

    # What is told --------------------------------------------------------------------------------------------------

    def sent(self, home: WorldHome, frame: bytes) -> None:
        """A meter sends."""
        self.tell("up", home, frame)
        self.air.carry(home, frame)

    def tell(self, what: str, home: WorldHome | None, data: bytes = b"") -> None:
        """Everything that happens is told here: to the trace and to the watchers."""
        self.saw[what] += 1
        self.trace.note(self.world.now_us, 0 if home is None else home.number, what, data)
        for watcher in self.watchers:
            watcher.event(self, what, home, data)

    def exchanged(self, home: WorldHome) -> None:
        """An uplink was taken and answered: while settling, see whether meter and books agree now."""
        if not self.safe and home.number not in self.settled_with and agrees(self, home):
            self.settled_with[home.number] = self.settling_uplinks(home)

    def settling_uplinks(self, home: WorldHome) -> int:
        """Uplinks since the faults stopped, less the polls of a dry tap: those ask, and tell nothing."""
        return home.uplinks - home.polls - self._before_settling[home.number]

    # Inside --------------------------------------------------------------------------------------------------------

    def _move_in(self, number: int) -> WorldHome:
        plan = self.scenario.homes[number - 1]
        meter_id = b"%08d" % number
        registered = self.office.register(meter_id, START_SLOT, plan.report_slots, POLICY)
        meter = MeterInMemory(str(number), registered.provision_hex)
        home = WorldHome(number, plan, self.world, self.streams.named(f"taps/{number}"), meter, self)
        home.meter_id, home.customer_number = meter_id, registered.customer_number
        home.hung.append((meter_id, 0, 0))
        return home

    def _look_at(self, home: WorldHome) -> None:
        """A payer looks at the meter, and pays or does not."""
        if not home.lives:
            return
        face = home.face
        if face is not None and home.meter.running and face.balance_mills < home.plan.below_mills:
            self.pay(home, home.plan.pays_minor)
            if not home.valve.lets_water_through:
                self.world.after(MINUTE_US, home.press)
        self.world.after(DAY_US, self._look_at, home)

    def _strike(self, fault: Fault) -> None:
        home = self.homes[fault.home - 1] if fault.home else None
        self.tell("fault " + fault.kind, home, b"%d %d %d" % (fault.a, fault.b, fault.c))
        faults.KINDS[fault.kind].strike(self, fault, home)

    def _work_off(self) -> None:
        if self.world.now_us >= self.no_work_until_us:
            self.office_does(self.office.work_off)
        self.world.after(_WORK_US, self._work_off)

    def _headend_back(self) -> None:
        if self.office.up:
            return
        self.saw["headend down now"] = 0
        self.office.open()
        self.tell("headend-back", None)
        self.air.push(self.office.settle_unanswered())
        self.air.forward_kept()

    def _done(self, home: WorldHome) -> bool:
        return home.retired or home.number in self.settled_with or self._has_had_its_time(home)

    def _has_had_its_time(self, home: WorldHome) -> bool:
        return self.settling_uplinks(home) >= UPLINKS_MAX + self.owed_pages[home.number]


def agrees(life: Life, home: WorldHome) -> bool:
    """Whether the meter's counters at its last closed half-hour are those of the books, and C and D are the same."""
    state = home.state
    if state is None or not life.office.up:
        return False
    books = life.office.counters(home.meter_id)
    mine = (state.open_slot, state.volume_l - state.open_litres, state.cut_spent_mills, state.cut_collected_mills)
    return (*mine, state.credited_mills, state.debited_mills) == books
