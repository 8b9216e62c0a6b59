"""Wall time: a real meter, a real UDP socket, a real kill."""

import os
import select
import socket
import subprocess
import time
from pathlib import Path

from firmware.provisioning import identity_record
from protocol.wire import cbor, window
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.messages import UP_ANCHOR, UP_EVENT, UP_POLL
from protocol.wire.uplinks import decode_up
from simulator import link
from tests.firmware.rig import HEAP, METER_ID, POLICY, ROOT, TARIFF, Books, interpreter, opening

DATAGRAM_HEAD = b"\x01" + METER_ID


class Wall:
    """A meter in real time, its headend's socket, and its stdin."""

    def __init__(self, device: Path, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)
        self.device, self.flash, self.books = device, folder / "flash.bin", Books()

    def start(self) -> None:
        port = self.socket.getsockname()[1]
        command = [interpreter(), "-X", HEAP, "-m", "main", "--flash", str(self.flash), "--udp", f"127.0.0.1:{port}"]
        if not self.flash.exists():
            record = identity_record(METER_ID, ROOT, 1, opening=opening(500), tariff=TARIFF, policy=POLICY).hex()
            for at in range(0, len(record), 200):
                command += ["--provision", record[at : at + 200]]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=self.device, stdin=pipe, stdout=pipe, bufsize=0)
        self.records = link.Records()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def tell(self, record: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(record)

    def hear(self, wanted: int) -> object:
        """The next uplink of a type."""
        while True:
            datagram, self.address = self.socket.recvfrom(300)
            assert datagram.startswith(DATAGRAM_HEAD)
            frame = datagram[len(DATAGRAM_HEAD) :]
            for counter in window.candidates(self.books.window, read_header(frame).seq, 1):
                plaintext = open_frame(self.books.keys, UP, frame, counter)
                if plaintext is not None:
                    assert window.is_fresh(self.books.window, counter)
                    self.books.window = window.accept(self.books.window, counter)
                    if read_header(frame).type == wanted:
                        return decode_up(wanted, plaintext, 0)

    def motor_moves(self, command: int) -> None:
        """Wait until the board drives the motor that way."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 1)[0]:
                for channel, payload in self.records.feed(os.read(self.process.stdout.fileno(), 4096)):
                    if channel == link.FIELD and payload == b"M" + bytes((command,)):
                        return
        raise AssertionError("the motor never moved")

    def volume_l(self) -> int:
        self.tell(link.record(link.CONSOLE, cbor.encode_sequence([1, "read"])))
        assert self.process.stdout is not None
        while True:
            for channel, payload in self.records.feed(os.read(self.process.stdout.fileno(), 4096)):
                if channel == link.CONSOLE:
                    return int(cbor.decode_sequence(payload, items_max=100, bytes_max=1024)[1])


def test_a_meter_in_wall_time_closes_polls_and_opens_over_udp(device: Path, tmp_path: Path) -> None:
    """CT-01 in real time: dry, a press of the button, a STATEMENT back to the address it came from, water."""
    wall = Wall(device, tmp_path)
    try:
        wall.start()
        assert wall.hear(UP_ANCHOR).credited_mills == 500  # type: ignore[attr-defined]
        wall.tell(link.pulses(1))
        wall.motor_moves(link.MOTOR_CLOSE)
        wall.tell(link.button())
        wall.hear(UP_POLL)
        wall.socket.sendto(DATAGRAM_HEAD + wall.books.statement(9_000), wall.address)
        wall.motor_moves(link.MOTOR_OPEN)
        wall.hear(UP_EVENT)
        wall.stop()
        wall.start()  # the pulse counter is in its own file: nothing is counted again
        assert wall.volume_l() == 1
    finally:
        wall.stop()
        wall.socket.close()
