"""One firmware image in one QEMU: its power button, its UARTs, its flash and what lies on its I2C bus.

The flash is a 16 MB file shared with the machine, so a power cut is SIGKILL: what was programmed stays, torn or not,
and nothing has to be dumped (docs/adr/0060). UARTs and the monitor are socket pairs made before QEMU starts: every byte
the image says from its first instruction on is heard, there is no path to clean up, and both ends die together.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from simulator.meter_process import MeterFailed

from .debugger import Debugger

QEMU = "qemu-system-arm"
UARTS = 5
CONSOLE, RADIO, FIELD, CLOCK, TRACE = range(UARTS)

FLASH_BYTES = 16 << 20
FILES_BYTES = 1 << 20  # what the meter's file system uses; byte for byte the unix meter's flash file
SLOTS_AT, SLOTS_BYTES = 2 << 20, 1 << 20  # two slots for updates
STATUS_AT = 0xF00000
EEPROM_BYTES = 4096

_STRAP_AT, _LOCK_STEP = 0x20040000, 0x53494D31
_INSTRUCTION_NS_SHIFT = 5  # 2^5 ns an instruction: about 31 MIPS
_ANSWERS_WITHIN_S = 10
_LOCKED_FOR_S = 2
_SILENT_FD = "nic lan9118.0 has no peer"  # the board's network chip, which the image does not use
_PR_SET_PDEATHSIG = 1


class FlashStatus(NamedTuple):
    """What the flash driver notes of itself at STATUS_AT: what is in flight, and how much there was."""

    magic: int
    operation: int
    address: int
    length: int
    operations: int
    erases: int
    violations: int


class Machine:
    """A microcontroller with power or without. `flash` and `eeprom` are made when they do not exist.

    `lock_step`: time is granted over UART3 by whoever holds `uarts[CLOCK]`; otherwise it is the wall's. `counted`:
    every instruction takes 32 ns, so that the processor's own time is exact and repeatable. `terminal`: the console is
    a pseudo-terminal, named by `terminal_port()`, instead of `uarts[CONSOLE]`.
    """

    def __init__(
        self,
        image: Path,
        flash: Path,
        eeprom: Path,
        *,
        lock_step: bool = True,
        counted: bool = False,
        terminal: bool = False,
    ) -> None:
        self.flash = flash
        self.uarts: tuple[socket.socket, ...] = ()
        self.events: list[dict[str, Any]] = []
        self._image, self._eeprom = image, eeprom
        self._lock_step, self._counted, self._terminal = lock_step, counted, terminal
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = TemporaryFile()  # noqa: SIM115 - lives as long as the machine
        self._monitor: socket.socket | None = None
        self._debugger: socket.socket | None = None
        self._monitor_held = b""
        self._resets_seen = 0

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self._process is not None

    @property
    def process_id(self) -> int:
        """The process that it is while it has power."""
        assert self._process is not None
        return self._process.pid

    def power_on(self, unix_s: int | None = None) -> None:
        """Give it power. `unix_s`: what its clock chip shows; by default the wall's time."""
        assert self._process is None
        self.make_chips()
        ends = [socket.socketpair() for _ in range(UARTS + 2)]
        theirs = [pair[1] for pair in ends]
        self.uarts = tuple(pair[0] for pair in ends[:UARTS])
        self._monitor, self._debugger = (pair[0] for pair in ends[UARTS:])
        self.events, self._monitor_held, self._resets_seen = [], b"", 0
        try:
            command = self._command([end.fileno() for end in theirs], int(time.time()) if unix_s is None else unix_s)
            with self.flash.open("r+b") as lock:
                self._lock(lock.fileno())
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    pass_fds=[*(end.fileno() for end in theirs), lock.fileno()],
                    preexec_fn=_die_with_the_rig,
                    process_group=0,  # Ctrl-C is for the rig, which then switches the machine off
                )
        except MeterFailed:
            self._hang_up()
            raise
        finally:
            for end in theirs:
                end.close()
        self._receive_until("QMP")
        self.ask("qmp_capabilities")
        self.ask("cont")

    def cut(self) -> None:
        """Cut the power: SIGKILL, nothing is flushed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._hang_up()

    def dispose(self) -> None:
        """Cut the power for good."""
        self.cut()
        self._errors.close()

    def freeze(self) -> None:
        """Stop the processor and its clocks between two instructions."""
        self.ask("stop")

    def thaw(self) -> None:
        """Let it go on from there."""
        self.ask("cont")

    def reset(self) -> None:
        """Pull the reset pin. What stands in the UARTs of the old life stays readable."""
        self.ask("system_reset")

    def set_temperature(self, tenths_c: int) -> None:
        """Let the thermometer on the bus read that many tenths of a degree Celsius."""
        self.ask("qom-set", path="/machine/peripheral/thermometer", property="temperature", value=tenths_c * 100)

    def break_program(self, instruction: bytes) -> None:
        """Put an instruction where the processor is just now. It stays until the next reset loads the image again."""
        assert self._debugger is not None
        self.freeze()
        line = Debugger(self._debugger)
        line.write_memory(line.program_counter(), instruction)
        self.thaw()

    def write_memory(self, address: int, data: bytes) -> None:
        """Change its memory between two instructions."""
        assert self._debugger is not None
        self.freeze()
        Debugger(self._debugger).write_memory(address, data)
        self.thaw()

    def program_counter(self) -> int:
        """Where the processor is just now."""
        assert self._debugger is not None
        self.freeze()
        address = Debugger(self._debugger).program_counter()
        self.thaw()
        return address

    def read_word(self, address: int) -> int:
        """One word of its memory."""
        told = self.ask("human-monitor-command", **{"command-line": f"xp /1xw {address:#x}"})
        return int(told.split(":")[1], 16)

    def terminal_port(self) -> str:
        """The name of the pseudo-terminal that the console is on."""
        return next(device["filename"] for device in self.ask("query-chardev") if device["label"] == f"u{CONSOLE}")[4:]

    def resets(self) -> list[str]:
        """Why the processor was reset since power-on, in QEMU's words (`guest-reset`, `host-qmp-system-reset`)."""
        self.ask("query-status")
        return [event["data"]["reason"] for event in self.events if event["event"] == "RESET"]

    def was_reset(self) -> bool:
        """Whether the processor was reset since this was last asked."""
        seen, self._resets_seen = self._resets_seen, len(self.resets())
        return self._resets_seen > seen

    def flash_status(self) -> FlashStatus:
        """The driver's note on the flash, readable with and without power."""
        with self.flash.open("rb") as file:
            file.seek(STATUS_AT)
            note = file.read(4 * len(FlashStatus._fields))
        return FlashStatus(*(int.from_bytes(note[at : at + 4], "little") for at in range(0, len(note), 4)))

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command of QEMU's monitor (QMP) and its answer."""
        assert self._monitor is not None
        asked = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._monitor.sendall(json.dumps(asked).encode() + b"\n")
        return self._receive_until("return")["return"]

    def failed(self, what: str) -> MeterFailed:
        """Switch off and say what went wrong, with QEMU's last words."""
        self.cut()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return MeterFailed(f"{what}. {' '.join(line for line in lines if _SILENT_FD not in line)}".strip())

    # ----------------------------------------------------------------------------------------------------------------

    def _hang_up(self) -> None:
        for end in (*self.uarts, self._monitor, self._debugger):
            if end is not None:
                end.close()

    def _command(self, fds: list[int], unix_s: int) -> list[str]:
        moment = datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        command = [
            _qemu(),
            *("-machine", "mps2-an385,memory-backend=flash", "-kernel", str(self._image)),
            *("-object", f"memory-backend-file,id=flash,size={FLASH_BYTES},mem-path={self.flash},share=on"),
            *("-display", "none", "-monitor", "none", "-nodefaults", "-S"),
            *("-rtc", f"base={moment},clock=vm", "-device", "ds1338,address=0x68"),
            *("-device", "tmp105,id=thermometer,address=0x48"),
            *("-drive", f"if=none,id=eeprom,format=raw,file={self._eeprom}"),
            *("-device", f"at24c-eeprom,address=0x50,drive=eeprom,rom-size={EEPROM_BYTES}"),
            *("-chardev", f"socket,id=monitor,fd={fds[UARTS]}", "-mon", "chardev=monitor,mode=control"),
            *("-chardev", f"socket,id=debugger,fd={fds[UARTS + 1]}", "-gdb", "chardev:debugger"),
        ]
        for number in range(UARTS):
            line = "pty" if number == CONSOLE and self._terminal else f"socket,fd={fds[number]}"
            command += ["-chardev", f"{line},id=u{number}", "-serial", f"chardev:u{number}"]
        if self._lock_step:
            command += ["-device", f"loader,addr={_STRAP_AT:#x},data={_LOCK_STEP:#x},data-len=4"]
        if self._counted:
            command += ["-icount", f"shift={_INSTRUCTION_NS_SHIFT}"]
        return command

    def make_chips(self) -> None:
        """An erased flash and an erased EEPROM where there is none yet; a unix meter's flash file grows to the chip."""
        if not self._image.is_file():
            raise MeterFailed(f"no image at {self._image}: build it with `make firmware`")
        size = self.flash.stat().st_size if self.flash.exists() else 0
        with self.flash.open("ab") as file:
            file.write(b"\xff" * (FILES_BYTES - size))
            if size <= SLOTS_AT:
                file.truncate(SLOTS_AT)
                file.write(b"\xff" * SLOTS_BYTES)
            file.truncate(FLASH_BYTES)
        if not self._eeprom.exists():
            self._eeprom.write_bytes(b"\xff" * EEPROM_BYTES)

    def _lock(self, descriptor: int) -> None:
        """Two machines on one flash would be one too many: the lock is QEMU's own and ends when it is truly dead."""
        until = time.monotonic() + _LOCKED_FOR_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > until:
                    raise MeterFailed(f"{self.flash} is the flash of another machine that still has power") from None
                time.sleep(0.01)

    def _receive_until(self, name: str) -> dict[str, Any]:
        """The next message of the monitor with that name; events that come before it are kept."""
        assert self._monitor is not None
        while True:
            line, end, rest = self._monitor_held.partition(b"\n")
            if end:
                self._monitor_held = rest
                message: dict[str, Any] = json.loads(line)
                if name in message:
                    return message
                if "error" in message:
                    raise self.failed(f"QEMU refused: {message['error']['desc']}")
                self.events.append(message)
                continue
            ready = select.select([self._monitor], [], [], _ANSWERS_WITHIN_S)[0]
            data = self._monitor.recv(65536) if ready else b""
            if not data:
                raise self.failed("QEMU ended" if ready else f"QEMU's monitor was silent for {_ANSWERS_WITHIN_S} s")
            self._monitor_held += data


def _qemu() -> str:
    found = which(QEMU)
    if found is None:
        raise MeterFailed(f"no {QEMU}: sudo apt-get install --no-install-recommends -y {QEMU}")
    return found


def _die_with_the_rig() -> None:
    """A rig that is killed takes its machines along (Linux; elsewhere they are killed by `cut` alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
