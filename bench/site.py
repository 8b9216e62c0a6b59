"""One customer's site: the meter on its pipe and valve, its radio, and the headend it speaks with.

The meter is any that simulator.meter_process describes, so the same site runs the firmware under CPython or a real
MicroPython. `trace` is every frame with its instant and direction, as the meter's antenna sent and heard it; `arrived`
are the uplinks that the headend heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from bench.utility import Utility
from headend.ingest.received import Bearer
from simulator import link
from simulator.clock import SECOND_US, unix_s
from simulator.face import parse_reading, read_request
from simulator.meter_in_memory import MeterInMemory
from simulator.meter_process import MeterProcess
from simulator.valve import Valve
from simulator.world import Timer, World

STROKE_US = 8 * SECOND_US
BATTERY_MV = 3600
Meter = MeterInMemory | MeterProcess


class Carrier(Protocol):
    """What takes frames from a meter to the headend and back: simulator.lorawan.LoraWan, simulator.gprs.Gprs."""

    uplinks: int
    downlinks: int

    def send(self, frame: bytes) -> None: ...

    def push(self, frames: list[bytes]) -> None: ...


Connect = Callable[[World, Callable[[bytes], list[bytes] | None], Callable[[bytes], None]], Carrier]


class Site:
    """`connect(world, headend, meter)` makes the radio; `bearer` is what the headend sees of it."""

    def __init__(
        self, world: World, utility: Utility, meter: Meter, who: tuple[bytes, str], bearer: Bearer, connect: Connect
    ) -> None:
        self.meter_id, self.customer_number = who
        self.meter = meter
        self.valve = Valve(world, self._end_stop, {link.MOTOR_OPEN: STROKE_US, link.MOTOR_CLOSE: STROKE_US})
        self.litres = 0
        self.opened_us: int | None = None
        self.trace: list[tuple[int, str, bytes]] = []
        self.arrived: list[bytes] = []
        self._world, self._utility, self._bearer = world, utility, bearer
        self.radio = connect(world, self._reach_headend, self._hear)
        self._wake: Timer | None = None

    def power_on(self) -> None:
        """Give the meter power, a right clock, and what its inputs say."""
        sensed = (
            link.pulses(self.litres),
            link.real_time(unix_s(self._world.now_us), True),
            link.battery(BATTERY_MV),
            link.tamper(False),
        )
        self._heard(self.meter.start(self._world.now_us, sensed))

    def draw(self, litres: int) -> None:
        """Water at the tap; nothing flows through a closed valve."""
        if litres and self.valve.lets_water_through:
            self.litres += litres
            self._advance(link.pulses(self.litres))

    def press(self) -> None:
        """Someone presses the button."""
        self._advance(link.button())

    def look(self) -> None:
        """The meter wakes now, finds nothing new and goes to sleep again."""
        self._advance()

    def read(self) -> dict[str, Any]:
        """Every counter of the meter over its console cable, by the names of firmware/console_fields.py."""
        spoken = self.meter.advance(self._world.now_us, [link.record(link.CONSOLE, read_request())])
        self._heard(spoken)
        return parse_reading(spoken.console)

    def pay(self, amount_minor: int) -> None:
        """A payment is committed now; what the headend pushes goes out with it."""
        self.opened_us = None
        frames = self._utility.pay(self.meter_id, self.customer_number, amount_minor)
        if frames:
            self.radio.push(frames)

    def _reach_headend(self, frame: bytes) -> list[bytes] | None:
        self.arrived.append(frame)
        return self._utility.hear(self.meter_id, frame, self._bearer)

    def _hear(self, frame: bytes) -> None:
        self.trace.append((self._world.now_us, "down", frame))
        self._advance(link.record(link.RADIO, frame))

    def _end_stop(self, end: int, moved: bool) -> None:
        if moved and end == link.END_OPEN:
            self.opened_us = self._world.now_us
        self._advance(link.end_stop(end))

    def _advance(self, *records: bytes) -> None:
        self._heard(self.meter.advance(self._world.now_us, records))

    def _heard(self, spoken: Any) -> None:
        """What the meter did, and its next alarm."""
        for payload in spoken.field:
            if payload[:1] == b"M":
                self.valve.drive(payload[1])
        for frame in spoken.frames:
            self.trace.append((self._world.now_us, "up", frame))
            self.radio.send(frame)
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._world.at(spoken.deadline_us, self._advance)
