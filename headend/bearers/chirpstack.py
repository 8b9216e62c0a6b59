"""Frames over LoRaWAN by a ChirpStack v4 network server: its HTTP integration in, its REST API out.

In: POST /v1/chirpstack?event=up with the JSON of the integration. ChirpStack asks once and never again, gives up after
five seconds, and reads the device's queue 100 ms after it has published the uplink; so an uplink is answered as soon as
it is durable, and what there is to say is put into the queue at once. The other events need no act of ours: what they
could tell (a queue that was dropped at a join, an item that expired or was too long) shows in the meter's next echo.

Out: the queue of a device holds one answer at most. It is emptied before it is filled: an older statement that waits
there is worth nothing beside the newer one, and what is lost is said again after the next uplink (DESIGN §6).
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import aiohttp
import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from headend.bearers.http import BodyRefused, problem
from headend.bearers.udp import no_one_listens
from headend.clock import Clock
from headend.downlink.reply import Reply, seal
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Bearer, Received, Signal
from headend.meters.radio import meter_of
from headend.storage.writer import Tx, Writer

PATH = "/v1/chirpstack"
F_PORT = 10
BODY_BYTES_MAX = 256 * 1024
EVENTS = ("up", "join", "ack", "txack", "log", "status", "location", "integration")
WAITING_MAX = 1_000
# Answers that wait for the network server, and how many are sent at a time.
QUEUED_MAX = 10_000
LANES = 8
CALL_S = 5

log = structlog.get_logger(__name__)


class DeviceInfo(msgspec.Struct, rename="camel"):
    """Who sent it, as the network server knows it."""

    dev_eui: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{16}(?![\s\S])")]


class Up(msgspec.Struct, rename="camel"):
    """What we read of an uplink event; ChirpStack sends more. `data` is the FRMPayload in base64."""

    device_info: DeviceInfo
    f_port: int = 0
    data: str = ""
    rx_info: Any = None
    tx_info: Any = None


class Api:
    """The queue of a device, through ChirpStack's REST proxy.

    Fields go by their names in the protocol buffers (`f_port`), which every reader of their JSON takes.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Grpc-Metadata-Authorization": f"Bearer {token}"}

    async def close(self) -> None:
        await self._session.close()

    async def replace(self, dev_eui: str, frames: list[bytes]) -> None:
        """Empty the queue and put these frames into it, in order. Raises aiohttp.ClientError or TimeoutError."""
        queue = f"{self._url}/api/devices/{dev_eui}/queue"
        await self._call("DELETE", queue, None)
        for frame in frames:
            item = {"confirmed": False, "f_port": F_PORT, "data": base64.b64encode(frame).decode()}
            await self._call("POST", queue, {"queue_item": {"dev_eui": dev_eui, **item}})

    async def _call(self, method: str, url: str, body: Any) -> None:
        timeout = aiohttp.ClientTimeout(total=CALL_S)
        async with self._session.request(method, url, json=body, headers=self._headers, timeout=timeout) as response:
            response.raise_for_status()


@dataclass(slots=True)
class Outbox:
    """Answers on their way to the network server; those to one device stay in their order."""

    api: Api
    lanes: list[asyncio.Queue[Reply]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    sent: int = 0
    failed: int = 0

    def start(self) -> None:
        self.lanes = [asyncio.Queue(QUEUED_MAX // LANES) for _ in range(LANES)]
        self.tasks = [asyncio.create_task(self._work(lane)) for lane in self.lanes]

    def push(self, reply: Reply) -> None:
        """Send a reply soon. One that finds no room is dropped: the next uplink asks again."""
        if reply.bearer != Bearer.LORAWAN or reply.address is None:
            return
        try:
            self.lanes[reply.meter_id[-1] % LANES].put_nowait(reply)
        except asyncio.QueueFull:
            self.failed += 1

    async def close(self) -> None:
        """Send what waits, for as long as a call may take, and stop."""
        if self.lanes:
            await asyncio.wait([asyncio.create_task(lane.join()) for lane in self.lanes], timeout=CALL_S)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.api.close()

    async def _work(self, lane: asyncio.Queue[Reply]) -> None:
        while True:
            reply = await lane.get()
            assert reply.address is not None
            try:
                await self.api.replace(reply.address, seal(reply))
                self.sent += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                self.failed += 1
                log.warning("chirpstack_unreachable", dev_eui=reply.address, error=repr(error)[:200])
            finally:
                lane.task_done()


@dataclass(slots=True)
class ChirpStackBearer:
    """The handler of the integration's events. `heard` is called after each commit."""

    writer: Writer
    ingest: Ingest
    clock: Clock
    outbox: Outbox
    heard: Callable[[Received, Answer], None] = no_one_listens
    waiting: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        """One event: 204 once it is durable or needs no act, 4xx for what is no event, 503 when too many wait."""
        try:
            event = request.query.get("event", "")
            if event not in EVENTS:
                raise BodyRefused(400, "event", f"name the event in the address: one of {', '.join(EVENTS)}")
            if event != "up":
                return web.Response(status=204)
            dev_eui, frame, signal = read_up(await _body(request))
        except BodyRefused as refused:
            return problem(refused)
        if frame is None:
            return web.Response(status=204)
        if self.waiting >= WAITING_MAX:
            return web.Response(status=503, headers={"Retry-After": "1"})
        self.waiting += 1
        try:
            await self._take(dev_eui, frame, signal)
        finally:
            self.waiting -= 1
        return web.Response(status=204)

    async def _take(self, dev_eui: str, frame: bytes, signal: Signal | None) -> None:
        at_us = self.clock.unix_us()

        def job(tx: Tx) -> tuple[Received, Answer] | None:
            meter_id = meter_of(tx, bytes.fromhex(dev_eui))
            if meter_id is None:
                return None
            received = Received(meter_id, frame, Bearer.LORAWAN, dev_eui, at_us, signal)
            return received, self.ingest.receive(tx, received)

        taken = await self.writer.submit(job)
        if taken is None:
            log.info("radio_unknown", dev_eui=dev_eui)
            return
        received, answer = taken
        if answer.refusal is not None:
            log.info("uplink_refused", meter_id=received.meter_id.hex(), refusal=answer.refusal.name.lower())
        if answer.reply is not None:
            self.outbox.push(answer.reply)
        self.heard(received, answer)


def read_up(body: bytes) -> tuple[str, bytes | None, Signal | None]:
    """(DevEUI, frame, signal) of an uplink event; no frame where the port is another application's. Raises
    BodyRefused."""
    try:
        event = msgspec.json.decode(body, type=Up)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BodyRefused(400, "uplink-event", f"{wrong}: send the integration's JSON, not protobuf") from None
    dev_eui = event.device_info.dev_eui.lower()
    if event.f_port != F_PORT:
        return dev_eui, None, None
    try:
        return dev_eui, base64.b64decode(event.data, validate=True), signal_of(event.rx_info, event.tx_info)
    except ValueError:  # binascii.Error is one, and so is what is no ASCII at all
        raise BodyRefused(400, "data", "send the payload in base64") from None


def signal_of(rx_info: Any, tx_info: Any) -> Signal | None:
    """How the gateway heard it that heard it best; None where the event does not tell."""
    heard = [one for one in rx_info if isinstance(one, dict)] if isinstance(rx_info, list) else []
    # What is zero is left out of the JSON.
    pairs = [(one.get("snr", 0), one.get("rssi", 0)) for one in heard]
    lora: Any = tx_info
    for name in ("modulation", "lora"):
        lora = lora.get(name) if isinstance(lora, dict) else None
    factor = lora.get("spreadingFactor") if isinstance(lora, dict) else None
    numbers = [value for pair in pairs for value in pair]
    if not pairs or not isinstance(factor, int) or not all(_is_decibels(value) for value in numbers):
        return None
    snr, rssi = max(pairs)
    return Signal(round(rssi), round(snr * 10), factor)


def _is_decibels(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1000


async def _body(request: web.Request) -> bytes:
    """The body, never more than an event needs."""
    if request.content_type != "application/json":
        raise BodyRefused(415, "content-type", "set the integration's payload marshaler to JSON")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > BODY_BYTES_MAX:
            raise BodyRefused(413, "body-too-long", f"send at most {BODY_BYTES_MAX} bytes")
    return bytes(raw)
