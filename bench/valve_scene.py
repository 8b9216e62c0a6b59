"""One home on a valve that may fail: the real firmware, water as in the household data, money when it is told to come.

No headend: what the meter notices is read where it notices it, and credit comes in frames sealed here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from firmware.provisioning import identity_record, opening_frame
from protocol.rules.calendar import UTC, slot_of
from protocol.rules.policy import NEW, Policy
from protocol.rules.tariff import Tariff
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import Opening, Statement
from simulator import link
from simulator.clock import MINUTE_US, SECOND_US, SLOT_US, SLOTS_PER_DAY, START_UNIX_S, unix_s
from simulator.household import Household, pulse_train
from simulator.meter_in_memory import MeterInMemory
from simulator.prng import Stream
from simulator.valve import Valve
from simulator.world import Timer, World

METER_ID = bytes.fromhex("6775656c74610005")
ROOT = bytes(range(16))
MILLS_PER_L = 500
TARIFF = Tariff(1, 0, 0, UTC, 1, 0, ((0, MILLS_PER_L),), 0, 0)
BATTERY_MV = 3600


class Noticed(NamedTuple):
    """An event as the meter made it."""

    at_us: int
    code: int
    argument: int


class Home:
    """A household's meter, pipe and valve. `noticed` is everything that the meter told, in order."""

    def __init__(self, household: Household, taps: Stream, policy: Policy = NEW) -> None:
        self.world = World()
        self.valve = Valve(self.world, self._end_stop)
        self.noticed: list[Noticed] = []
        self.starts_us: list[int] = []
        self.litres = self.reverse = self.unmet_l = 0
        self.supplied = self.at_home = self.motor_works = True
        self.presses = False  # whether who wants water and has none asks for it
        self.sags = False  # whether the motor's current resets the meter
        self._household, self._taps = household, taps
        self._keys = derive(ROOT, METER_ID, 1, 0)
        self._statement = self._counter = 1
        self._credited_mills = self._debited_mills = self._last_event = self._leaked_ml = 0
        self._wake: Timer | None = None
        opening = opening_frame(ROOT, METER_ID, Opening(1, 0, 0, 0, 0, slot_of(START_UNIX_S), 0, 0, 1), counter=0)
        record = identity_record(
            METER_ID, ROOT, 1, tariff=TARIFF, policy=policy, opening=opening, report_slots=SLOTS_PER_DAY
        )
        self.meter = MeterInMemory("valve", record.hex())
        self.power_on()
        self.world.at(0, self._begin_slot)
        self.world.at(0, self._leak)

    # Acts -----------------------------------------------------------------------------------------------------------
    def power_on(self) -> None:
        """Give the meter power."""
        sensed = (
            link.pulses(self.litres),
            link.reverse_pulses(self.reverse),
            link.real_time(unix_s(self.world.now_us), True),
            link.battery(BATTERY_MV),
        )
        self._heard(self.meter.start(self.world.now_us, sensed))

    def cut_power(self) -> None:
        """The meter is dead; the motor stops where it is."""
        self.valve.drive(link.MOTOR_STOP)
        self.meter.kill()

    def pay(self, litres: int) -> None:
        """Credit for so many litres more than there is, whatever the balance."""
        self._credited_mills += max(0, -self.state.balance_mills) + litres * MILLS_PER_L
        self._tell_statement()

    def end_credit(self) -> None:
        """The utility takes back what is left: the valve is told to close now."""
        self._debited_mills += max(0, self.state.balance_mills)
        self._tell_statement()

    def _tell_statement(self) -> None:
        self._statement += 1
        self._counter += 1
        kind, plaintext = encode_down(Statement(self._statement, self._credited_mills, self._debited_mills, 0, 0))
        self.advance(link.record(link.RADIO, seal(self._keys, DOWN, kind, self._counter, plaintext)))

    def press(self) -> None:
        """Somebody presses the button."""
        self.advance(link.button())

    def draw(self, litres: int) -> None:
        """Water at the tap, if any comes; who has none may press the button."""
        if litres and self.supplied and self.valve.lets_water_through:
            self.litres += litres
            self.advance(link.pulses(self.litres))
        elif litres:
            self.unmet_l += litres
            if self.presses:
                self.press()

    def rush(self, pulses: int, apart_us: int) -> None:
        """Air turns the meter."""
        for number in range(pulses):
            self.world.after(number * apart_us, self.draw, 1)

    def run_back(self, pulses: int) -> None:
        """Water flows the wrong way."""
        self.reverse += pulses
        self.advance(link.reverse_pulses(self.reverse))

    def run(self, us: int) -> None:
        """Let so much time pass."""
        self.world.run_until(self.world.now_us + us)

    # Observations ---------------------------------------------------------------------------------------------------
    @property
    def state(self) -> Any:
        """The meter's persisted numbers."""
        assert self.meter.application is not None
        return self.meter.application.state

    def first(self, codes: tuple[int, ...], since_us: int) -> Noticed | None:
        """The first event with one of these codes since an instant."""
        return next((one for one in self.noticed if one.code in codes and one.at_us >= since_us), None)

    # The life of a home ---------------------------------------------------------------------------------------------
    def _begin_slot(self) -> None:
        slot = self.world.now_us // SLOT_US
        if self.at_home:
            for offset_us, litres in pulse_train(self._household.litres(slot), self._taps):
                self.world.after(offset_us, self.draw, litres)
        self.world.at((slot + 1) * SLOT_US, self._begin_slot)

    def _brown_out(self) -> None:
        self.cut_power()
        self.world.after(10 * SECOND_US, self.power_on)

    def _leak(self) -> None:
        """What trickles through a closed valve, a pulse when a litre is full."""
        if self.supplied:
            self._leaked_ml += self.valve.leaked_ml(MINUTE_US)
        if self._leaked_ml >= 1000:
            self._leaked_ml -= 1000
            self.litres += 1
            self.advance(link.pulses(self.litres))
        self.world.after(MINUTE_US, self._leak)

    def _end_stop(self, end: int, moved: bool) -> None:
        self.advance(link.end_stop(end))

    def advance(self, *records: bytes) -> None:
        """Hand over what the board senses."""
        if self.meter.running:
            self._heard(self.meter.advance(self.world.now_us, records))

    def _heard(self, spoken: Any) -> None:
        events = self.meter.application.events if self.meter.application is not None else None
        for entry, _ in () if events is None else tuple(events.waiting):
            if entry.event_no > self._last_event:
                self._last_event = entry.event_no
                self.noticed.append(Noticed(self.world.now_us, entry.code, entry.argument))
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self.world.at(spoken.deadline_us, self.advance)
        for payload in spoken.field:
            if payload[:1] == b"M":
                if payload[1] != link.MOTOR_STOP:
                    self.starts_us.append(self.world.now_us)
                    if self.sags:
                        self.world.after(SECOND_US, self._brown_out)
                self.valve.drive(payload[1])
