"""What a meter consumed and what it cost, as REST tells it (CT-15), fed by a meter's own frames over HTTP."""

import asyncio
from types import SimpleNamespace
from typing import Any

import cbor2

from headend.api.shapes import instant
from headend.clock import SimClock
from protocol.rules.calendar import slot_of
from tests.api.conftest import METER, NIGER, NOW_UNIX_S, House, payment
from tests.headend.virtual_meter import VirtualMeter

NOW_SLOT = slot_of(NOW_UNIX_S)


async def a_meter(house: House) -> VirtualMeter:
    """The first meter, provisioned with what POST /v1/meters answered."""
    tariff = {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-01T00:00:00Z", "prices": NIGER}
    await house.post("/v1/tariffs", tariff)
    body = {"meter_id": METER, "holder": "Aïcha Abdou", "service_point": "Concession 1", "tariff_code": "niger"}
    made = (await house.post("/v1/meters", body)).json
    return VirtualMeter(
        SimpleNamespace(
            meter_id=bytes.fromhex(made["meter_id"]),
            customer_number=made["customer_number"],
            root=bytes.fromhex(made["root"]),
            generation=made["generation"],
            epoch=made["epoch"],
            first_index_l=made["first_index_l"],
            opening_frame=bytes.fromhex(made["opening_frame"]),
            tariff=a_pack(made["tariff"]),
            policy=a_pack(made["policy"]),
        )
    )


def a_pack(made: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**made, "body": bytes.fromhex(made["body"])})


async def send(house: House, *frames: bytes) -> Any:
    raw = cbor2.dumps([[bytes.fromhex(METER), frame] for frame in frames])
    async with house.session.post(
        house.url + "/v1/uplinks", data=raw, headers={"Content-Type": "application/cbor"}
    ) as response:
        assert response.status == 200, await response.text()
        return cbor2.loads(await response.read())


def advance(clock: SimClock, slots: int) -> None:
    clock.set(clock.unix_us() + slots * 1800 * 1_000_000)


async def test_gaps_are_marked_and_not_filled_with_zeros(house: House) -> None:
    """CT-15: two frames are lost on the way; the series says so, and a half-hour without flow is a zero."""
    meter = await a_meter(house)
    meter.use([5, 0, 7, 9, 11, 0, 3, 8])
    advance(house.clock, 8)
    await send(house, meter.report(0, 2), meter.report(6, 2))
    answer = (await house.get(f"/v1/meters/{METER}/slots?{window(8)}")).json
    assert [one["litres"] for one in answer["items"]] == [5, 0, None, None, None, None, 3, 8]
    assert (answer["litres"], answer["slots"], answer["missing_slots"]) == (16, 8, 4)
    assert answer["items"][0]["starts_at"] == "2026-02-21T19:00:00Z"
    assert answer["items"][0]["local"] == "2026-02-21T20:00"

    await send(house, meter.report(2, 4))
    answer = (await house.get(f"/v1/meters/{METER}/slots?{window(8)}")).json
    assert [one["litres"] for one in answer["items"]] == [5, 0, 7, 9, 11, 0, 3, 8]
    assert answer["missing_slots"] == 0


def window(slots: int, step: str = "half-hour") -> str:
    start, end = NOW_UNIX_S, NOW_UNIX_S + slots * 1800
    return f"since={utc(start)}&until={utc(end)}&step={step}"


def utc(unix_s: int) -> str:
    return instant(unix_s)


async def test_days_and_months_are_local(house: House) -> None:
    """CT-15: at UTC+1 the local day of 22 February begins at 23:00 UTC; months are the pack's too."""
    meter = await a_meter(house)
    meter.use([1] * 8 + [10] * 40)
    advance(house.clock, 48)
    await send(house, meter.report(0, 48))
    days = (await house.get(f"/v1/meters/{METER}/slots?{window(48, 'day')}")).json["items"]
    assert [(one["local"], one["litres"]) for one in days] == [("2026-02-21", 8), ("2026-02-22", 400)]
    months = (await house.get(f"/v1/meters/{METER}/slots?{window(48, 'month')}")).json["items"]
    assert [(one["local"], one["litres"], one["slots"]) for one in months] == [("2026-02", 408, 48)]


async def test_a_series_has_limits(house: House) -> None:
    await house.settle_in()
    for query in (
        "",
        "since=2026-02-21T19:00:00Z",
        window(0),
        window(366 * 48 + 1),
        window(1) + "&step=week",
        "since=x&until=y",
    ):
        refused = await house.get(f"/v1/meters/{METER}/slots?{query}")
        assert (refused.status, refused.code) == (400, "invalid_query"), query
    assert (await house.get(f"/v1/meters/{METER}/slots?{window(366 * 48)}")).status == 200


async def test_the_statement_lists_payments_and_charges_to_the_mill(house: House) -> None:
    """500 F in, then 16 litres at 127 mills: the lines sum to the balance."""
    meter = await a_meter(house)
    await house.notify(payment())
    meter.use([5, 0, 3, 8])
    advance(house.clock, 4)
    await send(house, meter.report(0, 4))
    lines = (await house.get(f"/v1/meters/{METER}/statement")).json["items"]
    assert [(line["kind"], line["amount_mills"]) for line in lines] == [("payment", 500_000), ("charge", -16 * 127)]
    assert lines[1]["charge"]["litres"] == 16
    assert lines[1]["charge"]["by_role_mills"] == {"water": 16 * 127}
    detail = await house.meter()
    assert detail["counters"]["balance_mills"] == sum(line["amount_mills"] for line in lines)
    assert detail["balance"] == {"amount": 497, "currency": "XOF"}


async def test_pages_follow_a_cursor(house: House) -> None:
    """Keyset paging: every row once, in order, whatever the page size."""
    await house.settle_in()
    for number in range(5):
        await house.notify(payment(transaction_id=f"TX{number}"), message_id=f"msg_{number}")
    for path, name in (("/v1/payments", "transaction_id"), (f"/v1/meters/{METER}/statement", "text")):
        whole = [one[name] for one in (await house.get(path)).json["items"]]
        found, cursor = [], ""
        while cursor is not None:
            page = (await house.get(f"{path}?limit=2&cursor={cursor}")).json
            found += [one[name] for one in page["items"]]
            cursor = page["next"]
        assert found == whole and len(found) == 5


async def test_a_meter_has_an_etag(house: House) -> None:
    await house.settle_in()
    first = await house.get(f"/v1/meters/{METER}")
    same = await house.get(f"/v1/meters/{METER}", if_none_match=first.headers["ETag"])
    assert (same.status, same.text) == (304, "")
    await house.notify(payment())
    changed = await house.get(f"/v1/meters/{METER}", if_none_match=first.headers["ETag"])
    assert changed.status == 200 and changed.headers["ETag"] != first.headers["ETag"]


async def test_the_payment_pushes_a_statement_to_the_last_udp_address(house: House) -> None:
    """Paid → told at once: the meter was heard on UDP, and its statement comes without asking."""
    meter = await a_meter(house)
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    class Phone(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            queue.put_nowait(data)

    assert house.started.udp is not None
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Phone, remote_addr=house.started.udp)
    transport.sendto(b"\x01" + meter.meter_id + meter.poll())
    await asyncio.wait_for(queue.get(), 5)
    while not queue.empty():
        queue.get_nowait()
    await house.notify(payment())
    pushed = await asyncio.wait_for(queue.get(), 5)
    transport.close()
    assert pushed[:9] == b"\x01" + meter.meter_id
    meter.hear_frame(pushed[9:])
    assert (meter.statement, meter.credited_mills) == (1, 500_000)
