"""What the books say that meters counted: half-hours, in the order in which they were posted, under which prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from ..books_seen import Books, Row
from ..model import FINEST, Bill, Half, Prices, prices_of
from .money import segments

_STATUS_AT, _UNSURE = 9, 0x80  # of a log's facts: the status byte and its bit (docs/SPEC.md)
_TARIFF = 3

Place = tuple[int, int]  # log generation, slot


class Posted(NamedTuple):
    """A segment's half-hours. `lost` is the row that declares them where no detail of them is left."""

    segment: Row
    slots: range
    version: int
    lost: Row | None


def generations(books: Books) -> list[tuple[bytes, int]]:
    """(meter, wallet generation) of everything that was ever posted."""
    return sorted({(row["meter_id"], row["generation"]) for row in segments(books)})


def posted_of(books: Books, meter_id: bytes, generation: int) -> list[Posted]:
    """The segments of one wallet, in the order of the meter's log."""
    lost = {
        (row["log_generation"], slot): row
        for row in books.of("lost_slots", meter_id, generation)
        for slot in range(row["first_slot"], row["first_slot"] + row["slots"])
    }
    mine = [row for row in segments(books) if row["meter_id"] == meter_id and row["generation"] == generation]
    mine.sort(key=lambda row: (row["segment_log_generation"], row["segment_first_slot"]))
    return [
        Posted(
            row,
            range(row["segment_first_slot"], row["segment_first_slot"] + row["segment_slots"]),
            row["pack_version"],
            lost.get((row["segment_log_generation"], row["segment_first_slot"])),
        )
        for row in mine
    ]


def litres_of(books: Books, meter_id: bytes, generation: int) -> dict[Place, tuple[int, bool]]:
    """Litres of each half-hour that was told, and whether its clock was sure; what came first stays."""
    found: dict[Place, tuple[int, bool]] = {}
    for row in books.of("uplink", meter_id, generation):
        if row["first_slot"] is None or row["slots"] is None:
            continue
        sure = not row["facts"][_STATUS_AT] & _UNSURE
        told = row["slots"]
        for index in range(row["slot_count"]):
            litres = int.from_bytes(told[2 * index : 2 * index + 2], "big")
            found.setdefault((row["log_generation"], row["first_slot"] + index), (litres, sure))
    return found


def halves_of(books: Books, one: Posted, litres: dict[Place, tuple[int, bool]], prices: Prices) -> Iterator[Half]:
    """The half-hours of a segment that has detail."""
    for slot in one.slots:
        counted, sure = litres[one.segment["segment_log_generation"], slot]
        yield Half(slot, counted, prices, sure)


def prices_by_version(books: Books, meter_id: bytes) -> dict[int, Prices | None]:
    """The prices of each tariff pack that a meter was given."""
    printed = {row["id"]: json.loads(row["printed"]) for row in books.rows("tariff")}
    return {
        row["version"]: prices_of(printed[row["tariff_id"]])
        for row in books.of("pack", meter_id)
        if row["kind"] == _TARIFF
    }


def bill_at_opening(books: Books, meter_id: bytes, generation: int) -> Bill:
    """Where a wallet begins."""
    row = books.of("opening", meter_id, generation)[0]
    return Bill(row["position_l"], row["month"], row["day"])


def over_lost(bill: Bill, lost: Row, prices: Prices | None) -> None:
    """A stretch without detail, whole."""
    last = lost["first_slot"] + lost["slots"] - 1
    rest = Fraction(lost["remainder"], FINEST)
    bill.lost(last, lost["spent_mills"], rest, lost["position_l"], prices if lost["sure"] else None)
