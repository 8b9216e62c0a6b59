"""The rig of the firmware's own tests (tests/firmware/rig.py) with the image on it: their stories, checkers and judges
run on the image as they are.

The flash is made by the meter as a process, as all that those tests provision is, and grows to the image's chip. Power
can also go by the wall clock, while the image works: then `in_flight` says what its flash was doing.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.image.elf import Image
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.qemu import FIELD, RADIO, STATUS_AT
from simulator import link
from simulator.meter_process import Spoken
from tests.firmware.rig import PowerCut, Rig

_OPERATIONS = {0: "idle", 1: "programming", 2: "erasing"}
_OPERATION_AT = STATUS_AT + 4
_CHUNK = 65536
MeterOf = Callable[[Path, str], ImageMeter]  # (flash file, provisioning in hex) -> an image without power


class RigOnImage(Rig):
    """A Rig whose meter is the image. `in_flight` counts what the flash was at when the power went by the wall."""

    def __init__(self, build: Path, folder: Path, meter_of: MeterOf, **identity: Any) -> None:
        super().__init__(build, folder, **identity)
        self._first = Rig(build, folder, **identity)
        self.image = meter_of(self.flash, self.provision.hex())
        self.in_flight: Counter[str] = Counter()
        self._pace: dict[int, int] = {}

    def paces_flash(self, elf: Image, program_us: int, erase_us: int) -> None:
        """While it works towards a kill, its flash takes that long for 16 bytes programmed and for 256 erased."""
        self._pace = {elf.address("program_step_us"): program_us, elf.address("erase_step_us"): erase_us}

    def __exit__(self, *_: object) -> None:
        self.image.dispose()

    def start(self, *arguments: str, provision: bool = True, inputs: tuple[bytes, ...] = ()) -> RigOnImage:
        """Power on. A meter without a flash is provisioned first, as a process that lives for an instant."""
        assert not arguments
        if provision and not self.flash.exists():
            with self._first as process:
                process.start()
        self.booted_s = self.now_s
        self.image.switch_on()
        return self.advance(*inputs, *self._sensed())

    def start_and_kill(self, *, after_s: float) -> None:
        """Power on, and off again so long, by the wall clock, after it got its inputs."""
        self.booted_s = self.now_s
        self.image.switch_on()
        self._slow_down()
        began = time.monotonic()
        self.image.grant(self._now_us(), self._sensed())
        self._cut_at(began + after_s)

    def kill(self) -> None:
        """Cut its power."""
        self.image.kill()

    def kill_at_work(self, *records: bytes, after_s: float) -> None:
        """Hand over records, let the meter work, and cut the power by the wall clock, wherever it is just then."""
        self._slow_down()
        began = time.monotonic()
        self.image.grant(self._now_us(), records)
        self._cut_at(began + after_s)

    def advance(self, *records: bytes) -> RigOnImage:
        """Hand over records and let the meter work until it is idle at this instant."""
        self._take(self.image.advance(self._now_us(), records))
        while self.pending:
            answers, self.pending = self.pending, []
            self._take(self.image.advance(self._now_us(), answers))
        return self

    def _slow_down(self) -> None:
        for address, microseconds in self._pace.items():
            self.image.machine.write_memory(address, microseconds.to_bytes(4, "little"))

    def _sensed(self) -> list[bytes]:
        clock = link.real_time(self.now_s + self.rtc_error_s, self.rtc_valid)
        return [link.pulses(self.count), link.battery(self.battery_mv), clock]

    def _take(self, spoken: Spoken) -> None:
        self.wait = link.Wait(0, spoken.deadline_us, 0, 0)
        for frame in spoken.frames:
            self._said(link.RADIO, frame)
        for payload in spoken.field:
            self._said(link.FIELD, payload)
        if spoken.console:
            self._said(link.CONSOLE, spoken.console)
        if spoken.cut:
            raise PowerCut

    def _cut_at(self, moment_s: float) -> None:
        """Cut the power, and hear what the meter had said by then: the customer and the headend have heard it too."""
        time.sleep(max(0.0, moment_s - time.monotonic()))
        ends = {uart: self.image.machine.uarts[uart].dup() for uart in (RADIO, FIELD)}
        self.image.kill()
        for uart, end in ends.items():
            with end:
                records = link.Records()
                for _, payload in records.feed(_rest(end)):
                    self._said(uart, payload)
        self.pending = []
        with self.flash.open("rb") as file:
            file.seek(_OPERATION_AT)
            self.in_flight[_OPERATIONS[int.from_bytes(file.read(4), "little")]] += 1


def _rest(end: socket.socket) -> bytes:
    """All that a dead machine said on this line. It may have died with bytes unread: then the line was cut."""
    said = b""
    try:
        while data := end.recv(_CHUNK):
            said += data
    except ConnectionResetError:
        pass
    return said
