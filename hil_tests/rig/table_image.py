"""The image on a table in wall time, where `guelta field` finds it: UART0 on a pseudo-terminal, its radio over UDP to a
headend that runs, motor, counter and clock answered by the table (simulator/table.py).

The image's radio does not say who it is, as a LoRa radio does: the gateway would know. Here it is read from the EEPROM
in the image's file, which the meter wrote when it was provisioned.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from firmware.identity import decode
from firmware.keepsake import IDENTITY, KEPT, look
from simulator import link
from simulator.home import BATTERY_MV
from simulator.meter_process import MeterFailed
from simulator.table import pulses_on

from .live_meter import ASKS
from .qemu import CLOCK, CONSOLE, FIELD, RADIO, TRACE, Machine

_CHUNK = 4096
_DATAGRAM = b"\x01"
_DATAGRAM_MAX = 300
_ID_BYTES = 8
_HEAD = 3
_QUOTED = 2000


class EepromImage:
    """The EEPROM of an image, read by the host."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of it."""
        return self._path.read_bytes()[offset : offset + size]

    def meter_id(self) -> bytes | None:
        """Who the meter is; None before it was provisioned."""
        state, payload, _ = look(self, IDENTITY)
        return decode(payload).meter_id if state == KEPT else None


class ImageOnTable:
    """A simulator.table.Machine. `flash` and its neighbours are the meter: the same files are the same meter."""

    def __init__(self, image: Path, flash: Path, udp: str) -> None:
        eeprom = Path(f"{flash}.eeprom")
        self.machine = Machine(image, flash, eeprom, lock_step=False)
        self.trace = bytearray()
        self._eeprom = EepromImage(eeprom)
        self._counter = Path(f"{flash}.pulses")
        self._count = pulses_on(flash)
        self._records: dict[int, link.Records] = {}
        host, _, port = udp.rpartition(":")
        self._air = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._air.setblocking(False)
        self._air.connect((host, int(port)))

    def start(self) -> None:
        """Give it power; it asks for what its board senses."""
        self.machine.power_on()
        self._records = {RADIO: link.Records(), FIELD: link.Records()}
        self._sense()

    def kill(self) -> None:
        """Take its power for good."""
        self.machine.dispose()
        self._air.close()

    def sources(self) -> Sequence[int]:
        """What to select on."""
        return [*(uart.fileno() for uart in self.machine.uarts), self._air.fileno()]

    def hear(self, source: int) -> list[tuple[int, bytes]]:
        """What came, as records of the table. MeterFailed when it has ended."""
        if source == self._air.fileno():
            self._downlink()
            return []
        number = next(n for n, uart in enumerate(self.machine.uarts) if uart.fileno() == source)
        data = self.machine.uarts[number].recv(_CHUNK)
        if not data:
            raise MeterFailed(f"the image ended: {self.trace[-_QUOTED:].decode(errors='replace')}")
        if number == CONSOLE:
            return [(link.CONSOLE, data)]
        if number == TRACE:
            self.trace += data
        if number in (CLOCK, TRACE):
            return []
        said = []
        for _, payload in self._records[number].feed(data):
            if number == RADIO:
                self._uplink(payload)
            elif payload[:1] == ASKS:
                self._sense()
            else:
                said.append((link.FIELD, payload))
        return said

    def tell(self, record: bytes) -> None:
        """Hand over one record."""
        if record[0] == link.FIELD and record[_HEAD : _HEAD + 1] == b"P":
            self._count = int.from_bytes(record[_HEAD + 1 :], "big")
            self._counter.write_bytes(record[_HEAD + 1 :])
        self._write(RADIO if record[0] == link.RADIO else FIELD, record)

    def type(self, data: bytes) -> None:
        """Bytes for its service port."""
        self._write(CONSOLE, data)

    # ----------------------------------------------------------------------------------------------------------------

    def _write(self, uart: int, data: bytes) -> None:
        try:
            self.machine.uarts[uart].sendall(data)
        except OSError:
            raise MeterFailed("the image's wires are dead") from None

    def _sense(self) -> None:
        for record in (
            link.real_time(int(time.time()), True), link.battery(BATTERY_MV), link.tamper(False),
            link.pulses(self._count),
        ):  # fmt: skip
            self._write(FIELD, record)

    def _uplink(self, frame: bytes) -> None:
        meter_id = self._eeprom.meter_id()
        if meter_id is not None:
            try:
                self._air.send(_DATAGRAM + meter_id + frame)
            except OSError:
                pass  # as with any radio, a frame may be lost

    def _downlink(self) -> None:
        try:
            datagram = self._air.recv(_DATAGRAM_MAX)
        except OSError:
            return  # nobody listens at the other end just now
        if datagram[:1] == _DATAGRAM and datagram[1 : 1 + _ID_BYTES] == self._eeprom.meter_id():
            self.tell(link.record(link.RADIO, datagram[1 + _ID_BYTES :]))
