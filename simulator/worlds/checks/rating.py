"""What water cost (I16), by the fractions of ../model.py and nobody's code: the meter's S, and today's knowledge."""

from __future__ import annotations

import json
from typing import Any

from ...clock import START_UNIX_S
from ..books_seen import Books
from ..evidence import Evidence, HomeSeen
from ..finding import Finding
from ..model import Bill, Half, Prices, known_at, prices_of
from .money import CHARGES
from .posted import bill_at_opening, generations, halves_of, litres_of, over_lost, posted_of, prices_by_version

# A home of which the half-hours cannot be known any more.
SLOTS = frozenset({"by_slot", "detail", "wallet"})
START_SLOT = (START_UNIX_S - 1_577_836_800) // 1800


def check_I16(evidence: Evidence) -> list[Finding]:
    """Tariff determinism. Each segment ends with the S that its half-hours cost by the pack they name, as fractions
    make it; S + A is what they cost by what is known today, where no clock was unsure and nothing was lost (B5, B8);
    and in a home whose power and clock were never touched, what its counter showed in each half-hour costs just that.
    """
    numbers = {home.meter_id: home.number for home in evidence.homes}
    lost = {home.meter_id for home in evidence.homes if "wallet" in home.excused}
    found = []
    for meter_id, generation in generations(evidence.books):
        if meter_id in lost and generation == 1:
            continue  # of a wallet that rotted the meter's S is what it says, and a case
        for text in _metered(evidence.books, meter_id, generation):
            found.append(Finding("I16", numbers.get(meter_id, 0), text))
        for text in _known(evidence, meter_id, generation):
            found.append(Finding("I16", numbers.get(meter_id, 0), text))
    for home in evidence.homes:
        for text in _true(evidence.books, home):
            found.append(Finding("I16", home.number, text))
    if "headend_restored" not in evidence.struck:
        found += [Finding("I16", 0, text) for text in _borne(evidence.books)]
    return found


def _borne(books: Books) -> list[str]:
    """Where no price says that a rise that came late is debited, corrections give to wallets and take nothing; where
    all say that it is waived, nobody owes it either (B6)."""
    late = {row["late"] for row in books.rows("tariff")}
    if "debit" in late:
        return []
    classes = ("wallet",) if "debt" in late else ("wallet", "receivable")
    holders = {row["id"] for row in books.rows("account") if row["class_"] in classes}
    entries = {row["id"]: row["meter_id"] for row in books.rows("entry") if row["kind"] == "rating"}
    given: dict[bytes, int] = {}
    for row in books.rows("transfer"):
        meter_id = entries.get(row["entry_id"])
        if meter_id is not None:
            sign = (row["credit_account"] in holders) - (row["debit_account"] in holders)
            given[meter_id] = given.get(meter_id, 0) + sign * row["amount_mills"]
    return [f"corrections took {-mills} of the holder of {who.hex()}" for who, mills in given.items() if mills < 0]


def _metered(books: Books, meter_id: bytes, generation: int) -> list[str]:
    """The first segment whose S is not what the model makes of it."""
    bill, litres = bill_at_opening(books, meter_id, generation), litres_of(books, meter_id, generation)
    packs = prices_by_version(books, meter_id)
    declared: set[int] = set()
    for one in posted_of(books, meter_id, generation):
        prices = packs.get(one.version)
        if prices is None:
            return [f"the model knows no prices for pack {one.version}"]
        if one.lost is None:
            bill.charge_all(halves_of(books, one, litres, prices))
        elif one.lost["id"] not in declared:
            declared.add(one.lost["id"])
            over_lost(bill, one.lost, prices)
        if one.lost is None and bill.spent_mills != one.segment["spent_mills"]:
            return [f"S at slot {one.slots.stop} is {one.segment['spent_mills']}, the model says {bill.spent_mills}"]
    return []


def _known(evidence: Evidence, meter_id: bytes, generation: int) -> list[str]:
    """S + A against today's knowledge of the same half-hours."""
    books = evidence.books
    waiting = [row for row in books.of("rating_work", meter_id) if row["due_us"] <= _now_unix_us(evidence)]
    if waiting or any(row["prorated"] for row in books.rows("tariff_terms")):
        return []
    tariffs = _tariffs(books, meter_id)
    litres = litres_of(books, meter_id, generation)
    bill, spent_mills = bill_at_opening(books, meter_id, generation), 0
    for one in posted_of(books, meter_id, generation):
        if one.lost is not None or not all(litres[one.segment["segment_log_generation"], s][1] for s in one.slots):
            return []
        for slot in one.slots:
            prices = known_at(tariffs, slot)
            if prices is None:
                return []
            bill.charge(Half(slot, litres[one.segment["segment_log_generation"], slot][0], prices))
        spent_mills = one.segment["spent_mills"]
    corrected_mills = corrections(books, meter_id, generation)
    if bill.spent_mills - spent_mills != corrected_mills:
        return [f"T − S is {bill.spent_mills - spent_mills} in generation {generation}, A is {corrected_mills}"]
    return []


def _true(books: Books, home: HomeSeen) -> list[str]:
    """What the counter showed, half-hour by half-hour, against S + A of the books."""
    state = books.one("meter_state", home.meter_id)
    if state is None or home.excused & SLOTS or books.of("rating_work", home.meter_id):
        return []
    if state["generation"] != 1 or any(row["prorated"] for row in books.rows("tariff_terms")):
        return []
    tariffs, bill = _tariffs(books, home.meter_id), Bill()
    for slot in range(START_SLOT, state["frontier_slot"]):
        prices = known_at(tariffs, slot)
        if prices is None:
            return [f"no price is known for slot {slot}"]
        bill.charge(Half(slot, home.by_slot_l.get(slot - START_SLOT, 0), prices))
    charged = state["spent_mills"] + corrections(books, home.meter_id, 1)
    if bill.spent_mills != charged:
        return [f"its counter's litres cost {bill.spent_mills}, S + A of the books is {charged}"]
    return []


def corrections(books: Books, meter_id: bytes, generation: int) -> int:
    """A: what rating corrections added to revenues, less what they took from them."""
    names, total = books.account_names(), 0
    entries = {row["id"] for row in books.of("entry", meter_id, generation) if row["kind"] == "rating"}
    for row in books.rows("transfer"):
        if row["entry_id"] in entries:
            total += row["amount_mills"] if names[row["credit_account"]] in CHARGES else 0
            total -= row["amount_mills"] if names[row["debit_account"]] in CHARGES else 0
    return total


def _tariffs(books: Books, meter_id: bytes) -> list[tuple[int, Prices]]:
    """(from slot, prices) of the meter's tariff, in the order in which they became known."""
    contracts = {row["contract_id"] for row in books.of("retirement", meter_id)}
    codes = {
        row["tariff_code"] for row in books.rows("contract") if row["id"] in contracts or row["meter_id"] == meter_id
    }
    known: list[tuple[int, Any]] = [
        (row["valid_from_slot"], prices_of(json.loads(row["printed"])))
        for row in books.rows("tariff")
        if row["code"] in codes
    ]
    return [(from_slot, prices) for from_slot, prices in known if prices is not None]


def _now_unix_us(evidence: Evidence) -> int:
    return START_UNIX_S * 1_000_000 + evidence.now_us
