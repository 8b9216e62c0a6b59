"""A stand-in for a ChirpStack v4 network server: what a headend sees of it, and no more.

It publishes uplinks to the HTTP integration (`POST URL?event=up`, protobuf-JSON with every field present, one try, five
seconds), keeps a first-in-first-out downlink queue per device behind the REST proxy's addresses, and sends at most one
item of it per uplink, 100 ms after it has published. An item too long for the data rate is deleted with a log event,
an unconfirmed one leaves the queue when it is sent. Facts: ChirpStack's integration and device protocol buffers.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections import defaultdict, deque
from typing import Any

import aiohttp
from aiohttp import web

PUBLISH_S = 5
QUEUE_DELAY_S = 0.1
# N of EU868 at its slowest data rate.
PAYLOAD_MAX = 51


class ChirpStack:
    """One network server with one application. `token` is what its REST API wants."""

    def __init__(self, token: str, payload_max: int = PAYLOAD_MAX) -> None:
        self.token = token
        self.payload_max = payload_max
        self.queues: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self.refused = 0
        self.f_cnt: dict[str, int] = defaultdict(int)
        self._integration = ""
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> str:
        """Listen on a free port of this machine; returns the URL of the REST API."""
        app = web.Application(middlewares=[self._authorised])
        app.router.add_post("/api/devices/{dev_eui}/queue", self._enqueue)
        app.router.add_delete("/api/devices/{dev_eui}/queue", self._flush)
        app.router.add_get("/api/devices/{dev_eui}/queue", self._list)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    def integrate(self, url: str) -> None:
        """Where the HTTP integration publishes events."""
        self._integration = url

    async def close(self) -> None:
        assert self._session is not None and self._runner is not None
        await self._session.close()
        await self._runner.cleanup()

    async def uplink(self, dev_eui: str, frame: bytes, f_port: int = 10) -> bytes | None:
        """A device sends; returns the downlink that its receive window gets, if any."""
        event = self._up(dev_eui, frame, f_port)
        self.f_cnt[dev_eui] += 1
        await self.publish("up", event)
        await asyncio.sleep(QUEUE_DELAY_S)
        queue = self.queues[dev_eui]
        while queue:
            item = queue.popleft()
            data = base64.b64decode(item["data"])
            if len(data) <= self.payload_max:
                return data
            await self.publish("log", self._log(dev_eui, item))
        return None

    async def publish(self, event: str, body: dict[str, Any]) -> int | None:
        """Tell the integration; the status of its answer, None where it gave none. There is no second try."""
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=PUBLISH_S)
        try:
            async with self._session.post(
                self._integration, params={"event": event}, json=body, timeout=timeout
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def device_info(self, dev_eui: str) -> dict[str, Any]:
        """Who a device is, as each event says it."""
        names = {
            "tenantName": "utility",
            "applicationName": "meters",
            "deviceProfileName": "meter",
            "deviceName": dev_eui,
        }
        ids = {"tenantId": _id("tenant"), "applicationId": _id("meters"), "deviceProfileId": _id("meter")}
        return {**ids, **names, "devEui": dev_eui, "deviceClassEnabled": "CLASS_A", "tags": {}}

    def _up(self, dev_eui: str, frame: bytes, f_port: int) -> dict[str, Any]:
        return {
            "deduplicationId": _id(f"{dev_eui}/{self.f_cnt[dev_eui]}"),
            "time": "2026-01-01T00:00:00+00:00",
            "deviceInfo": self.device_info(dev_eui),
            "devAddr": "00000000",
            "adr": True,
            "dr": 0,
            "fCnt": self.f_cnt[dev_eui],
            "fPort": f_port,
            "confirmed": False,
            "data": base64.b64encode(frame).decode(),
            "object": None,
            "rxInfo": [{"gatewayId": "0000000000000001", "rssi": -117, "snr": -4.5}],
            "txInfo": {"frequency": 868_100_000},
            "regionConfigId": "eu868",
        }

    def _log(self, dev_eui: str, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "deviceInfo": self.device_info(dev_eui),
            "level": "ERROR",
            "code": "DOWNLINK_PAYLOAD_SIZE",
            "description": "Device queue-item discarded because it exceeds the max. payload size",
            "context": {"queue_item_id": item["id"]},
        }

    @web.middleware
    async def _authorised(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Grpc-Metadata-Authorization") != f"Bearer {self.token}":
            self.refused += 1
            return web.json_response({"code": 16, "message": "authentication failed", "details": []}, status=401)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _enqueue(self, request: web.Request) -> web.Response:
        dev_eui = request.match_info["dev_eui"]
        item = _snake((await request.json())["queue_item"])
        if item.get("dev_eui", dev_eui) != dev_eui or not 1 <= item["f_port"] <= 255:
            return web.json_response({"code": 3, "message": "FPort must be > 0", "details": []}, status=400)
        base64.b64decode(item["data"], validate=True)
        item["id"] = _id(f"{dev_eui}/{len(self.queues[dev_eui])}/{item['data']}")
        self.queues[dev_eui].append(item)
        return web.json_response({"id": item["id"]})

    async def _flush(self, request: web.Request) -> web.Response:
        self.queues[request.match_info["dev_eui"]].clear()
        return web.json_response({})

    async def _list(self, request: web.Request) -> web.Response:
        queue = self.queues[request.match_info["dev_eui"]]
        return web.json_response({"totalCount": len(queue), "result": list(queue)})


def _snake(item: dict[str, Any]) -> dict[str, Any]:
    """Protobuf-JSON takes a field by its JSON name or by its name in the protocol buffer."""
    names = {"devEui": "dev_eui", "fPort": "f_port", "expiresAt": "expires_at"}
    return {names.get(name, name): value for name, value in item.items()}


def _id(what: str) -> str:
    """A UUID that is the same in each run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, what))
