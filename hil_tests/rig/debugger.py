"""A debugger's hand inside the processor, by QEMU's GDB stub: just enough to break a running program for real."""

from __future__ import annotations

import select
import socket

from simulator.meter_process import MeterFailed

# Thumb instructions, as they lie in memory.
LOOP_FOR_EVER = bytes.fromhex("fee7")  # b .
UNDEFINED = bytes.fromhex("00de")  # udf #0

_ANSWERS_WITHIN_S = 10
_PROGRAM_COUNTER = 15
_REGISTER_BYTES = 4


class Debugger:
    """Speaks the remote serial protocol with a machine that is frozen."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._held = b""

    def program_counter(self) -> int:
        """The address of the next instruction."""
        at = _PROGRAM_COUNTER * _REGISTER_BYTES
        registers = bytes.fromhex(self._ask("g")[: 2 * (at + _REGISTER_BYTES)])
        return int.from_bytes(registers[at:], "little")

    def write_memory(self, address: int, data: bytes) -> None:
        """Change memory, program or data."""
        answer = self._ask(f"M{address:x},{len(data):x}:{data.hex()}")
        if answer != "OK":
            raise MeterFailed(f"the debugger could not write at {address:#x}: {answer}")

    def _ask(self, command: str) -> str:
        """One command and its answer; what the stub says unasked, as that the machine has stopped, is passed over."""
        self._line.sendall(_packet(command))
        while True:
            answer = self._next_packet()
            self._line.sendall(b"+")
            if not answer.startswith(("T", "S")):
                return answer

    def _next_packet(self) -> str:
        while True:
            _, _, rest = self._held.partition(b"$")
            body, end, check = rest.partition(b"#")
            if end and len(check) >= 2:
                self._held = check[2:]
                return body.decode()
            ready = select.select([self._line], [], [], _ANSWERS_WITHIN_S)[0]
            data = self._line.recv(65536) if ready else b""
            if not data:
                raise MeterFailed("QEMU's debugger does not answer")
            self._held += data


def _packet(command: str) -> bytes:
    return f"${command}#{sum(command.encode()) & 0xFF:02x}".encode()
