"""Before the money moves: inquire may refuse, with a numbered reason and words for the payer (IW-76, P04, P07)."""

from collections.abc import AsyncIterator

import pytest

from headend.api.store import STORE
from headend.payments.inquire import SENTENCES, Refusal, masked
from headend.storage.tables import meter
from tests.api.conftest import CUSTOMER, House


@pytest.fixture
async def town(house: House) -> AsyncIterator[House]:
    await house.settle_in()
    yield house


async def test_a_known_account_shows_its_masked_holder(town: House) -> None:
    for account in (CUSTOMER, "0000 01 95", "0000-0195", "000.001.95"):
        answer = await town.inquire({"account": account, "amount": 500, "currency": "XOF"})
        assert answer.json["accepted"] is True
        assert answer.json["holder"] == "A… A…"
        assert answer.json["minimum"] == {"amount": 100, "currency": "XOF"}


QUESTIONS = (
    ({"account": "00000292"}, Refusal.UNKNOWN_ACCOUNT),
    ({"account": "nobody"}, Refusal.UNKNOWN_ACCOUNT),
    ({"account": "00000196"}, Refusal.CHECK_DIGITS),
    ({"account": "00001095"}, Refusal.CHECK_DIGITS),
    ({"account": CUSTOMER, "amount": 99}, Refusal.BELOW_MINIMUM),
    ({"account": CUSTOMER, "amount": 100}, None),
    ({"account": CUSTOMER, "amount": 1_000_000}, None),
    ({"account": CUSTOMER, "amount": 1_000_001}, Refusal.ABOVE_CEILING),
    ({"account": CUSTOMER, "amount": 10**15}, Refusal.ABOVE_CEILING),
    ({"account": CUSTOMER, "amount": 0}, Refusal.AMOUNT),
    ({"account": CUSTOMER, "amount": "500.5"}, Refusal.AMOUNT),
    ({"account": CUSTOMER, "amount": 500, "currency": "KES"}, Refusal.CURRENCY),
)


async def test_each_refusal_has_its_number_and_words(town: House) -> None:
    before = await town.books()
    for body, reason in QUESTIONS:
        answer = (await town.inquire(body)).json
        assert answer["accepted"] is (reason is None), body
        if reason is not None:
            assert (answer["reason"]["number"], answer["reason"]["code"]) == (int(reason), reason.name.lower()), body
            assert (answer["reason"]["text_fr"], answer["reason"]["text_en"]) == SENTENCES[reason]
            assert answer["holder"] is None
    assert await town.books() == before


async def test_a_closed_account_is_refused(town: House) -> None:
    store = town.started.app[STORE]
    await store.write(lambda tx: tx.connection.execute(meter.update().values(state="retired")))
    answer = await town.inquire({"account": CUSTOMER, "amount": 500})
    assert answer.json["reason"]["code"] == "closed"


async def test_every_single_wrong_digit_is_caught(town: House) -> None:
    """P07: nobody pays for a stranger by one slip of the finger."""
    codes = set()
    for place in range(8):
        for digit in "0123456789":
            slip = CUSTOMER[:place] + digit + CUSTOMER[place + 1 :]
            if slip != CUSTOMER:
                codes.add((await town.inquire({"account": slip})).json["reason"]["code"])
    assert codes == {"check_digits"}


def test_numbers_of_refusals_never_change() -> None:
    assert {reason.name: int(reason) for reason in Refusal} == {
        "UNKNOWN_ACCOUNT": 1,
        "CHECK_DIGITS": 2,
        "CLOSED": 3,
        "BELOW_MINIMUM": 4,
        "ABOVE_CEILING": 5,
        "CURRENCY": 6,
        "AMOUNT": 7,
    }


def test_names_are_masked() -> None:
    assert masked("Aïcha  Abdou") == "A… A…"


async def test_a_malformed_inquiry_is_a_problem(town: House) -> None:
    for body in ({}, {"account": 195}, {"account": CUSTOMER, "amount": 1.5}, {"account": CUSTOMER, "x": 1}):
        answer = await town.inquire(body)
        assert (answer.status, answer.code) == (400, "invalid_body")
