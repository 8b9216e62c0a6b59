"""The table on which one meter lies: a tap and a valve at its pins, radio around it, and the hand that tests it.

Everything happens in the virtual time of one world (simulator/world.py); the meter is any of those that take grants:
the image in QEMU, a board, the unix process. Tests read as sentences: `meter.pulses(40)`, `meter.cut_power()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from firmware.identity import Identity
from simulator import link
from simulator.air import Air
from simulator.clock import SECOND_US, unix_s
from simulator.face import Face, parse_face, parse_reading, read_request
from simulator.home import BATTERY_MV
from simulator.meter_process import NEVER_US, Spoken
from simulator.radio import Radio
from simulator.world import Timer, World

from .ear import Ear
from .valve import PipeValve


class Board(Protocol):
    """What takes grants: rig.image_meter.ImageMeter says what each means."""

    @property
    def running(self) -> bool: ...

    def start(self, now_us: int, records: Sequence[bytes]) -> Spoken: ...
    def reset(self, now_us: int, records: Sequence[bytes]) -> Spoken: ...
    def advance(self, now_us: int, records: Sequence[bytes] = ()) -> Spoken: ...
    def grant(self, now_us: int, records: Sequence[bytes] = ()) -> None: ...
    def listen(self) -> Spoken: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def kill(self) -> None: ...
    def dispose(self) -> None: ...


class Meter:
    """One meter on the table. `number` and `radio` are what the air knows it by."""

    def __init__(self, number: int, board: Board, identity: Identity, world: World, air: Air, radio: Radio) -> None:
        self.number, self.board, self.identity, self.radio = number, board, identity, radio
        self.valve = PipeValve(world, self._end_stop, self._flows)
        self.ear = Ear(identity)
        self.face: Face | None = None
        self.delivered_l = 0
        self.run_back_l = 0
        self.battery_mv = BATTERY_MV
        self.clock_runs = True
        self.was_cut = False
        self.frames: list[bytes] = []
        self._world, self._air = world, air
        self._wake: Timer | None = None
        air.meter_ids[number] = identity.meter_id

    # Power ----------------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Give it power."""
        self.was_cut = False
        self._heard(self.board.start(self._world.now_us, self._sensed()))

    def cut_power(self) -> None:
        """Take its power away, at once. The motor stops where it is."""
        self.board.kill()
        self._sleep(NEVER_US)
        self.valve.loses_power()

    def cut_power_at(self, operation: int, *, torn: bool) -> None:
        """Let the power fail at the n-th flash operation from now: before it, or half-way through it."""
        self._tell(link.cut_power(operation, link.CUT_TORN if torn else link.CUT_CLEAN))

    def reset(self) -> None:
        """Pull its reset pin."""
        self._heard(self.board.reset(self._world.now_us, self._sensed()))

    def freeze_while(self, *acts: Callable[[], None]) -> None:
        """Stop the processor as soon as it has been given the time, do something else, then let it go on."""
        self.board.grant(self._world.now_us)
        self.board.freeze()
        for act in acts:
            act()
        self.board.thaw()
        self._heard(self.board.listen())

    def pulses_and_dies(self, count: int, waits: Callable[[], None]) -> None:
        """Pulses come, the meter begins to work, and after `waits` the power goes, wherever it is just then."""
        self.delivered_l += count
        self.board.grant(self._world.now_us, [link.pulses(self.delivered_l)])
        waits()
        self.cut_power()

    # What reaches it ------------------------------------------------------------------------------------------------

    def pulses(self, count: int) -> None:
        """So many litres turn its counter, whatever the valve."""
        self._flows(count)

    def runs_back(self, litres: int) -> None:
        """So many litres turn its counter backwards."""
        self.run_back_l += litres
        self._tell(link.reverse_pulses(self.run_back_l))

    def draws(self, litres: int, seconds_each: int = 1) -> int:
        """Someone opens the tap for so many litres; what comes out of it, one by one."""
        for drawn in range(litres):
            if not self.valve.lets_water_through:
                return drawn
            self._flows(1)
            self.lives(seconds_each)
        return litres

    def press(self) -> None:
        """Someone presses the button."""
        self._tell(link.button())

    def battery(self, millivolts: int) -> None:
        """The battery's voltage changes."""
        self.battery_mv = millivolts
        self._tell(link.battery(millivolts))

    def hear(self, frame: bytes) -> None:
        """A downlink arrives at its antenna; a meter without power misses it."""
        self._tell(link.record(link.RADIO, frame))

    # Time -----------------------------------------------------------------------------------------------------------

    def lives(self, seconds: int) -> None:
        """Time passes for everyone."""
        self._world.run_until(self._world.now_us + seconds * SECOND_US)

    def lives_until(self, what: Callable[[], bool], within_s: int) -> int:
        """Time passes second by second until something is so; how many it took. AssertionError when it does not."""
        for passed_s in range(within_s + 1):
            if what():
                return passed_s
            self.lives(1)
        raise AssertionError(f"not within {within_s} s")

    # What it tells --------------------------------------------------------------------------------------------------

    def reads(self) -> dict[str, Any]:
        """All that its console tells, by the names of firmware/console_fields.py."""
        spoken = self.board.advance(self._world.now_us, [link.record(link.CONSOLE, read_request())])
        self._heard(spoken)
        return parse_reading(spoken.console)

    def shows(self) -> Face:
        """What its display shows."""
        assert self.face is not None
        return self.face

    def has_paid_water(self) -> bool:
        """The valve stands open on credit: what a customer waits for."""
        return self.valve.is_open and self.shows().balance_mills > 0

    # ----------------------------------------------------------------------------------------------------------------

    def _sensed(self) -> list[bytes]:
        clock = link.real_time(unix_s(self._world.now_us), self.clock_runs)
        counts = [link.reverse_pulses(self.run_back_l), link.pulses(self.delivered_l)]
        return [*counts, clock, link.battery(self.battery_mv), link.tamper(False)]

    def _flows(self, litres: int) -> None:
        self.delivered_l += litres
        self._tell(link.pulses(self.delivered_l))

    def _end_stop(self, end: int, _moved: bool) -> None:
        self._tell(link.end_stop(end))

    def _tell(self, *records: bytes) -> None:
        if self.board.running:
            self._heard(self.board.advance(self._world.now_us, records))

    def _heard(self, spoken: Spoken) -> None:
        for frame in spoken.frames:
            self.frames.append(frame)
            self.ear.hear(frame)
            self._air.carry(self, frame)  # type: ignore[arg-type]
        for payload in spoken.field:
            if payload[:1] == b"M":
                self.valve.drive(payload[1])
            elif payload[:1] == b"F":
                self.face = parse_face(payload[1:])
        if spoken.cut:
            self.was_cut = True
            self.cut_power()
        else:
            self._sleep(spoken.deadline_us)

    def _sleep(self, deadline_us: int) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake = None if deadline_us == NEVER_US else self._world.at(deadline_us, self._tell)
