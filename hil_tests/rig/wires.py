"""What travels between the rig and a machine: records on UART1 and UART2, bytes on the console, waits on the clock.

UART4 is the trace: what MicroPython itself prints, as the reason why a program ended. It is quoted when a meter fails.
"""

from __future__ import annotations

import dataclasses
import select

from simulator import link
from simulator.meter_process import MeterFailed

from .qemu import CLOCK, CONSOLE, FIELD, RADIO, TRACE, Machine

_CHUNK = 65536
_QUOTED = 2000


@dataclasses.dataclass
class Said:
    """What a meter said since it was last taken. `cut`: it stands at the cut point that was armed."""

    frames: list[bytes] = dataclasses.field(default_factory=list)
    field_io: list[bytes] = dataclasses.field(default_factory=list)
    console: bytearray = dataclasses.field(default_factory=bytearray)
    clock: bytearray = dataclasses.field(default_factory=bytearray)
    cut: bool = False


class Wires:
    """The rig's ends of a machine's UARTs, from one power-on to the next."""

    def __init__(self, machine: Machine) -> None:
        self.said = Said()
        self.trace = bytearray()
        self.written = [0, 0, 0]
        self._machine = machine
        self._records = {RADIO: link.Records(), FIELD: link.Records()}

    def write(self, uart: int, data: bytes) -> None:
        """Send bytes; those to console, radio and field I/O are counted, for the meter is told how many come."""
        if uart != CLOCK:
            self.written[uart] += len(data)
        try:
            self._machine.uarts[uart].sendall(data)
        except OSError:
            raise self.failed("its wires are dead") from None

    def hand_over(self, record: bytes) -> None:
        """Send one record of the radio or of field I/O."""
        self.write(RADIO if record[0] == link.RADIO else FIELD, record)

    def poll(self, timeout_s: float) -> bool:
        """Take what has come; wait so long for the first of it. False when nothing came."""
        uarts = self._machine.uarts
        ready = select.select(uarts, [], [], timeout_s)[0]
        for number in range(len(uarts)):
            if uarts[number] in ready:
                self._take(number)
        return bool(ready)

    def drain(self) -> None:
        """Take all that has been said up to now."""
        while self.poll(0):
            pass

    def cut_frames_off(self) -> None:
        """The other end is being reset: half a record of its old life will never be whole."""
        self.drain()
        self._records = {RADIO: link.Records(), FIELD: link.Records()}
        self.said.clock.clear()

    def failed(self, what: str) -> MeterFailed:
        """Switch off and say what went wrong, with the last words of MicroPython and of QEMU."""
        return self._machine.failed(f"{what}. {self.trace[-_QUOTED:].decode(errors='replace').strip()}".rstrip())

    def _take(self, uart: int) -> None:
        data = self._machine.uarts[uart].recv(_CHUNK)
        if not data:
            raise self.failed("it ended")
        if uart == CONSOLE:
            self.said.console += data
        elif uart == CLOCK:
            self.said.clock += data
        elif uart == TRACE:
            self.trace += data
        else:
            for _, payload in self._records[uart].feed(data):
                self._heard(uart, payload)

    def _heard(self, uart: int, payload: bytes) -> None:
        if uart == RADIO:
            self.said.frames.append(payload)
        elif payload[:1] == b"X":
            self.said.cut = True
        else:
            self.said.field_io.append(payload)
