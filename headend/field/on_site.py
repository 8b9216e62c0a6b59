"""Closing cases of work on site: by an operator, or by the record of a visit that shows the work done.

Cases of the books close when the books agree again; nobody closes them by hand.
"""

import json

from headend.field.jobs import VISIT, Job, job_id
from headend.field.record import FAILED, PASSED, Record
from headend.ledger.cases import ON_SITE, CaseKind
from headend.refusals import Code, Refused
from headend.storage.writer import Tx

CLOSABLE = frozenset(map(str, ON_SITE))
# Which passed steps show that a case is seen to; a failed one of them shows the contrary.
SHOWN_BY = {
    CaseKind.VALVE: ("valve_open", "valve_close", "leak_by"),
    CaseKind.AIR: ("volume_test",),
    CaseKind.BACKFLOW: ("orientation",),
}


def close_case(tx: Tx, case: int, outcome: str, note: str) -> None:
    """Close a case of work on site. Raises Refused."""
    row = tx.cursor.execute("SELECT kind, closed_us, detail FROM case_file WHERE id = ?", (case,)).fetchone()
    if row is None:
        raise Refused(Code.CASE_UNKNOWN, "case", str(case))
    if row[1] is not None:
        raise Refused(Code.CASE_CLOSED, "case", str(case))
    if row[0] not in CLOSABLE:
        raise Refused(Code.CASE_NOT_ON_SITE, "case", row[0])
    detail = {**json.loads(row[2]), **({"note": note} if note else {})}
    written = json.dumps(detail, sort_keys=True)
    tx.cursor.execute(
        "UPDATE case_file SET closed_us = ?, outcome = ?, detail = ? WHERE id = ?", (tx.now_us, outcome, written, case)
    )


def close_shown(tx: Tx, job: Job, record: Record) -> None:
    """Close the cases that the record of a visit shows to be seen to: those that were open when it began."""
    if job.kind != VISIT:
        return
    for kind, steps in SHOWN_BY.items():
        outcomes = {step.outcome for step in record.steps if step.name in steps}
        if PASSED in outcomes and FAILED not in outcomes:
            tx.cursor.execute(
                "UPDATE case_file SET closed_us = ?, outcome = ? "
                "WHERE meter_id = ? AND kind = ? AND closed_us IS NULL AND opened_us <= ?",
                (tx.now_us, f"visited {job_id(job.number)}", job.meter_id, str(kind), record.finished_at * 1_000_000),
            )
