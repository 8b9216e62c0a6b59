"""One home: its wishes, its pipe and valve, its radio, and the meter between them.

The home knows what truly happened to the water (delivered, refused by a closed valve) and hands the meter only what a
board could sense: pulses, the button, end stops, frames heard. What the meter does comes back as frames, motor
commands and the face, and is passed to a listener.
"""

from __future__ import annotations

from typing import Any, Protocol

from . import link
from .clock import SLOT_US, unix_s
from .face import Face, parse_face, parse_reading, read_request
from .household import Demand, pulse_train
from .meter_process import MeterProcess, Spoken
from .prng import Stream
from .radio import Radio
from .valve import Valve
from .wakes import Wakes
from .world import World

BATTERY_MV = 3600


class Listener(Protocol):
    """Who is told what a home does: the town."""

    def frame_sent(self, home: Home, frame: bytes) -> None:
        """The meter has sent a frame."""

    def face_changed(self, home: Home, before: Face | None, after: Face) -> None:
        """The meter shows something new."""

    def valve_arrived(self, home: Home, end: int) -> None:
        """The valve has moved to an end stop (link.END_…)."""

    def power_lost(self, home: Home) -> None:
        """The cut asked for by `cut_power` has come; the meter is dead."""


class Home:
    """One meter in its house. `number` counts from 1 and is what the story and the tables call it."""

    def __init__(
        self,
        number: int,
        name: str,
        world: World,
        meter: MeterProcess,
        demand: Demand,
        radio: Radio,
        taps: Stream,
        listener: Listener,
        wakes: Wakes,
    ) -> None:
        self.number, self.name = number, name
        self.meter, self.demand, self.radio = meter, demand, radio
        self.valve = Valve(world, self._end_stop)
        self.face: Face | None = None
        self.leak_litres_per_slot = 0
        self.delivered_l = 0
        self.delivered_by_slot_l: dict[int, int] = {}
        self.unmet_l = 0
        self.lives = True
        self._world, self._taps, self._listener, self._wakes = world, taps, listener, wakes

    def move_in(self) -> None:
        """Switch the meter on and begin to use water, half-hour after half-hour."""
        self.power_on()
        self._begin_slot()

    def power_on(self) -> None:
        """Give the meter power: it senses its pulse count, its clock chip, its battery and its case."""
        sensed = (
            link.pulses(self.delivered_l),
            link.real_time(unix_s(self._world.now_us), True),
            link.battery(BATTERY_MV),
            link.tamper(False),
        )
        self._heard(self.meter.start(self._world.now_us, sensed))

    def cut_power_at(self, operation: int, mode: int) -> None:
        """Arrange that the power fails at the n-th flash operation from now."""
        self._advance(link.cut_power(operation, mode))

    def press_button(self) -> None:
        """Someone presses the button."""
        self._advance(link.button())

    def hear(self, frame: bytes) -> None:
        """A downlink arrives at the antenna; a meter without power misses it."""
        self._advance(link.record(link.RADIO, frame))

    def read_console(self) -> dict[str, Any]:
        """Every counter of the meter over its console cable, by the names of firmware/console_fields.py."""
        spoken = self.meter.advance(self._world.now_us, [link.record(link.CONSOLE, read_request())])
        self._heard(spoken)
        return parse_reading(spoken.console)

    def wake(self) -> None:
        """The meter's deadline has come: grant it the present time."""
        self.meter.grant(self._world.now_us)

    def listen(self) -> None:
        """Take what the meter says after `wake`."""
        self._heard(self.meter.listen())

    def _begin_slot(self) -> None:
        if not self.lives:
            return
        slot = self._world.now_us // SLOT_US
        for offset_us, litres in pulse_train(self.demand.litres(slot) + self.leak_litres_per_slot, self._taps):
            self._world.after(offset_us, self._draw, litres)
        self._world.at((slot + 1) * SLOT_US, self._begin_slot)

    def _draw(self, litres: int) -> None:
        if not self.lives:
            return
        if not self.valve.lets_water_through:
            self.unmet_l += litres
            return
        slot = self._world.now_us // SLOT_US
        self.delivered_by_slot_l[slot] = self.delivered_by_slot_l.get(slot, 0) + litres
        self.delivered_l += litres
        self._advance(link.pulses(self.delivered_l))

    def _end_stop(self, end: int, moved: bool) -> None:
        self._advance(link.end_stop(end))
        if moved:
            self._listener.valve_arrived(self, end)

    def _advance(self, *records: bytes) -> None:
        if self.meter.running:
            self._heard(self.meter.advance(self._world.now_us, records))

    def _heard(self, spoken: Spoken) -> None:
        for frame in spoken.frames:
            self._listener.frame_sent(self, frame)
        for payload in spoken.field:
            if payload[:1] == b"M":
                self.valve.drive(payload[1])
            elif payload[:1] == b"F":
                before, self.face = self.face, parse_face(payload[1:])
                self._listener.face_changed(self, before, self.face)
        if spoken.cut:
            self._wakes.forget(self)
            self.meter.kill()
            self._listener.power_lost(self)
        else:
            self._wakes.ask(self, spoken.deadline_us)
