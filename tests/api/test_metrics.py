"""`/metrics`: documented names, true values, readable by Prometheus' own parser, and nothing of a customer in it."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from headend.api.store import STORE
from headend.metrics import METRICS
from protocol.wire import cbor
from tests.api.conftest import CUSTOMER, METER, NOW_UNIX_S, House, payment

GUIDE = Path(__file__).resolve().parents[2] / "docs"


async def told(house: House) -> dict[tuple[str, str], float]:
    """(name, its labels' values) → value."""
    answer = await house.ask("GET", "/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, ",".join(sample.labels.values())): sample.value for sample in samples}


async def send(house: House, *frames: bytes) -> None:
    """Uplinks that are none of this meter's; the answer is CBOR and of no interest."""
    body = cbor.encode([[bytes.fromhex(METER), frame] for frame in frames])
    headers = {"Content-Type": "application/cbor"}
    async with house.session.post(house.url + "/v1/uplinks", data=body, headers=headers) as answer:
        assert answer.status == 200


async def test_the_books_of_a_town_in_numbers(house: House) -> None:
    await house.settle_in()
    await house.notify(payment())
    await send(house, bytes(20), b"\x40" + bytes(20), b"\x40" + bytes(20))
    found = await told(house)
    assert found["guelta_meters", "never"] == 1 and found["guelta_meters", "hour"] == 0
    assert found["guelta_statements_waiting", ""] == 1, "the payment's statement is not echoed yet"
    uplinks = {key: value for (name, key), value in found.items() if name == "guelta_uplinks_total"}
    assert uplinks == {"frame,unreadable": 1, "bad_tag,day": 2}
    assert found["guelta_commit_jobs_sum", ""] >= 4 and found["guelta_commit_seconds_count", ""] >= 3
    assert found["guelta_writer_waiting", ""] == 0
    assert found["guelta_last_batch", ""] == (await house.get("/healthz")).json["last_commit"]
    assert [value for (name, _), value in found.items() if name == "guelta_build_info"] == [1]


async def test_the_check_of_the_books_is_told_with_its_age(house: House) -> None:
    await house.settle_in()
    assert ("guelta_ledger_check_age_seconds", "") not in await told(house), "no check yet, so no age"
    store = house.started.app[STORE]
    await store.read(house.started.app[METRICS].check)
    house.clock.set((NOW_UNIX_S + 90) * 1_000_000)
    found = await told(house)
    assert found["guelta_ledger_check_age_seconds", ""] == 90 and found["guelta_ledger_check_faults", ""] == 0
    await store.write(lambda tx: tx.cursor.execute("UPDATE meter_state SET spent_mills = spent_mills + 1"))
    await store.read(house.started.app[METRICS].check)
    assert (await told(house))["guelta_ledger_check_faults", ""] > 0


async def test_only_this_machine_is_told(house: House) -> None:
    for headers in ({"x_forwarded_for": "192.0.2.7"}, {"forwarded": "for=192.0.2.7"}):
        refused = await house.ask("GET", "/metrics", **headers)
        assert (refused.status, refused.code) == (403, "page_on_this_machine_only")


async def test_nothing_of_a_customer_is_in_it_and_every_name_is_documented(house: House) -> None:
    await house.settle_in()
    await house.notify(payment())
    await send(house, b"\x40" + bytes(20))
    await house.started.app[STORE].read(house.started.app[METRICS].check)
    text = (await house.ask("GET", "/metrics")).text
    for secret in (METER, CUSTOMER, "Aïcha", "TX1", "wave", "500"):
        assert secret not in re.sub(r" [0-9.e+-]+$", "", text, flags=re.MULTILINE).replace('le="500.0"', ""), secret
    names = {family.name for family in text_string_to_metric_families(text) if not family.name.endswith("_created")}
    for page in ("OPERATIONS.md", "OPERATIONS.fr.md"):
        assert [name for name in sorted(names) if f"`{name}" not in (GUIDE / page).read_text()] == [], page
