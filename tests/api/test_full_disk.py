"""A disk that is full or fails is said as such, nothing is acknowledged, and the same request is taken later (H3)."""

import errno

import pytest

from headend.api.edge import _code_of
from headend.api.store import STORE
from headend.storage.high_water import HighWaterRefused
from headend.storage.sqlite import raw
from tests.api.conftest import House, payment


def pages_max(pages: int) -> object:
    """A job that limits the database, as a disk does; a limit below what is there means: not one page more."""
    return lambda tx: raw(tx.connection).execute(f"PRAGMA max_page_count={pages}").fetchone()[0]


async def test_h3_a_payment_that_finds_no_room_is_not_acknowledged_and_comes_again(house: House) -> None:
    """H3, I13: 507 with a code, in the reader's language; after room was made the provider's next try is credited."""
    await house.settle_in()
    writer = house.started.app[STORE].writer
    await writer.submit(pages_max(1))
    for number in range(400):
        body = payment(transaction_id=f"TX{number}")
        said = await house.notify(body, message_id=f"msg_{number}")
        if said.status != 200:
            break
    assert (said.status, said.code) == (507, "storage_full")
    assert (await house.status_of(f"TX{number}")).status == 404
    again = await house.notify(body, message_id=f"msg_{number}")
    assert again.status == 507 and "Make room" in again.json["detail"]
    await writer.submit(pages_max(10**6))
    assert (await house.notify(body, message_id=f"msg_{number}")).json["outcome"] == "credited"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (HighWaterRefused(errno.ENOSPC, "no room", "file"), "storage_full"),
        (HighWaterRefused(errno.EIO, "broken", "file"), "storage_failing"),
        (MemoryError(), "storage_failing"),
        (ValueError(), "internal_error"),
        (OSError(errno.ENOENT, "missing"), "internal_error"),
    ],
)
def test_what_failed_is_told_apart(failure: Exception, code: str) -> None:
    """H3: only what passes by itself or by an operator's hand is called so."""
    assert _code_of(failure) == code
