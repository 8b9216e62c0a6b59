"""One home of a world: its wishes, pipe, valve and meter, and what truly happened to the water.

The meter is the firmware under CPython with its flash in memory. It is handed only what a board can sense; what the
counter shows may differ from what flowed, as in a real pipe (bounce, missed pulses, air).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from protocol.wire.messages import UP_POLL

from .. import link
from ..clock import MINUTE_US, SECOND_US, SLOT_US, unix_s
from ..face import Face, parse_face, parse_reading, read_request
from ..household import Household, load
from ..meter_in_memory import MeterInMemory
from ..meter_process import Spoken
from ..prng import Stream
from ..valve import Valve
from ..world import Timer, World
from .scenario import HomePlan, Link

GROUP_L = 5  # litres that flow at once in this world: the meter can act only between two groups
BATTERY_MV = 3600
WATCHDOG_US = MINUTE_US
PAGE_SLOTS = 48
PPM = 1_000_000
_EDGE_US = 40 * SECOND_US  # no water this near to the edge of a half-hour, so that a clock a few seconds off is right


class Listener(Protocol):
    """Who is told what a home does."""

    def sent(self, home: WorldHome, frame: bytes) -> None:
        """The meter has sent a frame."""

    def lost_power(self, home: WorldHome) -> None:
        """The cut that was armed has come."""

    def tell(self, what: str, home: WorldHome | None, data: bytes = b"") -> None:
        """Anything else that happened."""


class WorldHome:
    """A meter in its house. `pipe_l` left the pipe, `counted_l` the counter shows, `by_slot_l` is the latter by the
    true half-hour. `excused` names what a judge may not demand of this home any more, and the fault that says so;
    `hung` is every meter that hung here, or began another wallet: (meter_id, counted_l then, its register then)."""

    def __init__(
        self, number: int, plan: HomePlan, world: World, taps: Stream, meter: MeterInMemory, listener: Listener
    ) -> None:
        self.number, self.plan, self.meter = number, plan, meter
        self.meter_id, self.customer_number = b"", ""
        self.link: Link = plan.link
        self.dark, self.dark_until_us = False, 0
        self.lives = True
        self.retired = False
        self.excused: dict[str, str] = {}
        self.hung: list[tuple[bytes, int, int]] = []
        self.chip_error_s, self.chip_valid = 0, True
        self.battery_mv, self.case_open = BATTERY_MV, False
        self.at_next_boot: list[bytes] = []
        self.on_motor: list[Callable[[], None]] = []  # one for each start of the motor to come
        self.pulses_from_l = 0  # the counter's own start, in counted_l
        self._rate_ppm, self._rate_since_us, self._gained_us = 0, 0, 0
        self.pipe_l = self.counted_l = self.reverse_l = self.unmet_l = 0
        self.by_slot_l: dict[int, int] = {}
        self.boots = self.uplinks = self.polls = 0
        self.face: Face | None = None
        self.valve = Valve(world, self._end_stop)
        self.household: Household = load()[plan.household]
        self._world, self._taps, self._listener = world, taps, listener
        self._wake: Timer | None = None

    # Power ---------------------------------------------------------------------------------------------------------

    def power_on(self, clock_error_s: int = 0, clock_valid: bool = True) -> None:
        """Give the meter power; its clock chip may be wrong, and may know it."""
        if self.retired:
            return
        self.boots += 1
        error_s, valid = self.chip_error_s + clock_error_s, self.chip_valid and clock_valid
        said_s = min(max(unix_s(self._world.now_us) + error_s, 0), 2**32 - 1)
        sensed = [
            link.pulses(self.counted_l - self.pulses_from_l),
            link.real_time(said_s, valid),
            link.battery(self.battery_mv),
            link.tamper(self.case_open),
            *self.at_next_boot,
        ]
        if self.reverse_l:
            sensed.append(link.reverse_pulses(self.reverse_l))
        self.at_next_boot.clear()
        self._listener.tell("boot", self)
        self._run(lambda: self.meter.start(self._meter_us(), sensed))

    def power_off(self) -> None:
        """Take its power; the counter on the pipe counts on."""
        if self.meter.running:
            self._lose_power()
            self._listener.tell("off", self)

    def reset(self, *at_boot: bytes) -> None:
        """A reset of the processor: its inputs are there again at once, and what is to be said then besides."""
        self.power_off()
        self.at_next_boot += at_boot
        self.power_on()

    def run_fast(self, ppm: int) -> None:
        """Its crystal is so much too fast from now on."""
        self._gained_us = self._meter_us() - self._world.now_us
        self._rate_ppm, self._rate_since_us = ppm, self._world.now_us

    def hang(self, meter: MeterInMemory, meter_id: bytes, register_l: int, fresh_counter: bool) -> None:
        """Another meter in the place of this one, or the same with another identity; it is switched on."""
        self.power_off()
        self.meter, self.meter_id = meter, meter_id
        if fresh_counter:
            self.pulses_from_l, self.reverse_l = self.counted_l, 0
            self.valve.at_permille = 0
        self.hung.append((meter_id, self.counted_l, register_l))
        self.power_on()

    # What a board can sense ----------------------------------------------------------------------------------------

    def begin_slot(self) -> None:
        """The litres of one half-hour in small groups at drawn moments of it; then those of the next."""
        slot = self._world.now_us // SLOT_US
        litres = self.household.litres(slot) if self.lives else 0
        while litres > 0:
            group = min(litres, GROUP_L)
            litres -= group
            at_us = slot * SLOT_US + self._taps.between(_EDGE_US, SLOT_US - _EDGE_US)
            self._world.at(max(at_us, self._world.now_us), self.draw, group)
        self._world.at((slot + 1) * SLOT_US, self.begin_slot)

    def draw(self, litres: int) -> None:
        """Someone opens a tap."""
        if not self.valve.lets_water_through:
            self.unmet_l += litres
            return
        self.pipe_l += litres
        self.count(litres)

    def count(self, pulses: int) -> None:
        """The counter goes on, whether or not water did."""
        slot = self._world.now_us // SLOT_US
        self.by_slot_l[slot] = self.by_slot_l.get(slot, 0) + pulses
        self.counted_l += pulses
        self.sense(link.pulses(self.counted_l - self.pulses_from_l))

    def press(self) -> None:
        """Someone presses the button."""
        self.sense(link.button())

    def hear(self, frame: bytes) -> None:
        """A downlink reaches the antenna; a meter without power misses it."""
        if self.meter.running:
            self._listener.tell("heard", self, frame)
            self.sense(link.record(link.RADIO, frame))
            self._listener.tell("listened", self, frame)

    def sense(self, *records: bytes) -> None:
        """Records of the rig, as simulator/link.py makes them."""
        if self.meter.running:
            self._run(lambda: self.meter.advance(self._meter_us(), records))

    def read(self) -> dict[str, Any]:
        """Every counter over the console cable, by the names of firmware/console_fields.py."""
        spoken = self.meter.advance(self._meter_us(), [link.record(link.CONSOLE, read_request())])
        self._heard(spoken)
        return parse_reading(spoken.console)

    @property
    def register_l(self) -> int:
        """What its mechanical register shows, which no power is needed for."""
        _, counted_l, register_l = self.hung[-1]
        return register_l + self.counted_l - counted_l

    @property
    def state(self) -> Any:
        """The meter's own state, for judges that look at every event; None without power or without a state."""
        return getattr(self.meter.application, "state", None)

    def owed_pages(self) -> int:
        """Pages of 48 half-hours that its log holds and the headend has not acknowledged, each at least a frame."""
        application: Any = self.meter.application
        if self.state is None or not self.state.opened:
            return 0
        backlog = application.sync.backlog
        return sum(-(-(span.end_slot - backlog.unacknowledged(span)) // PAGE_SLOTS) for span in backlog.spans())

    # What the meter does -------------------------------------------------------------------------------------------

    def _end_stop(self, end: int, moved: bool) -> None:
        self._listener.tell("end", self, bytes((end, int(moved))))
        self.sense(link.end_stop(end))

    def _run(self, step: Callable[[], Spoken]) -> None:
        """What the meter does; a flash that refuses ends in a reset by the watchdog, as on a board."""
        try:
            self._heard(step())
        except OSError:
            self._lose_power()
            self._listener.tell("watchdog", self)
            self._world.after(WATCHDOG_US, self._bark)

    def _bark(self) -> None:
        if not self.meter.running:
            self.power_on()

    def _lose_power(self) -> None:
        self.meter.kill()
        self.valve.drive(link.MOTOR_STOP)
        self._forget()

    def _heard(self, spoken: Spoken) -> None:
        for payload in spoken.field:
            if payload[:1] == b"M":
                self._listener.tell("motor", self, payload[1:2])
                self.valve.drive(payload[1])
                if payload[1] != link.MOTOR_STOP and self.on_motor:
                    self.on_motor.pop(0)()
            elif payload[:1] == b"F":
                self.face = parse_face(payload[1:])
                self._listener.tell("face", self, payload[1:])
        for frame in spoken.frames:
            self.uplinks += 1
            self.polls += frame[0] >> 3 & 7 == UP_POLL
            self._listener.sent(self, frame)
        self._forget()
        if spoken.cut:
            self._lose_power()
            self._listener.lost_power(self)
        elif self.meter.running:
            self._wake = self._world.at(self._world_us(spoken.deadline_us), self._look)

    def _meter_us(self) -> int:
        """The monotone clock of the meter, by its own crystal."""
        now_us = self._world.now_us
        return now_us + self._gained_us + (now_us - self._rate_since_us) * self._rate_ppm // PPM

    def _world_us(self, meter_us: int) -> int:
        """When the meter's crystal has come to `meter_us`."""
        if not self._rate_ppm:
            return meter_us - self._gained_us
        base_us = self._rate_since_us + self._gained_us
        return self._rate_since_us - (-(meter_us - base_us) * PPM // (PPM + self._rate_ppm))

    def _look(self) -> None:
        self._wake = None
        self.sense()

    def _forget(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
