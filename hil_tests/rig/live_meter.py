"""The image in the wall's time: its own clocks run, its watchdog watches, its chips hang on its bus.

For what lock-step cannot show. Time passes only in `lives` and `lives_until`, where the rig plays the table: it answers
the motor with an end stop at once, and tells a meter that has been reset what its board senses.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.identity import Identity
from simulator import link
from simulator.face import Face, parse_face, parse_reading, read_request
from simulator.home import BATTERY_MV

from .ear import Ear
from .image_meter import Console
from .qemu import CONSOLE, Machine
from .wires import Wires

ASKS = b"A"  # the board asks for its inputs, as after a reset
_STEP_S = 0.02
_QUIET_S = 0.2
_ANSWERS_WITHIN_S = 10
_ENDS = {link.MOTOR_OPEN: link.END_OPEN, link.MOTOR_CLOSE: link.END_CLOSED}


class LiveMeter:
    """One image with power or without, on the flash and EEPROM of its folder."""

    def __init__(
        self, image: Path, flash: Path, identity: Identity, console: Console, *, tells_time: bool = True
    ) -> None:
        self.machine = Machine(image, flash, Path(f"{flash}.eeprom"), lock_step=False)
        self.ear = Ear(identity)
        self.face: Face | None = None
        self.motor: list[int] = []
        self.delivered_l = 0
        self.wires = Wires(self.machine)
        self._console = console
        self._unix_s, self._since_s, self._tells_time = 0, 0.0, tells_time

    def power_on(self, unix_s: int) -> None:
        """Give it power; its clock chip shows `unix_s`."""
        self.machine.power_on(unix_s)
        self.wires = Wires(self.machine)
        self._unix_s, self._since_s = unix_s, time.monotonic()
        self._sense()

    def cut_power(self) -> None:
        """Take its power away."""
        self.machine.cut()

    def dispose(self) -> None:
        """Take its power away for good."""
        self.machine.dispose()

    def provision(self, identity: bytes) -> None:
        """Make a meter of the blank board, over its console."""
        self._console.provision(identity, self._exchange)

    def pulses(self, count: int) -> None:
        """So many litres turn its counter."""
        self.delivered_l += count
        self.wires.hand_over(link.pulses(self.delivered_l))

    def hear(self, frame: bytes) -> None:
        """A downlink arrives at its antenna."""
        self.wires.hand_over(link.record(link.RADIO, frame))

    def reads(self) -> dict[str, Any]:
        """All that its console tells."""
        return parse_reading(self._console.ask(read_request(), self._exchange))

    def lives(self, seconds: float) -> None:
        """Time passes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._step()

    def lives_until(self, what: Callable[[], bool], within_s: float) -> float:
        """Time passes until something is so; how long it took. AssertionError when it does not become so."""
        since = time.monotonic()
        while not what():
            assert time.monotonic() - since < within_s, f"not within {within_s} s; it said {bytes(self.wires.trace)!r}"
            self._step()
        return time.monotonic() - since

    # ----------------------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        self.wires.poll(_STEP_S)
        said = self.wires.said
        frames, said.frames = said.frames, []
        payloads, said.field_io = said.field_io, []
        for frame in frames:
            self.ear.hear(frame)
        for payload in payloads:
            self._heard(payload)

    def _heard(self, payload: bytes) -> None:
        if payload[:1] == b"M":
            self.motor.append(payload[1])
            if payload[1] in _ENDS:
                self.wires.hand_over(link.end_stop(_ENDS[payload[1]]))
        elif payload[:1] == b"F":
            self.face = parse_face(payload[1:])
        elif payload[:1] == ASKS:
            self._sense()

    def _sense(self) -> None:
        if self._tells_time:
            unix_s = self._unix_s + int(time.monotonic() - self._since_s)
            self.wires.hand_over(link.real_time(unix_s, True))
        for record in (
            link.battery(BATTERY_MV),
            link.tamper(False),
            link.pulses(self.delivered_l),
        ):
            self.wires.hand_over(record)

    def _exchange(self, data: bytes) -> bytes:
        """Bytes to the console, and what it says until it is quiet."""
        self._step()
        self.wires.said.console.clear()
        self.wires.write(CONSOLE, data)
        self.lives_until(lambda: bool(self.wires.said.console), _ANSWERS_WITHIN_S)
        heard = 0
        while heard < len(self.wires.said.console):
            heard = len(self.wires.said.console)
            self.lives(_QUIET_S)
        return bytes(self.wires.said.console)
