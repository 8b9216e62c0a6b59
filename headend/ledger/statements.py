"""Statements: C and D of a meter with a number, and the sub-accounts they are sums of (SEMANTICS A3).

A statement is a row, never an update: the highest number of a meter and generation counts. C and D only rise; what a
restore recovered (A5) falls by what another part is found to explain of it.
"""

from dataclasses import dataclass, replace

from headend.storage.tables import CREDIT_PARTS, DEBIT_PARTS
from headend.storage.writer import Tx

PARTS = (*CREDIT_PARTS, *DEBIT_PARTS)
RECOVERED_C, RECOVERED_D = "recovered_mills", "recovered_debit_mills"


@dataclass(frozen=True, slots=True)
class Statement:
    """C and D of one meter and wallet generation, in mills, by what they are made of."""

    meter_id: bytes
    generation: int
    number: int
    paid_mills: int = 0
    moved_in_mills: int = 0
    rating_credit_mills: int = 0
    recovered_mills: int = 0
    reversed_mills: int = 0
    rating_debit_mills: int = 0
    moved_out_mills: int = 0
    recovered_debit_mills: int = 0

    @property
    def credited_mills(self) -> int:
        """C: 500,000 paid + 40,000 credited by a rating correction = 540,000."""
        return self.paid_mills + self.moved_in_mills + self.rating_credit_mills + self.recovered_mills

    @property
    def debited_mills(self) -> int:
        """D: 10,000 reversed + 0 = 10,000."""
        parts = (self.reversed_mills, self.rating_debit_mills, self.moved_out_mills, self.recovered_debit_mills)
        return sum(parts)


def current(tx: Tx, meter_id: bytes, generation: int) -> Statement:
    """The statement that counts. Raises LookupError for a meter that was never opened."""
    found = numbered(tx, meter_id, generation, None)
    if found is None:
        raise LookupError(f"meter {meter_id.hex()} has no statement in generation {generation}")
    return found


def granted(tx: Tx, meter_id: bytes, generation: int) -> Statement:
    """The statement that counts; nothing at all of a meter that has no wallet yet."""
    return numbered(tx, meter_id, generation, None) or Statement(meter_id, generation, 0)


def numbered(tx: Tx, meter_id: bytes, generation: int, number: int | None) -> Statement | None:
    """The statement of that number, or the last one when `number` is None; None if there is no such."""
    row = tx.cursor.execute(
        f"SELECT number, {', '.join(PARTS)} FROM statement WHERE meter_id = ? AND generation = ? "
        "AND number = coalesce(?, number) ORDER BY number DESC LIMIT 1",
        (meter_id, generation, number),
    ).fetchone()
    return None if row is None else Statement(meter_id, generation, *map(int, row))


def open_statement(tx: Tx, meter_id: bytes, generation: int) -> Statement:
    """The first one of a new wallet generation: C = D = 0. Its number is 0; where a restore undid that this wallet was
    opened, one beyond those that it had then (SEMANTICS A5)."""
    row = tx.cursor.execute(
        "SELECT number FROM recovery WHERE meter_id = ? AND generation IN (0, ?)", (meter_id, generation)
    ).fetchone()
    return _append(tx, Statement(meter_id, generation, 0 if row is None else int(row[0])), None)


def grant(
    tx: Tx, meter_id: bytes, generation: int, entry_id: int, part: str, amount_mills: int, explained_mills: int = 0
) -> Statement:
    """Raise one part of C or D by what an entry posted, under the next number; what it explains of what was recovered
    is recovered no longer (SEMANTICS A5)."""
    if part not in PARTS or not 0 <= explained_mills <= amount_mills or not amount_mills:
        raise ValueError(f"cannot raise {part!r} by {amount_mills}, {explained_mills} of it explained")
    last = current(tx, meter_id, generation)
    recovered = RECOVERED_C if part in CREDIT_PARTS else RECOVERED_D
    changes = {recovered: getattr(last, recovered) - explained_mills}
    changes[part] = changes.get(part, getattr(last, part)) + amount_mills
    raised = replace(last, number=last.number + 1, **changes)
    return _append(tx, raised, entry_id)


def leave_out_numbers(tx: Tx, meter_id: bytes, generation: int, number: int) -> Statement:
    """The last statement again under a much higher number: those in between may be on the meter with other content."""
    return _append(tx, replace(current(tx, meter_id, generation), number=number), None)


def _append(tx: Tx, statement: Statement, entry_id: int | None) -> Statement:
    parts = {part: getattr(statement, part) for part in PARTS}
    totals = {"credited_mills": statement.credited_mills, "debited_mills": statement.debited_mills}
    head = {"meter_id": statement.meter_id, "generation": statement.generation, "number": statement.number}
    tx.append("statement", {**head, **totals, **parts, "entry_id": entry_id})
    return statement
