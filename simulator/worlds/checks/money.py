"""Money: conserved (I1), granted as it came in (I3), each payment once (I4). Summed here, from plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..books_seen import MILLS_PER_MINOR, Books, Row
from ..evidence import Evidence
from ..finding import Finding
from ..till import Payment

CHARGES = ("water", "sewer", "fixed", "levy", "tax1", "tax2")
CURRENCY, AMOUNT_MAX = "XOF", 10**12
TAKEN = ("credited", "suspense", "duplicate")


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


def is_money(payment: Payment) -> bool:
    """Whether it can be entered at all: in the books' currency, more than nothing, less than all there is."""
    return payment.currency == CURRENCY and 0 < payment.amount_minor <= AMOUNT_MAX


def check_I3(evidence: Evidence) -> list[Finding]:
    """Money in = money accounted: what payers gave and the headend took stands in the till, and is granted to meters,
    in suspense, or was given back, to the minor unit (SEMANTICS A3: on *paid* alone). What can be no money, and is told
    all the same, is a case and in no account."""
    books, found = evidence.books, []
    taken = {one.transaction: one for one in evidence.payments if is_money(one) and _is_taken(one)}
    given_mills = sum(payment.amount_minor for payment in taken.values()) * MILLS_PER_MINOR
    told_mills = sum(row["amount_mills"] for row in books.rows("payment") if row["provider_txn_id"] in taken)
    if told_mills != given_mills:
        found.append(
            Finding("I3", 0, f"payers were told that {given_mills} mills came in, the books hold {told_mills}")
        )
    booked_mills = sum(row["amount_mills"] for row in books.rows("payment"))
    paid_mills = sum(row["paid_mills"] for row in _newest_statements(books))
    held, reversals = balances(books), _entries(books, "reversal")
    if paid_mills + held["suspense"] != booked_mills:
        found.append(
            Finding("I3", 0, f"{booked_mills} mills came in, {paid_mills} granted, {held['suspense']} in suspense")
        )
    back_mills = sum(row["amount_mills"] for row in books.rows("transfer") if row["entry_id"] in reversals)
    if -held["till"] != booked_mills - back_mills:
        found.append(Finding("I3", 0, f"the till holds {-held['till']}, {booked_mills} came and {back_mills} went"))
    if "headend_restored" not in evidence.struck:  # it takes what the restore found to be taken already
        found += [Finding("I3", 0, text) for text in _overdrawn(books)]
    unbookable = sum(row["kind"] == "payment-unbookable" for row in books.rows("case_file"))
    odd = sum(not is_money(payment) and _is_taken(payment) for payment in evidence.payments)
    if unbookable < odd:
        found.append(Finding("I3", 0, f"{odd} messages told of what is no money, {unbookable} are cases"))
    return found


def _overdrawn(books: Books) -> Iterator[str]:
    """A payment that is taken back takes no more of a wallet than was in it (SEMANTICS E2)."""
    names, held = books.account_names(), defaultdict[str, int](int)
    entries = {row["id"]: row for row in books.rows("entry")}
    moves = [(row["batch_id"], 1, row["id"], row) for row in books.rows("transfer")]
    moves += [(row["batch_id"], 0, row["id"], row) for row in segments(books)]
    for _, is_transfer, _, row in sorted(moves, key=lambda move: move[:3]):
        if not is_transfer:
            held[f"wallet/{row['meter_id'].hex()}/{row['generation']}"] -= row["wallet_mills"]
            continue
        debit, credit, amount_mills = names[row["debit_account"]], names[row["credit_account"]], row["amount_mills"]
        taken_back = entries[row["entry_id"]]["kind"] == "reversal" and debit.startswith("wallet/")
        if taken_back and amount_mills > max(0, held[debit]):
            yield f"a reversal took {amount_mills} of {debit}, which held {held[debit]}"
        held[debit] -= amount_mills
        held[credit] += amount_mills


def _is_taken(payment: Payment) -> bool:
    return any(answer in TAKEN for answer in payment.answers)


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
    """Exactly once: a transaction number is one row, its entry raises C of a meter of the account that was typed by
    exactly its value, and of no other; what waited in suspense does so when its owner is found. Once settled, no
    payment is without an answer."""
    books, found = evidence.books, []
    meters = {home.customer_number: home.meter_ids for home in evidence.homes}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in books.rows("payment"):
        rows[row["provider_txn_id"]].append(row)
    for payment in evidence.payments:
        owners, conflicted = meters.get(payment.account, frozenset()), "payment_conflict" in evidence.struck
        for text in _booked(payment, rows[payment.transaction], owners, conflicted):
            found.append(Finding("I4", payment.home, text))
        if evidence.settled and not payment.answers:
            found.append(Finding("I4", payment.home, f"{payment.transaction} was never answered"))
    known = {payment.transaction: payment for payment in evidence.payments}
    for text in _granted(books, known, meters, evidence.struck):
        found.append(Finding("I4", 0, text))
    return found


def _booked(payment: Payment, booked: list[Row], meters: frozenset[bytes], conflicted: bool) -> Iterator[str]:
    """What is wrong with the row of one payment."""
    wanted = is_money(payment)
    if not wanted and conflicted:
        return  # its number came again with what is money: whose it is then, a case says
    if len(booked) > 1 or len(booked) > wanted or (wanted and not booked and _is_taken(payment)):
        yield f"{payment.transaction} is booked {len(booked)} times"
    for row in booked:
        meant = row["meter_id"] in meters if meters else row["meter_id"] is None
        if row["amount_mills"] != payment.amount_minor * MILLS_PER_MINOR or not meant:
            yield f"{payment.transaction} is booked otherwise than it was paid"


def _granted(
    books: Books, known: dict[str, Payment], meters: dict[str, frozenset[bytes]], struck: frozenset[str]
) -> Iterator[str]:
    """What is wrong with what the payments raised."""
    raised, entries = _raised(books), {row["key"]: row["id"] for row in books.rows("entry")}
    for row in books.rows("payment"):
        payment = known.get(row["provider_txn_id"])
        if payment is None:
            yield f"nobody ever paid {row['provider_txn_id']}"
            continue
        grants = [(part, mills) for _, part, mills in raised.get(row["entry_id"], [])]
        if "headend_restored" in struck:  # it consumes what the restore had recovered before it came again
            grants = [(part, mills) for part, mills in grants if (part, mills > 0) != ("recovered_mills", False)]
        if grants != ([] if row["meter_id"] is None else [("paid_mills", row["amount_mills"])]):
            yield f"{row['provider_txn_id']} of {row['amount_mills']} mills raised {grants}"
        resolved = raised.get(entries.get(f"suspense-resolved:{row['id']}", -1), [])
        owners = meters.get(payment.meant_for, frozenset())
        meant = [(True, "paid_mills", row["amount_mills"])] if payment.resolved else []
        if "headend_restored" in struck:
            resolved = [one for one in resolved if one[1] != "recovered_mills"]
        if [(meter_id in owners, part, mills) for meter_id, part, mills in resolved] != meant:
            yield f"{row['provider_txn_id']}, when its owner was found, raised {resolved}"


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
