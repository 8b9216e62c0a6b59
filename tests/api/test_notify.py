"""Money in: kept first, answered always, credited once (CT-03, FEATURES B2, P01; reliability P1, P5, P7)."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headend.api.store import STORE
from headend.payments import notify
from headend.payments.serve import settle_unanswered
from tests.api.conftest import CUSTOMER, METER, House, payment


@pytest.fixture
async def town(house: House) -> AsyncIterator[House]:
    """A headend with a tariff and one meter."""
    await house.settle_in()
    yield house


async def test_a_payment_at_any_hour_reaches_the_meter_at_its_next_contact(town: House) -> None:
    """CT-03: 500 F at 19:00 raise C by 500,000 mills and make statement 1."""
    answer = await town.notify(payment())
    assert answer.json == {
        "outcome": "credited",
        "transaction_id": "TX1",
        "reason": None,
        "payment": 1,
        "statement_number": 1,
    }
    meter = await town.meter()
    assert meter["counters"]["credited_mills"] == 500_000
    assert meter["balance"] == {"amount": 500, "currency": "XOF"}
    assert meter["statement"] == {"granted": 1, "applied": 0}


async def test_the_same_callback_three_times_at_once_is_one_credit(town: House) -> None:
    """CT-03, B2, P01: three identical notifications in flight together."""
    answers = await asyncio.gather(*(town.notify(payment()) for _ in range(3)))
    assert sorted(answer.json["outcome"] for answer in answers) == ["credited", "duplicate", "duplicate"]
    assert {answer.json["payment"] for answer in answers} == {1}
    assert (await town.meter())["counters"]["credited_mills"] == 500_000


async def test_twenty_callbacks_signed_anew_are_one_credit(town: House) -> None:
    """P1: a provider that retries for an hour signs each repetition with a new id and time."""
    jobs = (town.notify(payment(), message_id=f"msg_{n}") for n in range(20))
    outcomes = [answer.json["outcome"] for answer in await asyncio.gather(*jobs)]
    assert sorted(outcomes) == ["credited"] + ["duplicate"] * 19
    assert (await town.get("/v1/ledger/check")).json["good"] is True


async def test_a_replayed_request_is_a_duplicate(town: House) -> None:
    raw = (
        b'{"transaction_id":"TX1","account":"00000195","amount":500,"currency":"XOF","paid_at":"2026-02-21T18:59:00Z"}'
    )
    headers = town.signed(raw)
    first = await town.ask("POST", "/biller/v1/wave/notify", raw, **headers)
    again = await town.ask("POST", "/biller/v1/wave/notify", raw, **headers)
    assert (first.json["outcome"], again.json["outcome"]) == ("credited", "duplicate")


@pytest.mark.parametrize("change", [{"amount": 900}, {"account": "00000292"}])
async def test_the_same_transaction_with_other_money_is_a_duplicate_and_a_case(town: House, change: Any) -> None:
    await town.notify(payment())
    answer = await town.notify(payment(**change), message_id="msg_2")
    assert (answer.json["outcome"], answer.json["reason"]) == ("duplicate", "differs_from_the_first")
    assert [case["kind"] for case in (await town.get("/v1/cases")).json["items"]] == ["payment-conflict"]
    assert (await town.meter())["counters"]["credited_mills"] == 500_000


@pytest.mark.parametrize("account", ["00000292", "00000196", "1", "Aïcha", "'; DROP TABLE payment; --", "0" * 64])
async def test_an_unknown_account_waits_in_suspense_until_it_is_matched(town: House, account: str) -> None:
    """P5: the money is real, so it is booked; a person says whose it is, and the meter gets its statement."""
    answer = await town.notify(payment(account=account))
    assert (answer.json["outcome"], answer.json["reason"]) == ("suspense", "unmatched_account")
    [waiting] = (await town.get("/v1/suspense")).json["items"]
    assert waiting["account"] == account and waiting["money"] == {"amount": 500, "currency": "XOF"}

    resolved = await town.post("/v1/suspense/1/resolve", {"customer_number": CUSTOMER})
    assert (resolved.status, resolved.json["outcome"], resolved.json["meter_id"]) == (200, "credited", METER)
    assert (await town.get("/v1/suspense")).json["items"] == []
    assert (await town.meter())["counters"]["credited_mills"] == 500_000
    assert (await town.status_of("TX1")).json["outcome"] == "credited"
    assert (await town.get("/v1/ledger/check")).json["good"] is True


async def test_suspense_is_resolved_once(town: House) -> None:
    await town.notify(payment(account="1"))
    await town.post("/v1/suspense/1/resolve", {"customer_number": CUSTOMER})
    before = await town.books()
    again = await town.post("/v1/suspense/1/resolve", {"customer_number": CUSTOMER})
    assert (again.status, again.code) == (409, "payment_not_in_suspense")
    unknown = await town.post("/v1/suspense/77/resolve", {"customer_number": CUSTOMER})
    assert (unknown.status, unknown.code) == (404, "payment_unknown")
    assert await town.books() == before


async def test_suspense_goes_to_no_unknown_customer(town: House) -> None:
    await town.notify(payment(account="1"))
    before = await town.books()
    refused = await town.post("/v1/suspense/1/resolve", {"customer_number": "00000292"})
    assert (refused.status, refused.code) == (409, "customer_number")
    assert await town.books() == before


UNBOOKABLE = (
    ({"currency": "KES"}, "currency"),
    ({"amount": "500.5"}, "amount_fraction"),
    ({"amount": "500,00"}, "amount_unreadable"),
    ({"amount": "5e2"}, "amount_unreadable"),
    ({"amount": " 500"}, "amount_unreadable"),
    ({"amount": "-500"}, "amount_unreadable"),
    ({"amount": -500}, "amount_not_positive"),
    ({"amount": 0}, "amount_not_positive"),
    ({"amount": "0.00"}, "amount_not_positive"),
    ({"amount": 10**12 + 1}, "amount_too_large"),
    ({"amount": 500.0}, "unreadable"),
    ({"amount": True}, "unreadable"),
    ({"amount": None}, "unreadable"),
    ({"paid_at": "yesterday"}, "unreadable"),
    ({"paid_at": "2026-02-21T18:59:00"}, "unreadable"),
    ({"transaction_id": ""}, "unreadable"),
    ({"account": "1\n"}, "unreadable"),
)


async def test_what_cannot_be_booked_is_kept_answered_and_shown_as_a_case(town: House) -> None:
    """P7: never refused, never rounded; the repetition is known as one."""
    for number, (change, reason) in enumerate(UNBOOKABLE):
        body = payment(**{"transaction_id": f"TX{number}", **change})
        answer = await town.notify(body, message_id=f"msg_{number}")
        assert (answer.status, answer.json["outcome"], answer.json["reason"]) == (200, "suspense", reason), change
        again = await town.notify(body, message_id=f"msg_{number}")
        assert again.json["outcome"] == "duplicate", change
    cases = (await town.get("/v1/cases?limit=100")).json["items"]
    assert {case["kind"] for case in cases} == {"payment-unbookable"}
    assert [case["detail"]["reason"] for case in cases] == [reason for _, reason in UNBOOKABLE]
    assert (await town.meter())["counters"]["credited_mills"] == 0


@pytest.mark.parametrize(
    "change", [{"channel": "ussd"}, {"paid_at": "2026-02-21T18:59:00.125Z"}, {"paid_at": "2026-02-21T19:59:00+01:00"}]
)
async def test_what_a_provider_says_more_precisely_is_credited_all_the_same(
    town: House, change: dict[str, str]
) -> None:
    """CT-23: a field of the provider's own or a fraction of a second is no reason to keep a payer waiting."""
    answer = await town.notify({**payment(), **change})
    assert answer.json["outcome"] == "credited"


async def test_signed_rubbish_is_kept_and_answered(town: House) -> None:
    rubbish = (b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"null", b'{"amount":1,"amount":2}', b"[" * 9999)
    for number, raw in enumerate(rubbish):
        answer = await town.notify(raw, message_id=f"msg_{number}")
        assert (answer.status, answer.json["outcome"], answer.json["reason"]) == (200, "suspense", "unreadable"), raw


async def test_the_same_message_id_with_other_bytes_is_kept_beside_the_first(town: House) -> None:
    """Nothing that a provider signed is dropped because of an id it used twice."""
    await town.notify(payment(transaction_id="TX1"), message_id="same")
    second = await town.notify(payment(transaction_id="TX2"), message_id="same")
    assert second.json["outcome"] == "credited"
    assert (await town.meter())["counters"]["credited_mills"] == 1_000_000


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("XOF", 1, 1),
        ("XOF", 487, 487),
        ("XOF", "487", 487),
        ("XOF", "487.00", 487),
        ("KES", 50_025, 50_025),
        ("KES", "500.25", 50_025),
        ("KES", "0.01", 1),
        ("KES", "500.5", 50_050),
        ("TND", "12.345", 12_345),
        ("TND", "0.001", 1),
        ("TND", 12_345, 12_345),
    ],
)
async def test_any_odd_amount_keeps_every_minor_unit(town: House, currency: str, amount: Any, minor: int) -> None:
    """CT-03: currencies of 0, 2 and 3 decimals, exactly."""
    answer = await town.notify(payment(amount=amount, currency=currency))
    assert answer.json["outcome"] == "credited"
    meter = await town.meter()
    assert meter["counters"]["credited_mills"] == minor * 1000
    assert meter["balance"] == {"amount": minor, "currency": currency}


async def test_what_was_kept_but_not_answered_is_booked_at_the_next_start(town: House) -> None:
    """The headend dies between the two commits: no repetition is needed to credit the money."""
    raw = (
        b'{"transaction_id":"TX1","account":"00000195","amount":500,"currency":"XOF","paid_at":"2026-02-21T18:59:00Z"}'
    )
    app = town.started.app
    await app[STORE].write(lambda tx: notify.keep(tx, "wave", "msg_1", raw))
    assert (await town.meter())["counters"]["credited_mills"] == 0
    assert await settle_unanswered(app) == 1
    assert await settle_unanswered(app) == 0
    assert (await town.meter())["counters"]["credited_mills"] == 500_000
    assert (await town.notify(raw)).json["outcome"] == "duplicate"


async def test_status_tells_where_the_money_stands(town: House) -> None:
    await town.notify(payment())
    known = await town.status_of("TX1")
    assert known.json["money"] == {"amount": 500, "currency": "XOF"}
    assert (known.json["outcome"], known.json["statement_number"]) == ("credited", 1)
    assert (await town.status_of("TX9")).code == "unknown_transaction"


async def test_a_payment_shows_its_trace(town: House) -> None:
    await town.notify(payment())
    await town.notify(payment(), message_id="msg_2")
    detail = (await town.get("/v1/payments/1")).json
    assert [step["step"] for step in detail["trace"]] == ["notified", "notified", "booked", "granted"]
    assert (await town.get("/v1/payments/2")).code == "payment_unknown"


async def test_secrets_are_wrapped_at_rest(town: House, tmp_path: Any) -> None:
    """Reliability A3: who steals the database has neither the provider's secret nor an API key."""
    await town.notify(payment())
    stolen = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("a.db*"))
    assert town.secret not in stolen and base64.b64encode(town.secret) not in stolen
    assert town.api_key.encode() not in stolen and bytes.fromhex(town.api_key.removeprefix("guelta_")) not in stolen
