"""Each check of a world at rest, by the id of its rule: silent about a world that is right, and loud about one in which
just that is wrong (the controls without which a silent check proves nothing)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from simulator.worlds import checks
from simulator.worlds.books_seen import Row
from simulator.worlds.evidence import Counters, Evidence, gather, judge
from simulator.worlds.life import Life
from tests.worlds.judged import judged_world

Spoil = Callable[[Evidence], Evidence]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    played = judged_world(tmp_path_factory.mktemp("world"))
    yield played
    played.close()


@pytest.fixture(scope="module")
def evidence(life: Life) -> Evidence:
    return gather(life)


def test_a_world_that_is_right_has_nothing_against_it(life: Life) -> None:
    """FEATURES B10: also nothing of what the watchers saw while it lived; and all in it was done."""
    assert judge(life) == []
    assert {name for name in life.saw if name.startswith("act ")} >= {"act command", "act resolve", "act reverse"}


def _rows(table: str, change: Callable[[list[Row]], list[Row]]) -> Spoil:
    return lambda evidence: replace(evidence, books=evidence.books.spoil(table, change))


def _last(**changes: Callable[[Row], object]) -> Callable[[list[Row]], list[Row]]:
    """The last row with other values."""

    def change(rows: list[Row]) -> list[Row]:
        assert rows
        return [*rows[:-1], {**rows[-1], **{name: new(rows[-1]) for name, new in changes.items()}}]

    return change


def _meter(**changes: int) -> Spoil:
    """The first meter says so much more of something than it does."""

    def spoil(evidence: Evidence) -> Evidence:
        meter = evidence.homes[0].meter
        assert meter is not None
        return evidence.with_home(1, meter={**meter, **{name: meter[name] + more for name, more in changes.items()}})

    return spoil


def _twice(rows: list[Row]) -> list[Row]:
    return [*rows, dict(rows[-1])]


def _less(rows: list[Row]) -> list[Row]:
    return rows[:-1]


def _shifted(evidence: Evidence) -> Evidence:
    """A litre flowed half an hour later than is told."""
    litres = dict(evidence.homes[0].by_slot_l)
    slot = next(slot for slot, count in sorted(litres.items()) if count)
    litres[slot] -= 1
    litres[slot + 1] = litres.get(slot + 1, 0) + 1
    return evidence.with_home(1, by_slot_l=litres)


def _other_cut(evidence: Evidence) -> Evidence:
    at = evidence.homes[0].at_books
    assert at is not None
    return evidence.with_home(1, at_books=Counters(at.slot, at.volume_l, at.spent_mills + 1, at.collected_mills))


def _unpaid(evidence: Evidence) -> Evidence:
    first = replace(evidence.payments[0], amount_minor=evidence.payments[0].amount_minor + 1)
    return replace(evidence, payments=(first, *evidence.payments[1:]))


def _unanswered(evidence: Evidence) -> Evidence:
    return replace(evidence, payments=(*evidence.payments[:-1], replace(evidence.payments[-1], answers=[])))


def _stray(evidence: Evidence) -> Evidence:
    """The entry of one meter's payment moved the other's wallet."""
    wallets = [row["id"] for row in evidence.books.rows("account") if row["class_"] == "wallet"]

    def change(rows: list[Row]) -> list[Row]:
        at = next(at for at, row in enumerate(rows) if row["credit_account"] == wallets[0])
        rows[at]["credit_account"] = wallets[1]
        return rows

    return replace(evidence, books=evidence.books.spoil("transfer", change))


def _dearer(evidence: Evidence) -> Evidence:
    """The utility printed other prices than the meters were given."""
    return _rows("tariff", _last(printed=lambda row: row["printed"].replace("127", "128")))(evidence)


def _clock(evidence: Evidence) -> Evidence:
    """Somebody set its clock, and a litre is gone."""
    spoilt = _meter(volume_l=-1)(evidence)
    return spoilt.with_home(1, struck=frozenset({"clock_jump"}))


SPOILT: list[tuple[str, Spoil]] = [
    ("I1", _rows("transfer", _last(amount_mills=lambda row: row["amount_mills"] + 1))),
    ("I1", _rows("uplink", lambda rows: [{**row, "water_mills": (row["water_mills"] or 0) + 1} for row in rows])),
    ("I2", _rows("entry", _last(memo=lambda row: row["memo"] + "."))),
    ("I2", _rows("transfer", _less)),
    ("I2", _rows("batch", _last(hash=lambda row: bytes(32)))),
    ("I2", _rows("sqlite_master", lambda rows: [row for row in rows if row["name"].lower() != "payment_no_update"])),
    ("I3", _unpaid),
    ("I3", _rows("statement", _last(paid_mills=lambda row: row["paid_mills"] + 1000))),
    ("I4", _rows("payment", _twice)),
    ("I4", _rows("payment", _last(meter_id=lambda row: b"somebody"))),
    ("I4", _unanswered),
    ("I5", _meter(volume_l=1)),
    ("I5", _rows("uplink", _twice)),
    ("I5", _shifted),
    ("I6", _rows("statement", _last(number=lambda row: 0))),
    ("I6", _rows("opening", _less)),
    ("I7", _meter(balance_mills=1)),
    ("I8", _meter(credited_mills=-1)),
    ("I10", lambda evidence: evidence.with_home(1, passes=not evidence.homes[0].passes)),
    ("I12", _other_cut),
    ("I12", _meter(credited_mills=1)),
    ("I12", _rows("case_file", lambda rows: [*rows, {"meter_id": None, "kind": "divergent", "detail": "{}", "id": 0}])),
    ("I13", _meter(acked_slot=48)),
    ("I15", _meter(down_highest=1_000)),
    ("I15", _meter(up_next=-1_000)),
    ("I16", _dearer),
    ("I16", lambda evidence: _less_water(evidence)),
    ("I17", _stray),
    ("I18", _rows("audit", lambda rows: [row for row in rows if row["what"] != "contract"])),
    ("I18", _rows("meter", _last(litres_per_pulse=lambda row: 10))),
    ("I19", _rows("entry", lambda rows: [{**row, "memo": row["memo"] * (row["reverses"] is None)} for row in rows])),
    ("I20", lambda evidence: replace(evidence, files={"books.db": b"..." + evidence.secrets[0] + b"..."})),
    ("I21", _clock),
    ("I22", lambda evidence: evidence.with_home(1, settled_with=None)),
    ("I22", lambda evidence: evidence.with_home(1, settled_with=evidence.homes[0].backlog + 21)),
    ("I22", _rows("till_answer", _less)),
    (
        "I23",
        lambda evidence: replace(evidence, restores=1, restored_us=evidence.books.rows("meter")[0]["added_us"] + 1),
    ),
    ("I23", lambda evidence: _restored(evidence, heard_us=None, told_us=None)),
    ("I23", lambda evidence: _restored(evidence, heard_us=2, told_us=3)),
    ("I24", _meter(command=1)),
    ("I24", _meter(epoch=3, epoch_before=3)),
    ("I25", _rows("uplink", _last(facts=lambda row: bytes(232)))),
    ("I25", _rows("meter_state", _last(spent_mills=lambda row: 2**53))),
]


def _restored(evidence: Evidence, **told: int | None) -> Evidence:
    """Books were put back under a first meter that held more, and it spoke since."""
    first = evidence.homes[0].meter_id
    others = [home.meter_id for home in evidence.homes[1:]]
    agree = {"found": "{}", "restored_us": 1}
    rows = [
        {"meter_id": first, **agree, **told},
        *({"meter_id": one, **agree, "heard_us": 2, "told_us": 3} for one in others),
    ]
    spoilt = replace(evidence, restores=1, restored_us=2, ahead=frozenset({first}))
    return replace(spoilt, books=evidence.books.spoil("recovery", lambda _: rows))


def _less_water(evidence: Evidence) -> Evidence:
    """The counter truly showed ten litres less in some half-hour than is charged."""
    litres = dict(evidence.homes[0].by_slot_l)
    slot = max(litres, key=lambda one: litres[one])
    litres[slot] -= 10
    return evidence.with_home(1, by_slot_l=litres)


@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(SPOILT)])
def test_a_check_is_loud_about_a_world_that_is_wrong(evidence: Evidence, rule: str, spoil: Spoil) -> None:
    """I1, I2, I3, I4, I5, I6, I7, I8, I10, I12, I13, I15, I16, I17, I18, I19, I20, I21, I22, I23, I24, I25."""
    check = getattr(checks, f"check_{rule}")
    assert check(evidence) == []
    found = check(spoil(evidence))
    assert found
    assert {finding.check for finding in found} == {rule}


def test_every_check_has_a_control() -> None:
    assert {f"check_{rule}" for rule, _ in SPOILT} == {check.__name__ for check in checks.CHECKS}
