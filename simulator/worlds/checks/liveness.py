"""After the faults: everybody comes to agree, and soon (I12, I22).

**What is counted.** An uplink counts from the moment the faults stop. A meter has converged when, at the slot at which
the books stand, V, S and R of the books are those of the meter's own log, C and D are the same on both sides, and the
books stand at the meter's last closed half-hour. It has `UPLINKS` of them for that, and apart from these: one for each
page of 48 half-hours that it owed when the faults stopped (they must travel, however little was lost), and the polls of
a dry tap, which ask and tell nothing.
"""

from __future__ import annotations

from ..evidence import Evidence, HomeSeen
from ..finding import Finding

UPLINKS = 20

# Cases that only what truly befell a home may open: the kinds of faults by their first word. What is not here may open
# for nobody.
_FLASH = ("flash", "state", "rot", "bit", "old", "keepsake")
CASES: dict[str, tuple[str, ...]] = {
    "slots-lost": _FLASH,
    "went-back": (*_FLASH, "clone", "headend"),
    "counter-ahead": ("headend", "clone"),
    "cloned": ("clone", "old"),  # a flash put back is a copy of the meter, too
    "recovered": ("headend",),
    "flash-lost": _FLASH,
    "debt-bounds": ("debt", "headend"),
    "slot-conflict": ("clone", *_FLASH),
    "volume-mismatch": ("clone", *_FLASH),
    "divergent": ("clone", *_FLASH),
    "unexplained": ("clone", *_FLASH),
    "pack-unknown": ("headend",),
    "valve": ("valve", "stem", "pipe", "battery", "brown", "tampered", "bounce", "air", "backflow", "old"),
    "air": ("air", "bounce", "power", "boot", "reset", "brown"),
    "backflow": ("backflow",),
    "no-wallet": ("swap",),
    "claim": ("payment",),
    "payment-conflict": ("payment",),
    "payment-unbookable": ("payment",),
}


def check_I12(evidence: Evidence) -> list[Finding]:
    """Bounded divergence: at the slot where the books stand they are the meter's own log to the litre and the mill, and
    a meter never holds a C or D that the books do not know; so what differs is in flight, and nothing else. And no case
    says otherwise that nothing has caused."""
    found = []
    for home in evidence.homes:
        for text in _differences(evidence, home):
            found.append(Finding("I12", home.number, text))
    homes = {meter_id: home for home in evidence.homes for meter_id in home.meter_ids}
    for case in evidence.books.rows("case_file"):
        home_of = homes.get(case["meter_id"])
        kinds = evidence.struck if home_of is None else home_of.struck
        if not {kind.split("_")[0] for kind in kinds} & set(CASES.get(case["kind"], ())):
            number = 0 if home_of is None else home_of.number
            found.append(Finding("I12", number, f"a case {case['kind']} that nothing caused: {case['detail']}"))
    return found


def _differences(evidence: Evidence, home: HomeSeen) -> list[str]:
    state = evidence.books.one("meter_state", home.meter_id)
    if state is None or home.meter is None or not home.meter["opened"]:
        return []
    if state["generation"] != home.meter["generation"] or ("wallet" in home.excused and home.settled_with is None):
        return []
    texts = []
    mine, books = home.at_books, (state["volume_l"], state["spent_mills"], state["collected_mills"])
    if mine is not None and _waits_for_anchor(evidence, home):
        mine, books = mine._replace(collected_mills=0), (*books[:2], 0)
    if mine is not None and mine[1:] != books:
        texts.append(f"at slot {mine.slot} V, S, R of the meter are {mine[1:]}, of the books {books}")
    statement = evidence.books.newest_statement(home.meter_id, state["generation"])
    if statement is not None and "rows" not in home.excused:
        for name in ("credited_mills", "debited_mills"):
            if home.meter[name] > statement[name]:
                texts.append(f"{name} on the meter is {home.meter[name]}, in the books {statement[name]}")
    return texts


def _waits_for_anchor(evidence: Evidence, home: HomeSeen) -> bool:
    """The gap that docs/SEMANTICS.md names at B7: the DEVICE that told of a new debt plan was lost, so R of the books
    stays behind, with a case, until an ANCHOR falls where a report ends."""
    cases = evidence.books.of("case_file", home.meter_id)
    return home.has("debt") and any(case["kind"] == "debt-bounds" and case["closed_us"] is None for case in cases)


def check_I22(evidence: Evidence) -> list[Finding]:
    """Liveness: once the faults have stopped every meter agrees with its books within 20 uplinks, as counted above,
    and nothing is left half done: no message of a provider without an answer."""
    found: list[Finding] = []
    if not evidence.settled:
        return found
    for home in evidence.homes:
        if home.retired or _waits_for_anchor(evidence, home):
            continue
        allowed = UPLINKS + home.backlog
        if home.settled_with is None:
            found.append(Finding("I22", home.number, f"does not agree after {home.uplinks_settling} uplinks"))
        elif home.settled_with > allowed:
            found.append(Finding("I22", home.number, f"took {home.settled_with} uplinks of {allowed} to agree"))
    answered = {row["till_event_id"] for row in evidence.books.rows("till_answer")}
    for row in evidence.books.rows("till_event"):
        if row["id"] not in answered:
            found.append(Finding("I22", 0, f"message {row['message_id']} was never answered"))
    return found
