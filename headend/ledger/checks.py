"""Checks of the books: a list of functions, each of which reads everything it needs and returns every fault it finds.

`guelta ledger check` prints them all. None of them trusts a stored balance; none of them repairs anything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from headend.billing import rating_base
from headend.billing.correct import divide, unposted
from headend.billing.knowledge import knowledge_of
from headend.billing.rerate import Finding, rate_again
from headend.ingest import meter_state
from headend.ingest.meter_state import MeterState
from headend.ledger import chart
from headend.ledger.chain_check import chain_faults
from headend.ledger.fault import Fault
from headend.ledger.rebuild import Rebuilt, rebuild, stored_segments
from headend.ledger.recovery_check import recovered
from headend.ledger.statements import PARTS, RECOVERED_C, RECOVERED_D
from headend.meters.lookup import holding_of_meter
from headend.meters.openings import WalletOpening, generations_of
from headend.storage.tables import CREDIT_PARTS, DEBIT_PARTS
from headend.storage.writer import Tx


def trial_balance(connection: Connection) -> Iterator[Fault]:
    """Every mill that segments and transfers hold is in the view `posting` once, on two accounts that exist."""
    for source, column in (("transfer", "amount_mills"), ("uplink", "wallet_mills"), ("segment", "wallet_mills")):
        booked, shown = _row(
            connection,
            f"SELECT (SELECT coalesce(sum({column}), 0) FROM {source}), "
            f"(SELECT coalesce(sum(amount_mills), 0) FROM posting WHERE source = '{source}')",
        )
        if booked != shown:
            yield Fault("trial-balance", source, f"rows hold {booked} mills, the accounts show {shown}")
    for code, balance in account_balances(connection).items():
        if balance < 0 and code.split("/")[0] in (chart.TILL, chart.SUSPENSE):
            yield Fault("trial-balance", f"account {code}", f"stands at {balance} mills, on the wrong side")
        if balance and code == chart.MOVING:
            yield Fault("trial-balance", f"account {code}", f"holds {balance} mills that left one wallet for no other")


def account_balances(connection: Connection) -> dict[str, int]:
    """What each account holds on its own side, in mills."""
    rows = connection.exec_driver_sql(
        "SELECT a.code, CASE a.side WHEN 'debit' THEN 1 ELSE -1 END * ("
        "coalesce((SELECT sum(amount_mills) FROM posting WHERE debit_account = a.id), 0) - "
        "coalesce((SELECT sum(amount_mills) FROM posting WHERE credit_account = a.id), 0)) FROM account a ORDER BY a.id"
    )
    return {code: int(balance) for code, balance in rows}


def wallets(connection: Connection) -> Iterator[Fault]:
    """Each wallet account holds C − D − S − R: the accounts and the counters tell the same (SEMANTICS A1)."""
    balances = account_balances(connection)
    rows = connection.exec_driver_sql(
        "SELECT m.meter_id, m.generation, s.credited_mills - s.debited_mills - m.spent_mills - m.collected_mills "
        "FROM meter_state m JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation "
        "WHERE s.number = (SELECT max(number) FROM statement l WHERE l.meter_id = m.meter_id "
        "AND l.generation = m.generation)"
    )
    for meter_id, generation, counted in rows:
        held = balances.get(chart.wallet_code(meter_id, generation))
        if held != counted:
            yield Fault("wallets", f"meter {meter_id.hex()}", f"the account holds {held}, C - D - S - R = {counted}")
    closed = connection.exec_driver_sql(
        "SELECT o.meter_id, o.generation FROM opening o JOIN meter m ON m.meter_id = o.meter_id "
        "WHERE o.generation < m.generation OR m.state = 'retired'"
    )
    for meter_id, generation in closed:
        held = balances.get(chart.wallet_code(meter_id, generation))
        if held != 0:
            yield Fault("wallets", f"meter {meter_id.hex()}", f"closed generation {generation} still holds {held}")


def money_in(connection: Connection) -> Iterator[Fault]:
    """Money in = money granted or in suspense (I3): on `paid` alone, and every payment once (SEMANTICS A3, I4)."""
    received, paid, suspense, resolved = _row(
        connection,
        "SELECT (SELECT coalesce(sum(amount_mills), 0) FROM payment), "
        "(SELECT coalesce(sum(paid_mills), 0) FROM statement s WHERE number = (SELECT max(number) FROM statement l "
        " WHERE l.meter_id = s.meter_id AND l.generation = s.generation)), "
        "(SELECT coalesce(sum(amount_mills), 0) FROM payment WHERE outcome = 'suspense'), "
        "(SELECT coalesce(sum(t.amount_mills), 0) FROM transfer t JOIN entry e ON e.id = t.entry_id "
        " WHERE e.kind = 'suspense-resolved')",
    )
    waiting = account_balances(connection).get(chart.SUSPENSE, 0)
    if waiting != suspense - resolved:
        yield Fault("money-in", "suspense", f"holds {waiting} mills, payments in suspense are {suspense - resolved}")
    if received != paid + waiting:
        yield Fault("money-in", "payments", f"{received} mills came in, {paid} are granted and {waiting} in suspense")
    rows = connection.exec_driver_sql(
        "SELECT p.id, p.amount_mills, coalesce(sum(t.amount_mills), 0) AS posted FROM payment p "
        "LEFT JOIN transfer t ON t.entry_id = p.entry_id GROUP BY p.id HAVING posted <> p.amount_mills"
    )
    for payment_id, amount, posted in rows:
        yield Fault("money-in", f"payment row {payment_id}", f"{amount} mills came in, its entry posts {posted}")


def statements(connection: Connection) -> Iterator[Fault]:
    """Statements rise one by one, each by exactly what its entry moved in or out of the wallet (SEMANTICS A1, D1)."""
    rows = connection.exec_driver_sql(
        f"SELECT id, meter_id, generation, number, entry_id, {', '.join(PARTS)} FROM statement "
        "ORDER BY meter_id, generation, number"
    )
    before: dict[tuple[bytes, int], tuple[int, tuple[int, ...]]] = {}
    for row_id, meter_id, generation, number, entry_id, *parts in rows:
        last_number, last_parts = before.get((meter_id, generation), (-1, (0,) * len(PARTS)))
        raises = dict(zip(PARTS, (new - old for new, old in zip(parts, last_parts, strict=True)), strict=True))
        falls = any(mills < 0 for part, mills in raises.items() if part not in (RECOVERED_C, RECOVERED_D))
        # A restore leaves numbers out: under those in between, the meter may hold what the books forgot (A5).
        in_turn = number == last_number + 1 or (entry_id is None and number > last_number)
        if not in_turn or falls:
            yield Fault(
                "statements",
                f"statement row {row_id}",
                f"number {number} after {last_number}, parts {list(raises.values())}",
            )
        moved = _wallet_moved(connection, entry_id, meter_id, generation)
        credited = sum(raises[part] for part in CREDIT_PARTS) - sum(raises[part] for part in DEBIT_PARTS)
        if credited != moved:
            yield Fault("statements", f"statement row {row_id}", f"raises by {credited} mills, its entry moved {moved}")
        before[meter_id, generation] = (number, tuple(parts))


def _wallet_moved(connection: Connection, entry_id: int | None, meter_id: bytes, generation: int) -> int:
    """What an entry put into a wallet, less what it took out."""
    (moved,) = _row(
        connection,
        "SELECT coalesce(sum(CASE a.id WHEN t.credit_account THEN t.amount_mills ELSE -t.amount_mills END), 0) "
        "FROM transfer t JOIN account a ON a.id IN (t.credit_account, t.debit_account) "
        "WHERE t.entry_id = ? AND a.class_ = 'wallet' AND a.meter_id = ? AND a.generation = ?",
        entry_id,
        meter_id,
        generation,
    )
    return int(moved)


def shadows(connection: Connection) -> Iterator[Fault]:
    """Posting every meter's uplinks again gives the segments and the state that are stored (`ledger rebuild`)."""
    tx = Tx(connection, 0, 0)
    for (meter_id,) in tx.cursor.execute("SELECT meter_id FROM meter_state ORDER BY meter_id").fetchall():
        stored = meter_state.load(tx, meter_id)
        rebuilt = rebuild(connection, meter_id)
        by_log = rebuilt.state
        if _waits_for_rating(connection, meter_id):
            # Newer knowledge is published and this meter's turn has not come: T and A are still those of before.
            by_log = replace(by_log, today=stored.today, corrected_mills=stored.corrected_mills)
        else:
            yield from _corrections(tx, stored, rebuilt.finding)
        if by_log != stored:
            names = [n for n in type(stored).__slots__ if getattr(stored, n) != getattr(by_log, n)]
            yield Fault("rebuild", f"meter {meter_id.hex()}", f"the log says otherwise about {', '.join(names)}")
        for begins in generations_of(tx, meter_id):
            current = begins.generation == stored.generation
            again = rebuilt if current else rebuild(connection, meter_id, begins.generation)
            yield from _segments(connection, again, begins)
            if not current and not _waits_for_rating(connection, meter_id):
                yield from _closed_corrections(tx, begins, again.finding)


def _segments(connection: Connection, rebuilt: Rebuilt, begins: WalletOpening) -> Iterator[Fault]:
    """The segments of one wallet generation, also of one that is closed."""
    posted = stored_segments(connection, begins.meter_id, begins.generation)
    for uplink_id in sorted(posted.keys() | rebuilt.segments.keys()):
        if posted.get(uplink_id, []) != rebuilt.segments.get(uplink_id, []):
            yield Fault("rebuild", f"uplink row {uplink_id}", "its slots make other segments than were posted")


def _waits_for_rating(connection: Connection, meter_id: bytes) -> bool:
    """Whether a meter is listed for work that is due by the last commit."""
    (listed,) = _row(
        connection,
        "SELECT count(*) FROM rating_work WHERE meter_id = ? "
        "AND due_us <= (SELECT coalesce(max(committed_us), 0) FROM batch)",
        meter_id,
    )
    return listed > 0


def _corrections(tx: Tx, state: MeterState, finding: Finding) -> Iterator[Fault]:
    """What is posted of T − M by role and bearer, and what is kept of it, is what rating from the start makes (B6)."""
    where = f"meter {state.meter_id.hex()}"
    holding = holding_of_meter(tx, state.meter_id)
    missing = unposted(tx, holding, divide(finding))
    if missing:
        yield Fault("rebuild", where, f"corrections are missing on accounts: {missing}")
    knowledge = knowledge_of(tx, state.meter_id)
    base = rating_base.load(tx, state, knowledge)
    if base is not None and divide(rate_again(tx, state, knowledge, base)) != divide(finding):
        yield Fault("rebuild", where, "what is kept of rating again (rating_base) says otherwise than its log")


def _closed_corrections(tx: Tx, begins: WalletOpening, finding: Finding) -> Iterator[Fault]:
    """The same for a wallet generation that is closed; the present wallet bears it."""
    holding = replace(holding_of_meter(tx, begins.meter_id), generation=begins.generation)
    missing = unposted(tx, holding, divide(finding))
    if missing:
        where = f"meter {begins.meter_id.hex()}"
        yield Fault("rebuild", where, f"corrections of generation {begins.generation} are missing: {missing}")


def daily_cuts(connection: Connection) -> Iterator[Fault]:
    """T(k) − S(k) = A at every meter's last cut, with A summed from the books (SEMANTICS B8, W01)."""
    tx = Tx(connection, 0, 0)
    for (meter_id,) in tx.cursor.execute("SELECT meter_id FROM meter_state ORDER BY meter_id").fetchall():
        state = meter_state.load(tx, meter_id)
        corrected = corrected_mills(connection, meter_id, state.generation)
        difference = state.today.spent_mills - state.spent_mills - corrected
        if difference:
            yield Fault(
                "daily-cut",
                f"meter {meter_id.hex()}",
                f"at slot {state.frontier_slot} T - S = {state.today.spent_mills - state.spent_mills}, A = {corrected}",
            )


def corrected_mills(connection: Connection, meter_id: bytes, generation: int) -> int:
    """A: what rating corrections added to revenue, less what they took from it."""
    roles = ", ".join(f"'{role}'" for role in chart.CHARGE_ROLES)
    (total,) = _row(
        connection,
        "SELECT coalesce(sum(CASE a.id WHEN t.credit_account THEN t.amount_mills ELSE -t.amount_mills END), 0) "
        "FROM entry e JOIN transfer t ON t.entry_id = e.id "
        "JOIN account a ON a.id IN (t.credit_account, t.debit_account) "
        f"WHERE e.kind = 'rating' AND e.meter_id = ? AND e.generation = ? AND a.class_ IN ({roles})",
        meter_id,
        generation,
    )
    return int(total)


def _row(connection: Connection, query: str, *values: object) -> tuple[int, ...]:
    row = connection.exec_driver_sql(query, values).fetchone()
    assert row is not None
    return tuple(row)


@dataclass(frozen=True, slots=True)
class Check:
    """A named check; its docstring says what it promises."""

    name: str
    faults: Callable[[Connection], Iterator[Fault]]


CHECKS = (
    Check("chain", chain_faults),
    Check("trial-balance", trial_balance),
    Check("wallets", wallets),
    Check("money-in", money_in),
    Check("statements", statements),
    Check("recovered", recovered),
    Check("rebuild", shadows),
    Check("daily-cut", daily_cuts),
)


def check_books(connection: Connection) -> list[Fault]:
    """All faults of all checks. A check that cannot even read its rows reports that as its fault."""
    faults: list[Fault] = []
    for check in CHECKS:
        try:
            faults += check.faults(connection)
        except (LookupError, ValueError, AssertionError, TypeError) as failure:
            faults.append(Fault(check.name, "books", f"cannot be checked: {failure!r}"))
    return faults
