"""Litres: none twice, none lost (I5), and no clock ever makes or loses one (I21)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..evidence import Evidence, HomeSeen
from ..finding import Finding
from .posted import generations, litres_of, posted_of
from .rating import SLOTS, START_SLOT


def check_I5(evidence: Evidence) -> list[Finding]:
    """No litre twice, none lost. The meter's V is what its counter shows; the books' segments follow each other without
    hole or overlap and their litres, declared losses included, sum to the V of the books; a counter of a key is one
    uplink; and each half-hour of a home whose power and clock were never touched holds the litres of that half-hour."""
    found = []
    for home in evidence.homes:
        for text in (*_counted(home), *_halves(evidence, home)):
            found.append(Finding("I5", home.number, text))
    numbers = {home.meter_id: home.number for home in evidence.homes}
    for meter_id, generation in generations(evidence.books):
        for text in _contiguous(evidence, meter_id, generation):
            found.append(Finding("I5", numbers.get(meter_id, 0), text))
    seen: set[tuple[bytes, int, int, int]] = set()
    for row in evidence.books.rows("uplink"):
        key = (row["meter_id"], row["generation"], row["epoch"], row["counter"])
        if key in seen:
            found.append(Finding("I5", numbers.get(key[0], 0), f"counter {key[3]} of epoch {key[2]} is two uplinks"))
        seen.add(key)
    return [*found, *_posted_in_quarantine(evidence)]


def _posted_in_quarantine(evidence: Evidence) -> Iterator[Finding]:
    """Of a meter that is not believed facts are kept, and nothing is posted (SEMANTICS A4)."""
    changes: dict[str, list[tuple[int, bool]]] = {}
    for row in evidence.books.rows("audit"):
        if row["what"] == "meter" and row["after"] is not None:
            believed = json.loads(row["after"])["state"] != "quarantined"
            changes.setdefault(row["row_key"], []).append((row["at_us"], believed))
    for row in evidence.books.rows("uplink"):
        before = [believed for at_us, believed in changes.get(row["meter_id"].hex(), []) if at_us < row["received_us"]]
        if row["segment_first_slot"] is not None and before and not before[-1]:
            yield Finding("I5", 0, f"uplink {row['id']} was posted, and {row['meter_id'].hex()} was in quarantine")


def _counted(home: HomeSeen) -> Iterator[str]:
    if home.meter is None or not home.meter["opened"] or "wallet" in home.excused:
        return
    shown_ml = home.meter["volume_l"] * 1000 + home.meter["volume_ml"]
    if shown_ml != home.register_l * 1000:
        yield f"its counter shows {home.register_l} L, its V is {shown_ml} mL"


def _contiguous(evidence: Evidence, meter_id: bytes, generation: int) -> Iterator[str]:
    books, litres = evidence.books, 0
    told = litres_of(books, meter_id, generation)
    opening = books.of("opening", meter_id, generation)[0]
    end, log_generation = None, None
    for one in posted_of(books, meter_id, generation):
        here = one.segment["segment_log_generation"]
        if here == log_generation and one.slots.start != end:
            yield f"after slot {end} of log {here} slot {one.slots.start} was posted"
        if log_generation is not None and here < log_generation:
            yield f"log {here} was posted after log {log_generation}"
        end, log_generation = one.slots.stop, here
        volume_l = one.segment["segment_volume_l"]
        if one.lost is None and volume_l != sum(told[here, slot][0] for slot in one.slots):
            yield f"the segment from slot {one.slots.start} has {volume_l} L, its half-hours have not"
        litres += volume_l
    state, begun_l = books.one("meter_state", meter_id), opening["first_index_l"]
    if state is None or state["generation"] != generation:
        return
    if begun_l + litres != state["volume_l"]:
        yield f"from {begun_l} L on {litres} L were posted, V of the books is {state['volume_l']} L"


def _halves(evidence: Evidence, home: HomeSeen) -> Iterator[str]:
    if home.excused & SLOTS:
        return
    for generation in sorted({row[1] for row in generations(evidence.books) if row[0] == home.meter_id}):
        for (_, slot), (litres, _) in litres_of(evidence.books, home.meter_id, generation).items():
            true_l = home.by_slot_l.get(slot - START_SLOT, 0)
            if litres != true_l:
                yield f"slot {slot} holds {litres} L, its counter showed {true_l} L in it"
                return


def check_I21(evidence: Evidence) -> list[Finding]:
    """Time-independence: a clock that is wrong, lost, slow or set changes when things are said to have been, never V, C
    or D, nor their order; whatever was done to the clock of a home, its V is its counter's, and C and D its books'."""
    found = []
    for home in evidence.homes:
        if not home.has("clock") or home.meter is None or not home.meter["opened"]:
            continue
        for text in _counted(home):
            found.append(Finding("I21", home.number, f"its clock was wrong, and {text}"))
        statement = evidence.books.newest_statement(home.meter_id, home.meter["generation"])
        if statement is None or not evidence.settled or home.settled_with is None:
            continue
        if statement["number"] != home.meter["statement"]:
            continue  # granted since they agreed, and still on its way
        for name in ("credited_mills", "debited_mills"):
            if home.meter[name] != statement[name]:
                found.append(Finding("I21", home.number, f"its clock was wrong, and {name} is {home.meter[name]}"))
    return found
