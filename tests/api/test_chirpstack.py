"""The ChirpStack bearer: what it takes, what it refuses, and what becomes of an answer."""

import asyncio
import json
import os
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headend.app import running
from headend.clock import SimClock
from headend.meters.radio import meter_of, set_radio
from headend.refusals import Code, Refused
from headend.settings import Address, ChirpStackSettings, Settings, SettingsRefused, chirpstack_of, read_token
from headend.storage.reader import Reader
from protocol.rules.calendar import slot_start
from simulator.chirpstack import ChirpStack
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World

DEV_EUI = "70b3d57ed0000001"
TOKEN = "test-token-of-the-network-server"


class Net:
    """A headend with one meter behind a network server."""

    def __init__(self, url: str, network: ChirpStack, meter: VirtualMeter, database: Path) -> None:
        self.url, self.network, self.meter, self.database = url, network, meter, database
        self.session = aiohttp.ClientSession()

    async def post(self, body: Any, event: str = "up", content_type: str = "application/json") -> tuple[int, str]:
        """An event as a stranger might send it: (status, text)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": content_type}
        async with self.session.post(f"{self.url}?event={event}", data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    def event(self, frame: bytes, **changes: Any) -> dict[str, Any]:
        """What the network server would publish for a frame, changed."""
        return {**self.network._up(DEV_EUI, frame, 10), **changes}

    def uplinks(self) -> int:
        reader = Reader(self.database)
        try:
            return int(reader.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM uplink").scalar_one()))
        finally:
            reader.close()


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    folder = tmp_path / "town"
    folder.mkdir()
    world = World(folder, random.Random(7))
    meter = world.add(1)
    world.writer.run(lambda tx: set_radio(tx, meter.meter_id, bytes.fromhex(DEV_EUI)))
    world.close()
    shutil.copytree(folder, tmp_path / "live")
    network = ChirpStack(TOKEN)
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    token_file.chmod(0o600)
    here = Address("127.0.0.1", 0)
    files = (tmp_path / "live" / "books.db", tmp_path / "live" / "keys")
    server = ChirpStackSettings(await network.start(), token_file)
    settings = Settings(*files, here, None, "sim", "sim", chirpstack=server)
    clock = SimClock(slot_start(START_SLOT + 96) * 1_000_000)
    async with running(settings, clock, os.urandom, 1) as started:
        url = f"http://127.0.0.1:{started.http[1]}/v1/chirpstack"
        network.integrate(url)
        made = Net(url, network, meter, files[0])
        yield made
        await made.session.close()
    await network.close()


async def test_an_uplink_is_answered_through_the_queue_of_its_device(net: Net) -> None:
    frame = await net.network.uplink(DEV_EUI, net.meter.anchor())
    assert frame is not None and len(frame) <= 51
    net.meter.hear_frame(frame)
    assert net.uplinks() == 1


async def test_the_queue_holds_the_newest_answer_alone(net: Net) -> None:
    """An old statement waiting before a new one would cost a receive window (DESIGN §6)."""
    for _ in range(3):
        assert (await net.post(net.event(net.meter.poll())))[0] == 204
    await asyncio.sleep(0.2)
    assert len(net.network.queues[DEV_EUI]) == 1


async def test_a_radio_that_is_not_ours_changes_nothing(net: Net) -> None:
    stranger = net.event(net.meter.poll())
    stranger["deviceInfo"]["devEui"] = "70b3d57ed0000002"
    assert (await net.post(stranger))[0] == 204
    assert net.uplinks() == 0


async def test_the_port_of_another_application_is_left_alone(net: Net) -> None:
    assert (await net.post(net.event(net.meter.poll(), fPort=202)))[0] == 204
    assert net.uplinks() == 0


@pytest.mark.parametrize("event", ["join", "ack", "txack", "log", "status", "location", "integration"])
async def test_other_events_are_taken_and_need_no_act(net: Net, event: str) -> None:
    assert (await net.post({"deviceInfo": net.network.device_info(DEV_EUI)}, event))[0] == 204
    assert net.uplinks() == 0


@pytest.mark.parametrize(
    ("body", "event", "content_type", "status", "named"),
    [
        (b"{", "up", "application/json", 400, "uplink-event"),
        ({"fPort": 10, "data": ""}, "up", "application/json", 400, "deviceInfo"),
        ({"deviceInfo": {"devEui": "xyz"}}, "up", "application/json", 400, "devEui"),
        ({"deviceInfo": {"devEui": DEV_EUI}, "fPort": 10, "data": "%%"}, "up", "application/json", 400, "base64"),
        ({"deviceInfo": {"devEui": DEV_EUI}, "fPort": "10"}, "up", "application/json", 400, "fPort"),
        (b"\x0a\x00", "up", "application/octet-stream", 415, "JSON"),
        ({}, "reboot", "application/json", 400, "event"),
        (b"[" + b"0," * 200_000 + b"0]", "up", "application/json", 413, "body-too-long"),
    ],
)
async def test_what_is_no_event_is_refused_by_name(
    net: Net, body: Any, event: str, content_type: str, status: int, named: str
) -> None:
    found, text = await net.post(body, event, content_type)
    assert (found, named in text) == (status, True), text
    assert net.uplinks() == 0


async def test_a_network_server_that_is_gone_costs_an_answer_and_no_uplink(net: Net) -> None:
    net.network.token = "another"  # it refuses our token, as after a key was revoked
    assert await net.network.uplink(DEV_EUI, net.meter.anchor()) is None
    assert net.uplinks() == 1
    net.network.token = TOKEN
    assert await net.network.uplink(DEV_EUI, net.meter.poll()) is not None


async def test_an_item_that_is_too_long_for_the_data_rate_is_lost_and_said_again(net: Net) -> None:
    net.network.payload_max = 11
    assert await net.network.uplink(DEV_EUI, net.meter.anchor()) is None
    net.network.payload_max = 51
    assert await net.network.uplink(DEV_EUI, net.meter.poll()) is not None


async def test_without_its_options_there_is_no_such_address(house: Any) -> None:
    assert (await house.ask("POST", "/v1/chirpstack?event=up", b"{}", content_type="application/json")).status == 404


# ---- radios and options ---------------------------------------------------------------------------------------------


def test_a_meter_has_one_radio_and_a_radio_one_meter(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(7))
    first, second = world.add(1), world.add(2)
    old, new = bytes.fromhex(DEV_EUI), bytes.fromhex("70b3d57ed0000002")
    world.writer.run(lambda tx: set_radio(tx, first.meter_id, old))
    world.writer.run(lambda tx: set_radio(tx, first.meter_id, old))
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: set_radio(tx, second.meter_id, old))
    assert refused.value.code == Code.RADIO_TAKEN
    world.writer.run(lambda tx: set_radio(tx, first.meter_id, new))
    world.writer.run(lambda tx: set_radio(tx, second.meter_id, old))
    assert world.writer.run(lambda tx: (meter_of(tx, old), meter_of(tx, new))) == (second.meter_id, first.meter_id)
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: set_radio(tx, first.meter_id, b"\1\2"))
    assert refused.value.code == Code.DEV_EUI
    world.close()


def test_the_options_come_together(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    with pytest.raises(SettingsRefused, match="give both"):
        chirpstack_of("http://127.0.0.1:8090", None)
    with pytest.raises(SettingsRefused, match="give both"):
        chirpstack_of(None, token_file)
    with pytest.raises(SettingsRefused, match="address of the REST API"):
        chirpstack_of("127.0.0.1:8090", token_file)
    assert chirpstack_of(None, None) is None


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    with pytest.raises(SettingsRefused, match="cannot be read"):
        read_token(token_file)
    token_file.write_text(TOKEN)
    token_file.chmod(0o644)
    with pytest.raises(SettingsRefused, match="chmod 600"):
        read_token(token_file)
    token_file.chmod(0o600)
    assert read_token(token_file) == TOKEN
    token_file.write_text("")
    with pytest.raises(SettingsRefused, match="on one line"):
        read_token(token_file)
