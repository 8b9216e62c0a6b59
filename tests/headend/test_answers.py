"""What a meter is answered, what is refused, and both bearers (SEMANTICS C3, D1, D2; reliability I13, I14, R4–R6)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from headend.bearers.http import BODY_MAX, PAIRS_MAX, uplinks_handler
from headend.bearers.udp import UdpBearer, parse_address, read_datagram, serve_udp
from headend.billing.plans import set_policy
from headend.downlink.desired import push_statement
from headend.downlink.reply import seal
from headend.ingest.received import Answer, Bearer, Received, Refusal
from headend.meters.registry import PLAIN_POLICY
from protocol.wire import cbor
from protocol.wire.envelope import UP
from protocol.wire.envelope import seal as seal_frame
from protocol.wire.keys import derive
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIGER, START_SLOT, World

DAY = 48
STATEMENT, TIME, TARIFF, POLICY, EXTENDED = 0, 1, 3, 4, 7


def kinds(answer: Answer) -> list[int]:
    assert answer.reply is not None
    return [item.type for item in answer.reply.messages]


# ---- level-triggered answers ---------------------------------------------------------------------------------------


def test_what_a_meter_does_not_echo_is_sent_until_it_does(world: World) -> None:
    """D1: a lost pack is simply still missing; nothing is queued, so nothing is lost with a queue."""
    meter = world.add()
    world.publish(NIGER, START_SLOT + 5 * DAY)
    world.writer.run(lambda tx: set_policy(tx, meter.meter_id, PLAIN_POLICY._replace(low_credit_mills=1_000)))
    for _ in range(3):
        assert kinds(world.lose_answer(meter, meter.poll())) == [STATEMENT, TARIFF, POLICY]
    world.receive(meter, meter.poll())
    meter.policy_version = 2
    meter.use([1])
    assert kinds(world.receive(meter, meter.device())) == [STATEMENT]


def test_packs_of_a_kind_go_one_by_one_so_that_a_later_one_hides_no_lost_one(world: World) -> None:
    """B4: the meter echoes its newest pack only; sent together, a lost earlier one would never be missed."""
    meter = world.add()
    world.publish(NIGER, START_SLOT + 5 * DAY)
    world.publish(NIGER, START_SLOT + 9 * DAY)
    meter.use([1])
    world.receive(meter, meter.poll())
    assert [pack.version for pack in meter.packs] == [1, 2]
    world.receive(meter, meter.device())
    assert [pack.version for pack in meter.packs] == [1, 2, 3]


def test_c3_time_names_the_uplink_it_answers(world: World) -> None:
    """C3: right however late it arrives: the counter heard and the second it was heard."""
    meter = world.add()
    world.clock.set(world.clock.unix_us() + 77_000_000)
    meter.use([1])
    world.receive(meter, meter.anchor())
    assert meter.times == [(0, world.clock.unix_us() // 1_000_000)]
    assert kinds(world.receive(meter, meter.poll())) == [STATEMENT]


def test_a4_a_meter_that_was_never_opened_is_sent_its_opening(world: World) -> None:
    meter = world.add()
    meter.use([])
    device = meter.seal(type_device(flags=1))
    assert kinds(world.receive(meter, device))[0] == EXTENDED
    meter.use([1])
    assert EXTENDED not in kinds(world.receive(meter, meter.device()))


def type_device(flags: int) -> Any:
    from protocol.wire.messages import Device

    return Device(0, 0, 0, 0, 1, 1, 0, 1, 0, 3600, 100, 0, 48, flags)


def test_a_payment_can_push_its_statement_to_the_last_address(world: World) -> None:
    """DESIGN §6: a statement is on its way when the payment commits, not after the next uplink."""
    meter = world.add()
    assert world.writer.run(lambda tx: push_statement(tx, world.keyring, meter.meter_id)) is None, "no address yet"
    world.receive(meter, meter.poll())
    world.pay(meter.number, 500, "t1")
    reply = world.writer.run(lambda tx: push_statement(tx, world.keyring, meter.meter_id))
    assert reply is not None and reply.address == "127.0.0.1 5555"
    meter.hear(reply)
    assert meter.credited_mills == 500_000


def test_d2_no_downlink_counter_is_ever_used_twice(world: World) -> None:
    """I15, D2: reserved in the commit, so that not even an answer that was never sent gives its counter back."""
    meter = world.add()
    used = [0]
    for number in range(30):
        frame = meter.poll()
        for answer in (world.lose_answer(meter, frame), world.lose_answer(meter, frame)):
            assert answer.reply is not None
            used += [item.counter for item in answer.reply.messages]
        world.pay(meter.number, 500, f"t{number}")
        reply = world.writer.run(lambda tx: push_statement(tx, world.keyring, meter.meter_id))
        assert reply is not None
        used += [item.counter for item in reply.messages]
    assert used == sorted(set(used))


# ---- refusals ------------------------------------------------------------------------------------------------------


def snapshot(world: World) -> list[Any]:
    names = ("uplink", "meter_state", "meter_link", "case_file", "batch")
    return [world.rows(f"SELECT * FROM {name}") for name in names]


def refused(world: World, meter: VirtualMeter, frame: bytes) -> Refusal | None:
    """The refusal of a frame that must change nothing at all."""
    before = snapshot(world)
    answer = world.lose_answer(meter, frame)
    assert answer.reply is None and answer.uplink_id is None
    assert snapshot(world) == before
    return answer.refusal


def test_i14_what_is_not_authentic_changes_nothing(world: World) -> None:
    """I14, R3–R6: a flipped bit anywhere, another meter's frame, another generation, a downlink sent back."""
    meter, other = world.add(1), world.add(2)
    meter.use([5] * DAY)
    frame = meter.report(0, DAY)
    for place in range(3, len(frame)):
        assert refused(world, meter, frame[:place] + bytes([frame[place] ^ 1]) + frame[place + 1 :]) is Refusal.BAD_TAG
    assert refused(world, meter, other.poll()) is Refusal.BAD_TAG
    strange = derive(meter.record.root, meter.meter_id, 2, 0)
    assert refused(world, meter, seal_frame(strange, UP, 2, 0, b"")) is Refusal.BAD_TAG
    answer = world.lose_answer(other, other.poll())
    assert answer.reply is not None
    assert refused(world, other, seal(answer.reply)[0]) is Refusal.BAD_TAG
    assert refused(world, meter, b"\xff" * 20) is Refusal.FRAME
    assert refused(world, meter, frame[:10]) is Refusal.FRAME


def test_an_unknown_meter_is_refused(world: World) -> None:
    stranger = world.add()
    stranger.meter_id = bytes(8)
    assert refused(world, stranger, stranger.poll()) is Refusal.UNKNOWN_METER


def test_a_retired_meter_is_refused(world: World) -> None:
    meter = world.add()
    world.writer.run(lambda tx: tx.cursor.execute("UPDATE meter SET state = 'retired'") and None)
    assert refused(world, meter, meter.poll()) is Refusal.RETIRED


def test_r4_a_frame_older_than_the_window_is_refused(world: World) -> None:
    meter = world.add()
    old = meter.poll()
    for _ in range(70):
        frame = meter.poll()
    world.lose_answer(meter, frame)
    assert refused(world, meter, old) is Refusal.REPLAYED


@pytest.mark.parametrize(
    ("kind", "plaintext", "refusal", "cases"),
    [
        (7, b"\xff", Refusal.RESERVED_TYPE, 0),
        (5, b"", Refusal.UNREADABLE, 1),
        (7, b"\x00", Refusal.UNREADABLE, 1),
        (2, b"x", Refusal.UNREADABLE, 1),
        (4, b"short", Refusal.UNREADABLE, 1),
        (0, b"", Refusal.UNREADABLE, 1),
        (0, bytes(10), Refusal.PACK_UNKNOWN, 1),
        (3, b"\xff", Refusal.UNREADABLE, 1),
    ],
)
def test_an_authentic_frame_that_says_nothing_usable_is_a_case(
    world: World, kind: int, plaintext: bytes, refusal: Refusal, cases: int
) -> None:
    """A faulty meter: its counter is spent, nothing is posted, a person should look."""
    meter = world.add()
    frame = seal_frame(meter.keys, UP, kind, 0, plaintext)
    assert world.lose_answer(meter, frame).refusal is refusal
    assert world.one("SELECT count(*) FROM uplink") == 0
    assert world.one("SELECT count(*) FROM case_file") == cases
    again = world.lose_answer(meter, frame)
    assert (again.refusal, again.duplicate) == (None, True), "the counter is spent"


def test_an_anchor_that_knows_more_credit_than_was_granted_is_a_case(world: World) -> None:
    """A5's reason to exist: the books may be older than the meter."""
    meter = world.add()
    meter.use([1])
    meter.credited_mills = 1
    world.lose_answer(meter, meter.anchor())
    assert world.rows("SELECT kind FROM case_file") == [("counter-ahead",)]


def test_an_alarm_is_kept_once_however_often_it_is_told(world: World) -> None:
    meter = world.add()
    for frame in (meter.event(6, 1, 12), meter.event(6, 1, 12), meter.event(7, 2)):
        world.receive(meter, frame)
    assert world.rows("SELECT event_no, code, argument FROM meter_event") == [(1, 6, 12), (2, 7, 0)]


def test_ct_01_the_valve_as_the_meter_last_told(world: World) -> None:
    """CT-01: an event of the valve runs ahead of the next log; a later log says it again."""
    meter = world.add()
    world.receive(meter, meter.event(2, 1))
    assert world.one("SELECT status & 3 FROM meter_link") == 1
    world.receive(meter, meter.event(1, 2))
    assert world.one("SELECT status & 3 FROM meter_link") == 0


def test_a_replayed_frame_from_elsewhere_moves_no_address(world: World) -> None:
    """A recorded frame proves no address: pushes still go where the meter last spoke itself."""
    meter = world.add()
    frame = meter.poll()
    world.lose_answer(meter, frame)
    copy = Received(meter.meter_id, frame, Bearer.UDP, "203.0.113.9 1", world.clock.unix_us())
    answer = world.writer.run(lambda tx: world.ingest.receive(tx, copy))
    assert answer.reply is not None and answer.reply.address == "203.0.113.9 1"
    assert world.one("SELECT address FROM meter_link") == "127.0.0.1 5555"


# ---- UDP -----------------------------------------------------------------------------------------------------------


class Socket(asyncio.DatagramProtocol):
    """A meter's modem."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.heard.put_nowait(data)


@pytest.fixture
async def udp(world: World) -> AsyncIterator[UdpBearer]:
    bearer = await serve_udp(world.writer, world.ingest, world.clock, "127.0.0.1", 0)
    yield bearer
    await bearer.close()


async def test_udp_answers_after_the_commit_and_pushes_to_the_last_address(world: World, udp: UdpBearer) -> None:
    meter = world.add()
    loop = asyncio.get_running_loop()
    transport, modem = await loop.create_datagram_endpoint(Socket, remote_addr=("127.0.0.1", udp.port))
    for junk in (b"\x01", b"\x02" + bytes(30), b"\x01" + bytes(300)):
        transport.sendto(junk)
    transport.sendto(b"\x01" + meter.meter_id + meter.poll())
    answer = await asyncio.wait_for(modem.heard.get(), 5)
    assert answer[:9] == b"\x01" + meter.meter_id
    meter.hear_frame(answer[9:])
    world.pay(meter.number, 500, "t1")
    reply = world.writer.run(lambda tx: push_statement(tx, world.keyring, meter.meter_id))
    assert reply is not None
    udp.push(reply)
    pushed = await asyncio.wait_for(modem.heard.get(), 5)
    meter.hear_frame(pushed[9:])
    assert meter.credited_mills == 500_000
    assert udp.dropped == 3
    transport.close()


def test_a_datagram_is_read_strictly() -> None:
    good = b"\x01" + bytes(8) + bytes(11)
    assert read_datagram(good, ("::1", 5), 7) == Received(bytes(8), bytes(11), Bearer.UDP, "::1 5", 7)
    assert parse_address("::1 5") == ("::1", 5)
    for bad in (good[:-1], b"\x00" + good[1:], good + bytes(222 - 11 + 1)):
        assert read_datagram(bad, ("::1", 5), 7) is None


# ---- HTTP ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def http(world: World) -> AsyncIterator[str]:
    app = web.Application(client_max_size=BODY_MAX)
    app.router.add_post("/v1/uplinks", uplinks_handler(world.writer, world.ingest, world.clock))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/uplinks"
    await runner.cleanup()


async def post(url: str, body: bytes, **headers: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/cbor", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers, skip_auto_headers=("Accept-Encoding",)) as answer,
    ):
        if answer.content_type == "application/problem+json":
            return answer.status, (await answer.json())["code"]
        return answer.status, cbor.decode(await answer.read(), 2, 10_000, 10**6)


async def test_http_takes_1_to_500_uplinks_and_answers_each_after_the_commit(world: World, http: str) -> None:
    """×1 to ×500; a frame that is refused spoils nothing for the others."""
    meters = [world.add(number) for number in range(1, 6)]
    pairs = [[meter.meter_id, meter.poll()] for meter in meters for _ in range(99)]
    pairs[3:3] = [[bytes(8), b"nobody's frame"], [meters[0].meter_id, bytes(11)]]
    status, downlinks = await post(http, cbor.encode(pairs))
    assert (status, len(downlinks)) == (200, 495)
    assert [meter_id for meter_id, _ in downlinks] == [meter.meter_id for meter in meters for _ in range(99)]
    assert world.one("SELECT count(*) FROM uplink") == 495


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "cbor-truncated"),
        (b"\x80", 400, "pairs"),
        (b"\xa0", 400, "pairs"),
        (cbor.encode([[bytes(8), b"f"]] * (PAIRS_MAX + 1)), 400, "cbor-items"),
        (cbor.encode([[bytes(8)]]), 400, "pair"),
        (cbor.encode([[bytes(8), "text"]]), 400, "pair"),
        (cbor.encode([[bytes(7), b"frame"]]), 400, "meter-id"),
        (cbor.encode([[bytes(8), b"frame"]]) + b"\x00", 400, "cbor-trailing"),
        (b"\x9f\xff", 400, "cbor-indefinite"),
        (b"\xf9\x00\x00", 400, "cbor-unsupported"),
        (bytes(BODY_MAX + 1), 413, "body-too-long"),
    ],
)
async def test_http_refuses_a_body_that_is_no_list_of_uplinks(
    world: World, http: str, body: bytes, status: int, code: str
) -> None:
    """Bad input: a stable code, and nothing changed, not even for the good pairs beside it."""
    before = snapshot(world)
    assert await post(http, body) == (status, code)
    assert snapshot(world) == before


async def test_http_refuses_other_content_types_and_compression(world: World, http: str) -> None:
    assert await post(http, b"\x80", Content_Type="text/plain") == (415, "content-type")
    assert await post(http, b"\x80", Content_Encoding="gzip") in ((415, "content-encoding"), (400, "content-encoding"))
