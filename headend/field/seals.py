"""Numbered seals (IW-83): delivered in ranges, each placed on one meter once, read at visits, broken at the end."""

from typing import NamedTuple

from headend.field.jobs import INSTALL, RETIRE, SWAP, Job
from headend.field.record import Record
from headend.ledger.cases import CaseKind, open_case
from headend.refusals import Code, Refused
from headend.storage.writer import Tx

STOCK, PLACED, BROKEN = "stock", "placed", "broken"
RANGE_MAX = 10_000

UNKNOWN = "seal_unknown"  # never delivered to the office
TAKEN = "seal_taken"  # placed on another meter, or broken
MISMATCH = "seal_mismatch"  # not the one that was placed on this meter


class SealRange(NamedTuple):
    """Seals `prefix` + the numbers from `first` to `last`, all with the same number of digits."""

    prefix: str
    first: str
    last: str


def import_seals(tx: Tx, seals: SealRange) -> int:
    """Take seals into stock; how many. Raises Refused, and takes none."""
    first, last = int(seals.first), int(seals.last)
    if len(seals.first) != len(seals.last) or not 0 <= last - first < RANGE_MAX:
        raise Refused(Code.SEAL_RANGE, "last", f"{seals.first} to {seals.last}")
    numbers = [f"{seals.prefix}{number:0{len(seals.first)}}" for number in range(first, last + 1)]
    for number in numbers:
        cursor = tx.cursor.execute(
            "INSERT INTO seal (number, state, imported_us) VALUES (?, 'stock', ?) ON CONFLICT (number) DO NOTHING",
            (number, tx.now_us),
        )
        if cursor.rowcount != 1:
            raise Refused(Code.SEAL_EXISTS, "first", number)
    return len(numbers)


def settle(tx: Tx, job: Job, record: Record) -> list[str]:
    """What a record says of seals: what comes off is broken, what is put on is placed. Returns findings."""
    step = record.passed("seal")
    number = None if step is None else str(step.values.get("number", ""))
    if job.kind in (SWAP, RETIRE):
        _break(tx, job.meter_id)
    if job.kind == RETIRE or number is None:
        return []
    expected = None if job.kind in (INSTALL, SWAP) else _on(tx, job.commissioned)
    if expected == number:
        tx.cursor.execute("UPDATE seal SET read_us = ? WHERE number = ?", (tx.now_us, number))
        return []
    findings = [] if expected is None else [MISMATCH]
    findings += _place(tx, job, number)
    if findings:
        detail = {"found": number, "expected": expected, "job": f"j{job.number}", "why": findings[-1]}
        open_case(tx, CaseKind.SEAL, f"j{job.number}", job.commissioned, **detail)
    return findings


def _on(tx: Tx, meter_id: bytes) -> str | None:
    """The seal that was placed on a meter."""
    row = tx.cursor.execute("SELECT number FROM seal WHERE meter_id = ? AND state = 'placed'", (meter_id,)).fetchone()
    return None if row is None else str(row[0])


def _place(tx: Tx, job: Job, number: str) -> list[str]:
    """Place a seal from stock in the place of the one that is there; a finding where it cannot be."""
    row = tx.cursor.execute("SELECT state FROM seal WHERE number = ?", (number,)).fetchone()
    if row is None:
        return [UNKNOWN]
    if row[0] != STOCK:
        return [TAKEN]
    _break(tx, job.commissioned)
    tx.cursor.execute(
        "UPDATE seal SET state = 'placed', meter_id = ?, technician = ?, placed_us = ? WHERE number = ?",
        (job.commissioned, job.technician, tx.now_us, number),
    )
    return []


def _break(tx: Tx, meter_id: bytes) -> None:
    tx.cursor.execute(
        "UPDATE seal SET state = 'broken', broken_us = ? WHERE meter_id = ? AND state = 'placed'",
        (tx.now_us, meter_id),
    )
