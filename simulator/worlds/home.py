"""One home of a world: its wishes, pipe, valve and meter, and what truly happened to the water.

The meter is the firmware under CPython with its flash in memory. It is handed only what a board can sense; what the
counter shows may differ from what flowed, as in a real pipe (bounce, missed pulses, air).
"""

from __future__ import annotations

from typing import Any, Protocol

from .. import link
from ..clock import SECOND_US, SLOT_US, unix_s
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
    true half-hour."""

    def __init__(
        self, number: int, plan: HomePlan, world: World, taps: Stream, meter: MeterInMemory, listener: Listener
    ) -> None:
        self.number, self.plan, self.meter = number, plan, meter
        self.meter_id, self.customer_number = b"", ""
        self.link: Link = plan.link
        self.dark = False
        self.lives = True
        self.pipe_l = self.counted_l = self.reverse_l = self.unmet_l = 0
        self.by_slot_l: dict[int, int] = {}
        self.boots = self.uplinks = 0
        self.face: Face | None = None
        self.valve = Valve(world, self._end_stop)
        self.household: Household = load()[plan.household]
        self._world, self._taps, self._listener = world, taps, listener
        self._wake: Timer | None = None

    # Power ---------------------------------------------------------------------------------------------------------

    def power_on(self, clock_error_s: int = 0, clock_valid: bool = True) -> None:
        """Give the meter power; its clock chip may be wrong, and may know it."""
        self.boots += 1
        now_us = self._world.now_us
        sensed = (
            link.pulses(self.counted_l),
            link.real_time(max(unix_s(now_us) + clock_error_s, 0), clock_valid),
            link.battery(BATTERY_MV),
            link.tamper(False),
        )
        self._listener.tell("boot", self)
        self._heard(self.meter.start(now_us, sensed))

    def power_off(self) -> None:
        """Take its power; the counter on the pipe counts on."""
        if self.meter.running:
            self.meter.kill()
            self._forget()
            self._listener.tell("off", self)

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
        self.sense(link.pulses(self.counted_l))

    def press(self) -> None:
        """Someone presses the button."""
        self.sense(link.button())

    def hear(self, frame: bytes) -> None:
        """A downlink reaches the antenna; a meter without power misses it."""
        if self.meter.running:
            self._listener.tell("heard", self, frame)
            self.sense(link.record(link.RADIO, frame))

    def sense(self, *records: bytes) -> None:
        """Records of the rig, as simulator/link.py makes them."""
        if self.meter.running:
            self._heard(self.meter.advance(self._world.now_us, records))

    def read(self) -> dict[str, Any]:
        """Every counter over the console cable, by the names of firmware/console_fields.py."""
        spoken = self.meter.advance(self._world.now_us, [link.record(link.CONSOLE, read_request())])
        self._heard(spoken)
        return parse_reading(spoken.console)

    @property
    def state(self) -> Any:
        """The meter's own state, for judges that look at every event; None without power or without a state."""
        return getattr(self.meter.application, "state", None)

    # What the meter does -------------------------------------------------------------------------------------------

    def _end_stop(self, end: int, moved: bool) -> None:
        self._listener.tell("end", self, bytes((end, int(moved))))
        self.sense(link.end_stop(end))

    def _heard(self, spoken: Spoken) -> None:
        for payload in spoken.field:
            if payload[:1] == b"M":
                self._listener.tell("motor", self, payload[1:2])
                self.valve.drive(payload[1])
            elif payload[:1] == b"F":
                self.face = parse_face(payload[1:])
                self._listener.tell("face", self, payload[1:])
        for frame in spoken.frames:
            self.uplinks += 1
            self._listener.sent(self, frame)
        self._forget()
        if spoken.cut:
            self.meter.kill()
            self._listener.lost_power(self)
        elif self.meter.running:
            self._wake = self._world.at(spoken.deadline_us, self._look)

    def _look(self) -> None:
        self._wake = None
        self.sense()

    def _forget(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
