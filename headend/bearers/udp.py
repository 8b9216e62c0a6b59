"""Frames over UDP: `1 | meter_id 8 | frame` both ways, to and from the meter's last address.

A datagram is a task of its own: it waits for its commit and is then answered. Nothing is promised to a datagram, so
when too many wait, further ones are dropped: the meter sends again what was not acknowledged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import structlog

from headend.clock import Clock
from headend.downlink.reply import Reply, seal
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Bearer, Received
from headend.storage.writer import Writer
from protocol.wire.limits import FRAME_UP_MAX, METER_ID_LENGTH, OVERHEAD

DATAGRAM_VERSION = 1
WAITING_MAX = 5_000

_HEAD = 1 + METER_ID_LENGTH

log = structlog.get_logger(__name__)


def no_one_listens(_received: Received, _answer: Answer) -> None:
    """The default listener."""


@dataclass(slots=True)
class UdpBearer(asyncio.DatagramProtocol):
    """One open port. `heard` is called after each commit, with what came and what became of it."""

    writer: Writer
    ingest: Ingest
    clock: Clock
    heard: Callable[[Received, Answer], None] = no_one_listens
    transport: asyncio.DatagramTransport | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    dropped: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # On Python 3.11 the event loop's own transport does not inherit from the class it implements.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        received = read_datagram(data, address, self.clock.unix_us())
        if received is None or len(self.tasks) >= WAITING_MAX:
            self.dropped += 1
            return
        task = asyncio.get_running_loop().create_task(self._take(received))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def push(self, reply: Reply) -> None:
        """Send a reply to its address; one without an address, or of another bearer, is left to the next uplink."""
        if self.transport is None or self.transport.is_closing():
            return
        if reply.bearer == Bearer.UDP and reply.address is not None:
            address = parse_address(reply.address)
            for frame in seal(reply):
                self.transport.sendto(bytes([DATAGRAM_VERSION]) + reply.meter_id + frame, address)

    @property
    def port(self) -> int:
        """The port that is open, also when 0 was asked for."""
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    async def close(self) -> None:
        """Stop listening; what is on its way to the books still gets there and is answered."""
        if self.tasks:
            await asyncio.wait(set(self.tasks))
        if self.transport is not None:
            self.transport.close()

    async def _take(self, received: Received) -> None:
        try:
            answer = await self.writer.submit(lambda tx: self.ingest.receive(tx, received))
        except Exception:
            log.exception("uplink_failed", meter_id=received.meter_id.hex())
            return
        if answer.refusal is not None:
            log.info("uplink_refused", meter_id=received.meter_id.hex(), refusal=answer.refusal.name.lower())
        if answer.reply is not None:
            self.push(answer.reply)
        self.heard(received, answer)


def read_datagram(data: bytes, address: tuple[str, int], at_us: int) -> Received | None:
    """What a datagram holds, or None if it cannot be a frame."""
    if not _HEAD + OVERHEAD <= len(data) <= _HEAD + FRAME_UP_MAX or data[0] != DATAGRAM_VERSION:
        return None
    return Received(data[1:_HEAD], data[_HEAD:], Bearer.UDP, f"{address[0]} {address[1]}", at_us)


def parse_address(address: str) -> tuple[str, int]:
    """The inverse of how an address is kept: host and port, parted by a blank (an IPv6 host has colons)."""
    host, port = address.rsplit(" ", 1)
    return host, int(port)


async def serve_udp(
    writer: Writer,
    ingest: Ingest,
    clock: Clock,
    host: str,
    port: int,
    heard: Callable[[Received, Answer], None] = no_one_listens,
) -> UdpBearer:
    """Listen for meters on host and port (0: any free one)."""
    loop = asyncio.get_running_loop()
    _, bearer = await loop.create_datagram_endpoint(
        lambda: UdpBearer(writer, ingest, clock, heard), local_addr=(host, port)
    )
    return bearer
