"""Standard Webhooks signatures (IW-76, reliability P4): only the provider, only now, only these bytes."""

import base64

import pytest

from headend.payments.signature import Verdict, sign, verify
from tests.api.conftest import NOW_UNIX_S, House, payment

SECRET = bytes(range(32))
BODY = b'{"amount": 500}'


def headers(signature: str, at: int = NOW_UNIX_S, message_id: str = "msg_1") -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_a_published_example_verifies() -> None:
    """The example of the Standard Webhooks specification: secret, id, time, body and signature as printed there."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    given = headers("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 1614265330, "msg_p5jXN8AQM9LWM0D4loKWxJek")
    assert verify([secret], given, body, 1614265330) is Verdict.GOOD


@pytest.mark.parametrize(
    ("age_s", "verdict"),
    [
        (0, Verdict.GOOD),
        (300, Verdict.GOOD),
        (301, Verdict.STALE),
        (-300, Verdict.GOOD),
        (-301, Verdict.FUTURE),
    ],
)
def test_five_minutes_either_way(age_s: int, verdict: Verdict) -> None:
    given = headers(sign(SECRET, "msg_1", NOW_UNIX_S, BODY))
    assert verify([SECRET], given, BODY, NOW_UNIX_S + age_s) is verdict


def test_every_altered_byte_is_noticed() -> None:
    given = headers(sign(SECRET, "msg_1", NOW_UNIX_S, BODY))
    for index in range(len(BODY)):
        altered = BODY[:index] + bytes([BODY[index] ^ 1]) + BODY[index + 1 :]
        assert verify([SECRET], given, altered, NOW_UNIX_S) is Verdict.WRONG


@pytest.mark.parametrize("changed", [{"webhook-id": "msg_2"}, {"webhook-timestamp": str(NOW_UNIX_S + 1)}])
def test_id_and_time_are_signed_too(changed: dict[str, str]) -> None:
    given = headers(sign(SECRET, "msg_1", NOW_UNIX_S, BODY)) | changed
    assert verify([SECRET], given, BODY, NOW_UNIX_S) is Verdict.WRONG


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "\u0661", "a.b", "v1", "v1,!!!!", "v1a,AAAA", "-5", "1e9", "1 "])
def test_a_header_that_is_absent_or_unreadable(header: str, value: str | None) -> None:
    given = headers(sign(SECRET, "msg_1", NOW_UNIX_S, BODY))
    if value is None:
        del given[header]
    else:
        given[header] = value
    assert verify([SECRET], given, BODY, NOW_UNIX_S) in (Verdict.MISSING, Verdict.WRONG)


def test_during_a_rotation_either_secret_is_good() -> None:
    new = bytes(reversed(SECRET))
    old_and_new = sign(SECRET, "msg_1", NOW_UNIX_S, BODY) + " " + sign(new, "msg_1", NOW_UNIX_S, BODY)
    for known in ([SECRET], [new], [SECRET, new]):
        assert verify(known, headers(old_and_new), BODY, NOW_UNIX_S) is Verdict.GOOD
    assert verify([bytes(32)], headers(old_and_new), BODY, NOW_UNIX_S) is Verdict.WRONG


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": bytes(32)}, "signature_wrong"),
        ({"at_unix_s": NOW_UNIX_S - 301}, "signature_stale"),
        ({"at_unix_s": NOW_UNIX_S + 301}, "signature_future"),
        ({"message_id": "a.b"}, "signature_missing"),
    ],
)
async def test_what_is_not_signed_well_is_refused_and_changes_nothing(house: House, changes: dict, code: str) -> None:
    await house.settle_in()
    before = await house.books()
    refused = await house.notify(payment(), **changes)
    assert (refused.status, refused.code) == (401, code)
    assert await house.books() == before


async def test_a_body_altered_by_one_byte_credits_nothing(house: House) -> None:
    await house.settle_in()
    before = await house.books()
    honest = (
        b'{"transaction_id":"TX1","account":"00000195","amount":500,"currency":"XOF","paid_at":"2026-02-21T18:59:00Z"}'
    )
    forged = honest.replace(b"500", b"900")
    refused = await house.ask("POST", "/biller/v1/wave/notify", forged, **house.signed(honest))
    assert (refused.status, refused.code) == (401, "signature_wrong")
    assert await house.books() == before


async def test_a_signature_for_one_address_opens_no_other(house: House) -> None:
    """A status request signs its target, so it can be neither moved to another transaction nor replayed as a body."""
    await house.settle_in()
    await house.notify(payment())
    good = house.signed(b"/biller/v1/wave/status/TX1")
    assert (await house.ask("GET", "/biller/v1/wave/status/TX1", **good)).json["outcome"] == "credited"
    assert (await house.ask("GET", "/biller/v1/wave/status/TX2", **good)).code == "signature_wrong"


async def test_an_unknown_provider_is_refused(house: House) -> None:
    raw = b"{}"
    refused = await house.ask("POST", "/biller/v1/nobody/notify", raw, **house.signed(raw))
    assert (refused.status, refused.code) == (404, "unknown_provider")
    odd = await house.ask("POST", "/biller/v1/No%20body/notify", raw, **house.signed(raw))
    assert (odd.status, odd.code) == (404, "invalid_path")
