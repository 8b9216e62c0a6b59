"""Money: conserved (I1), granted as it came in (I3), each payment once (I4). Summed here, from plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..books_seen import MILLS_PER_MINOR, Books, Row
from ..evidence import Evidence
from ..finding import Finding

CHARGES = ("water", "sewer", "fixed", "levy", "tax1", "tax2")
TAKEN = ("credited", "suspense", "duplicate")
CREDITS = ("paid_mills", "moved_in_mills", "rating_credit_mills", "recovered_mills")


def balances(books: Books) -> dict[str, int]:
    """What every account holds, credits less debits, by transfers and segments."""
    names, held = books.account_names(), defaultdict(int)
    for row in books.rows("transfer"):
        held[names[row["debit_account"]]] -= row["amount_mills"]
        held[names[row["credit_account"]]] += row["amount_mills"]
    roles = {(row["role_map"], row["role"]): names[row["account_id"]] for row in books.rows("role_account")}
    for row in segments(books):
        held[f"wallet/{row['meter_id'].hex()}/{row['generation']}"] -= row["wallet_mills"]
        for role in CHARGES:
            held[roles[row["role_map"], role]] += row[f"{role}_mills"]
        held[f"receivable/{row['contract_id']}"] += row["debt_mills"]
    return held


def segments(books: Books) -> list[Row]:
    """Every segment, those that stand in the row of their uplink included."""
    return [row for row in books.rows("uplink") if row["segment_first_slot"] is not None] + books.rows("segment")


def check_I1(evidence: Evidence) -> list[Finding]:
    """Conservation: nothing but whole, positive mills; what an account gains another loses; and every wallet account
    holds C − D − S − R of its counters (SEMANTICS A1, F2)."""
    return [Finding("I1", 0, text) for text in _not_conserved(evidence.books)]


def _not_conserved(books: Books) -> Iterator[str]:
    names = books.account_names()
    for row in books.rows("transfer"):
        sides = (row["debit_account"], row["credit_account"])
        if type(row["amount_mills"]) is not int or row["amount_mills"] <= 0:
            yield f"transfer {row['id']} moves {row['amount_mills']}"
        if sides[0] == sides[1] or any(side not in names for side in sides):
            yield f"transfer {row['id']} is between the accounts {sides}"
    for row in segments(books):
        parts = [row[f"{role}_mills"] for role in (*CHARGES, "debt")]
        if any(type(part) is not int or part < 0 for part in parts) or sum(parts) != row["wallet_mills"]:
            yield f"a segment of {row['meter_id'].hex()} takes {row['wallet_mills']} for {parts}"
    held = balances(books)
    if sum(held.values()):
        yield f"all accounts together hold {sum(held.values())} mills"
    for state in books.rows("meter_state"):
        statement = books.newest_statement(state["meter_id"], state["generation"])
        counted = -state["spent_mills"] - state["collected_mills"]
        if statement is not None:
            counted += statement["credited_mills"] - statement["debited_mills"]
        wallet = held[f"wallet/{state['meter_id'].hex()}/{state['generation']}"]
        if wallet != counted:
            yield f"the wallet of {state['meter_id'].hex()} holds {wallet}, C − D − S − R is {counted}"


def check_I3(evidence: Evidence) -> list[Finding]:
    """Money in = money accounted: what payers gave and the headend took stands in the till, and is granted to meters,
    in suspense, or was given back, to the minor unit (SEMANTICS A3: on *paid* alone)."""
    books, found = evidence.books, []
    taken = {payment.transaction: payment for payment in evidence.payments if _is_taken(payment.answers)}
    given_mills = sum(payment.amount_minor for payment in taken.values()) * MILLS_PER_MINOR
    booked_mills = sum(row["amount_mills"] for row in books.rows("payment"))
    unanswered = [row for row in books.rows("payment") if row["provider_txn_id"] not in taken]
    if booked_mills - sum(row["amount_mills"] for row in unanswered) != given_mills:
        found.append(
            Finding("I3", 0, f"payers were told that {given_mills} mills came in, the books hold {booked_mills}")
        )
    paid_mills = sum(
        (newest["paid_mills"] for newest in _newest_statements(books)),
    )
    held = balances(books)
    if paid_mills + held["suspense"] != booked_mills:
        found.append(
            Finding("I3", 0, f"{booked_mills} mills came in, {paid_mills} granted, {held['suspense']} in suspense")
        )
    back_mills = sum(
        row["amount_mills"] for row in books.rows("transfer") if row["entry_id"] in _entries(books, "reversal")
    )
    if -held["till"] != booked_mills - back_mills:
        found.append(Finding("I3", 0, f"the till holds {-held['till']}, {booked_mills} came and {back_mills} went"))
    return found


def _is_taken(answers: list[str]) -> bool:
    return any(answer in TAKEN for answer in answers)


def _newest_statements(books: Books) -> list[Row]:
    newest: dict[tuple[bytes, int], Row] = {}
    for row in books.rows("statement"):
        key = (row["meter_id"], row["generation"])
        if key not in newest or newest[key]["number"] < row["number"]:
            newest[key] = row
    return list(newest.values())


def _entries(books: Books, kind: str) -> set[int]:
    return {row["id"] for row in books.rows("entry") if row["kind"] == kind}


def check_I4(evidence: Evidence) -> list[Finding]:
    """Exactly once: a transaction number is one row, its entry raises C of the meter of the account that was typed by
    exactly its value, and of no other; a reversal raises D and lowers no C. Once settled, none is without an answer."""
    books, found = evidence.books, []
    meters = {home.customer_number: home for home in evidence.homes}
    numbers = {home.meter_id: home.number for home in evidence.homes}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in books.rows("payment"):
        rows[row["provider_txn_id"]].append(row)
    for payment in evidence.payments:
        booked, home = rows[payment.transaction], meters.get(payment.account)
        if len(booked) > 1 or (not booked and _is_taken(payment.answers)):
            found.append(Finding("I4", payment.home, f"{payment.transaction} is booked {len(booked)} times"))
        if evidence.settled and not payment.answers:
            found.append(Finding("I4", payment.home, f"{payment.transaction} was never answered"))
        for row in booked:
            meant = (payment.amount_minor * MILLS_PER_MINOR, None if home is None else home.meter_id)
            if (row["amount_mills"], row["meter_id"]) != meant:
                found.append(Finding("I4", payment.home, f"{payment.transaction} is booked otherwise than it was paid"))
    raised = _raised(books)
    for row in books.rows("payment"):
        grants = raised.get(row["entry_id"], [])
        meant = [] if row["meter_id"] is None else [(row["meter_id"], "paid_mills", row["amount_mills"])]
        if grants != meant:
            text = f"{row['provider_txn_id']} of {row['amount_mills']} mills raised {grants}"
            found.append(Finding("I4", numbers.get(row["meter_id"], 0), text))
    return found


def _raised(books: Books) -> dict[int, list[tuple[bytes, str, int]]]:
    """What each entry raised: (meter, part of C or D, by how much)."""
    raised: dict[int, list[tuple[bytes, str, int]]] = defaultdict(list)
    before: dict[tuple[bytes, int], Row] = {}
    rows = sorted(books.rows("statement"), key=lambda row: (row["meter_id"], row["generation"], row["number"]))
    for row in rows:
        last = before.get((row["meter_id"], row["generation"]), {})
        before[row["meter_id"], row["generation"]] = row
        for part in row:
            if not part.endswith("_mills") or part in ("credited_mills", "debited_mills"):
                continue
            if row[part] != last.get(part, 0):
                raised[row["entry_id"]].append((row["meter_id"], part, row[part] - last.get(part, 0)))
    return raised
