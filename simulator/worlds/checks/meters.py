"""What a meter and the books say of each other when a world rests: counters, balance, credit, valve, frame counters,
commands, sizes. What of these rules must be seen while it happens is in ../watch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..books_seen import Row
from ..evidence import Evidence, HomeSeen
from ..finding import Finding
from .posted import generations, posted_of

COUNTER_MAX = 2**53
TEXT_MAX = 242 - 11  # a frame less its envelope
CLOSED = 1


def check_I6(evidence: Evidence) -> list[Finding]:
    """Monotone, in the books: a statement's number, C and D only rise; S and R only rise from segment to segment, but
    for an R that an ANCHOR has set right, with an entry (B7); the wallet generation only changes by an OPENING that the
    registry keeps; no epoch is above the one in force."""
    books, found = evidence.books, []
    numbers = {home.meter_id: home.number for home in evidence.homes}
    last: dict[tuple[bytes, int], Row] = {}
    for row in books.rows("statement"):
        before = last.get((row["meter_id"], row["generation"]))
        last[row["meter_id"], row["generation"]] = row
        for name in ("number", "credited_mills", "debited_mills") if before is not None else ():
            if row[name] < before[name] or (name == "number" and row[name] == before[name]):
                found.append(Finding("I6", numbers.get(row["meter_id"], 0), f"{name} of its statements fell"))
    opened = {(row["meter_id"], row["generation"]) for row in books.rows("opening")}
    for meter_id, generation in generations(books):
        spent = [
            (one.segment["spent_mills"], one.segment["collected_mills"])
            for one in posted_of(books, meter_id, generation)
        ]
        set_right = any(row["kind"] == "instalments" for row in books.of("entry", meter_id, generation))
        if any(new[0] < old[0] or (new[1] < old[1] and not set_right) for old, new in pairwise(spent)):
            found.append(
                Finding("I6", numbers.get(meter_id, 0), f"S or R fell in the books of generation {generation}")
            )
        if (meter_id, generation) not in opened:
            found.append(Finding("I6", numbers.get(meter_id, 0), f"generation {generation} was never opened"))
    for link in books.rows("meter_link"):
        epochs = [row["epoch"] for row in books.of("uplink", link["meter_id"], link["generation"])]
        if epochs and max(epochs) > link["epoch"]:
            found.append(Finding("I6", numbers.get(link["meter_id"], 0), f"epoch {max(epochs)} was never in force"))
    return found


def check_I7(evidence: Evidence) -> list[Finding]:
    """Balance identity: the meter's own balance is C − D − S − R of its own counters."""
    found = []
    for home in evidence.homes:
        if home.meter is not None:
            counted = home.meter["credited_mills"] - home.meter["debited_mills"]
            counted -= home.meter["spent_mills"] + home.meter["collected_mills"]
            if counted != home.meter["balance_mills"]:
                found.append(Finding("I7", home.number, f"balance {home.meter['balance_mills']}, summed {counted}"))
    return found


def check_I8(evidence: Evidence) -> list[Finding]:
    """No credit lost: the meter holds at least the C and D of the last statement that it ever echoed."""
    found = []
    for home in evidence.homes:
        echoed = _echoed(evidence, home)
        if echoed is None or home.meter is None or "wallet" in home.excused:
            continue
        for name in ("credited_mills", "debited_mills"):
            if home.meter[name] < echoed[name]:
                found.append(
                    Finding("I8", home.number, f"{name} is {home.meter[name]}, it has echoed {echoed[name]} once")
                )
    return found


def _echoed(evidence: Evidence, home: HomeSeen) -> Row | None:
    link = evidence.books.one("meter_link", home.meter_id)
    if link is None or home.meter is None or link["generation"] != home.meter["generation"]:
        return None
    statements = evidence.books.of("statement", home.meter_id, link["generation"])
    return next((row for row in statements if row["number"] == link["statement_echo"]), None)


def check_I10(evidence: Evidence) -> list[Finding]:
    """Valve truth, once every valve was mended and moved: a meter that holds its valve for shut lets no water through,
    and for open lets it."""
    found = []
    for home in evidence.homes:
        if home.meter is None or home.meter["valve_moving"] or home.meter["valve_fault"] or home.retired:
            continue
        shut = home.meter["valve_intent"] == CLOSED
        if evidence.settled and shut == home.passes and not home.excused & {"closed", "open"}:
            found.append(Finding("I10", home.number, f"held for {'shut' if shut else 'open'}, water: {home.passes}"))
    return found


def check_I13(evidence: Evidence) -> list[Finding]:
    """Ack ⇒ durable: what a meter takes for acknowledged is in the books (and what was answered is, by ../watch)."""
    found = []
    for home in evidence.homes:
        state = evidence.books.one("meter_state", home.meter_id)
        if state is None or home.meter is None or home.excused & {"rows", "wallet"}:
            continue
        mine = (home.meter["generation"], home.meter["report_generation"])
        if mine == (state["generation"], state["log_generation"]) and home.meter["acked_slot"] > state["frontier_slot"]:
            text = f"it takes slot {home.meter['acked_slot'] - 1} for acknowledged, the books end before"
            found.append(Finding("I13", home.number, f"{text} {state['frontier_slot']}"))
    return found


def check_I15(evidence: Evidence) -> list[Finding]:
    """Nonce uniqueness, at rest: the next counter of each side is above all that the other has accepted from it."""
    found = []
    for home in evidence.homes:
        link = evidence.books.one("meter_link", home.meter_id)
        if link is None or home.meter is None or link["generation"] != home.meter["generation"]:
            continue
        if home.meter["down_highest"] >= link["down_next"]:
            found.append(Finding("I15", home.number, f"downlink {link['down_next']} would be used again"))
        if link["up_highest"] >= home.meter["up_next"] and not home.has("clone"):
            found.append(Finding("I15", home.number, f"uplink {home.meter['up_next']} would be used again"))
    return found


def check_I24(evidence: Evidence) -> list[Finding]:
    """Commands at most once, in order: a number is one command, one that was done has what became of it, the meter's
    last one is one of the books and came to what they say; and both sides have a key epoch in common."""
    found = []
    for home in evidence.homes:
        for text in _commands(evidence, home):
            found.append(Finding("I24", home.number, text))
    return found


def _commands(evidence: Evidence, home: HomeSeen) -> Iterator[str]:
    orders = {row["number"]: row for row in evidence.books.of("meter_command", home.meter_id)}
    for row in orders.values():
        if (row["state"] in ("done", "refused") and row["outcome"] is None) or (
            row["state"] == "wanted" and row["outcome"] is not None
        ):
            yield f"command {row['number']} is {row['state']} and came to {row['outcome']}"
    link = evidence.books.one("meter_link", home.meter_id)
    if home.meter is None or link is None or link["generation"] != home.meter["generation"] or "rows" in home.excused:
        return
    last = home.meter["command"]
    if last and last not in orders:
        yield f"it has done command {last}, which nobody gave"
    told = orders[last]["outcome"] if last in orders else None
    if told is not None and told != home.meter["command_outcome"]:
        yield f"command {last} came to {home.meter['command_outcome']}, the books say {told}"
    mine = {home.meter["epoch"], home.meter["epoch_before"]}
    if not mine & {link["epoch"], link["next_epoch"]}:
        yield f"its keys are of the epochs {sorted(mine)}, the books' of {link['epoch']} and {link['next_epoch']}"


def check_I25(evidence: Evidence) -> list[Finding]:
    """Resource bounds: no counter of the books beyond 2^53, no text of a frame longer than a frame; that nothing ever
    raises is for who plays the world, frames are measured in ../watch."""
    found = []
    for name in ("statement", "transfer", "segment", "meter_state"):
        for row in evidence.books.rows(name):
            large = [key for key, value in row.items() if key.endswith(("_mills", "_l")) and abs(value) >= COUNTER_MAX]
            if large:
                found.append(Finding("I25", 0, f"{', '.join(large)} of a row of {name} is beyond 2^53"))
    for row in evidence.books.rows("uplink"):
        if len(row["facts"]) > TEXT_MAX:
            found.append(Finding("I25", 0, f"uplink {row['id']} has {len(row['facts'])} bytes"))
    return found
