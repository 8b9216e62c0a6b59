"""CT-22: the same frame bytes over UDP, HTTP and ChirpStack make the same books, to the last hash of the chain."""

import asyncio
import base64
import json
import os
import random
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import cbor2
import pytest

from headend.app import running
from headend.clock import SimClock
from headend.meters.radio import set_radio
from headend.payments import providers
from headend.payments.signature import sign
from headend.settings import Address, ChirpStackSettings, Settings
from headend.storage.reader import Reader
from protocol.rules.calendar import slot_start
from protocol.wire.event_codes import BURST
from simulator.chirpstack import ChirpStack
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World

DEV_EUI = "70b3d57ed0000001"
TOKEN = "test-token-of-the-network-server"
DAYS = 3

Send = Callable[[bytes], Awaitable[list[bytes]]]


class Town:
    """A database with one meter and its radio, and what that meter says in three days: frames, and when."""

    def __init__(self, folder: Path) -> None:
        world = World(folder, random.Random(7))
        self.meter = world.add(1)
        world.writer.run(lambda tx: set_radio(tx, self.meter.meter_id, bytes.fromhex(DEV_EUI)))
        secret = world.writer.run(lambda tx: providers.add(tx, world.keyring, os.urandom, "wave", 100, 1_000_000))
        self.secret = secret
        world.close()
        self.folder = folder
        self.uplinks = [*self._uplinks(self.meter)]

    def _uplinks(self, meter: VirtualMeter) -> list[tuple[int, bytes]]:
        at_s = slot_start(START_SLOT)
        said = [(at_s + 5, meter.anchor())]
        water = random.Random(3)
        for day in range(DAYS):
            meter.use([water.choice((0, 0, 0, 4, 11, 30)) for _ in range(48)])
            end_s = at_s + 86_400 * (day + 1)
            if day == 0:
                said.append((end_s + 1, meter.device()))
            said += [(end_s + 2, meter.report(48 * day, 48)), (end_s + 3, meter.poll())]
            said.append((end_s + 4, meter.event(BURST, day + 1, 700, end_s)))
        said.append((said[-1][0] + 1, meter.report(48, 30)))  # told again
        return [*said, (said[-1][0] + 1, said[2][1])]  # and one frame that comes twice


@pytest.fixture
def town(tmp_path: Path) -> Town:
    (tmp_path / "town").mkdir()
    return Town(tmp_path / "town")


class Dice:
    """The same salts in each run."""

    def __init__(self) -> None:
        self._random = random.Random(11)

    def __call__(self, count: int) -> bytes:
        return self._random.randbytes(count)


async def over_udp(stack: AsyncExitStack, url: str, udp: tuple[str, int], meter_id: bytes) -> Send:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: tuple[str, int]) -> None:
            assert data[:9] == b"\1" + meter_id
            heard.put_nowait(data[9:])

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Client, remote_addr=udp)
    stack.callback(transport.close)

    async def rest() -> list[bytes]:
        """What is still on its way: the frames of one answer leave together."""
        await asyncio.sleep(0.05)
        return [heard.get_nowait() for _ in range(heard.qsize())]

    async def send(frame: bytes) -> list[bytes]:
        pushed = await rest()
        transport.sendto(b"\1" + meter_id + frame)
        return [*pushed, await asyncio.wait_for(heard.get(), 5), *await rest()]

    return send


async def over_http(stack: AsyncExitStack, url: str, _udp: tuple[str, int], meter_id: bytes) -> Send:
    session = await stack.enter_async_context(aiohttp.ClientSession())

    async def send(frame: bytes) -> list[bytes]:
        body = cbor2.dumps([[meter_id, frame]])
        async with session.post(url + "/v1/uplinks", data=body, headers={"content-type": "application/cbor"}) as answer:
            assert answer.status == 200
            return [downlink for _, downlink in cbor2.loads(await answer.read())]

    return send


async def live(town: Town, folder: Path, carrier: str) -> tuple[list[str], list[bytes]]:
    """Three days over one carrier, on a copy of the town; returns (hashes of the chain, downlinks)."""
    shutil.copytree(town.folder, folder)
    clock = SimClock(slot_start(START_SLOT) * 1_000_000)
    here = Address("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        network = ChirpStack(TOKEN)
        api_url = await network.start()
        stack.push_async_callback(network.close)
        token_file = folder / "token"
        token_file.write_text(TOKEN)
        token_file.chmod(0o600)
        files = (folder / "books.db", folder / "keys")
        settings = Settings(*files, here, here, "sim", "sim", chirpstack=ChirpStackSettings(api_url, token_file))
        started = await stack.enter_async_context(running(settings, clock, Dice(), 1))
        url = f"http://127.0.0.1:{started.http[1]}"
        network.integrate(url + "/v1/chirpstack")
        if carrier == "chirpstack":

            async def send(frame: bytes) -> list[bytes]:
                downlink = await network.uplink(DEV_EUI, frame)
                return [] if downlink is None else [downlink]
        else:
            assert started.udp is not None
            over = {"udp": over_udp, "http": over_http}[carrier]
            send = await over(stack, url, started.udp, town.meter.meter_id)
        downlinks = []
        for index, (at_s, frame) in enumerate(town.uplinks):
            clock.set(at_s * 1_000_000)
            downlinks += await send(frame)
            if index == 3:
                await pay(url, town, at_s)
                if carrier == "chirpstack":
                    # Queued when the payment commits: an answer to the next uplink would miss its receive window.
                    await asyncio.sleep(0.2)
                    assert len(network.queues[DEV_EUI]) == 1
        assert network.refused == 0
    reader = Reader(folder / "books.db")
    hashes = reader.read(lambda c: [row[0].hex() for row in c.exec_driver_sql("SELECT hash FROM batch ORDER BY id")])
    reader.close()
    return hashes, downlinks


async def pay(url: str, town: Town, at_s: int) -> None:
    """500 F CFA by the provider's callback: a statement is pushed where there is a way to push."""
    body = json.dumps(
        {
            "transaction_id": "TX1",
            "account": town.meter.number,
            "amount": 500,
            "currency": "XOF",
            "paid_at": "2026-11-03T00:00:00Z",
        }
    ).encode()
    secret = base64.b64decode(town.secret.removeprefix("whsec_"))
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(secret, "msg_1", at_s, body),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + "/biller/v1/wave/notify", data=body, headers=headers) as answer,
    ):
        assert (answer.status, (await answer.json())["outcome"]) == (200, "credited")


async def test_the_same_frames_make_the_same_ledger_hash_over_every_carrier(town: Town, tmp_path: Path) -> None:
    """CT-22: one meter's three days, a payment among them, over UDP, HTTP and ChirpStack."""
    hashes = {}
    for carrier in ("udp", "http", "chirpstack"):
        hashes[carrier], downlinks = await live(town, tmp_path / carrier, carrier)
        assert downlinks
        meter = VirtualMeter(town.meter.record)
        for frame in downlinks:
            meter.hear_frame(frame)  # each is a frame that this meter opens
        assert (meter.credited_mills, meter.acked_slot) == (500_000, START_SLOT + 48 * DAYS), carrier
    assert len(hashes["udp"]) > len(town.uplinks)
    assert hashes["udp"] == hashes["http"] == hashes["chirpstack"]
