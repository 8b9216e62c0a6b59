"""Grants: what a technician may do at a meter's service port, for how long and how often (protocol/wire/grants.py).

A grant's key follows from the meter's root and its terms, so it is never stored: the terms are, under a number that
rises per meter for ever, and each issue leaves its audit row.
"""

from dataclasses import dataclass, field

from headend.meters.keyring import Keyring
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.wire.console_codes import MAINTAINER as MAINTAINER
from protocol.wire.console_codes import READER as READER
from protocol.wire.console_codes import RETIRER as RETIRER
from protocol.wire.console_codes import TECHNICIAN as TECHNICIAN
from protocol.wire.grants import GRANT_S_MAX, Grant, check, grant_key

ROLES = (READER, TECHNICIAN, MAINTAINER, RETIRER)
# A checklist that is interrupted at each of its steps still ends within one grant.
JOB_USES = 50
# For a meter's clock that is a little behind.
EARLY_S = 600

_COLUMNS = "meter_id, generation, number, role, uses, from_s, until_s"


@dataclass(frozen=True, slots=True)
class Issued:
    """A grant with its key, for the technician it was made for."""

    grant: Grant
    technician: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms of a grant before it has its number."""

    meter_id: bytes
    role: int
    uses: int
    from_s: int
    until_s: int


def wanted(meter_id: bytes, role: int, uses: int, begins_s: int, until_s: int) -> Wanted:
    """Terms from a little before `begins_s` on, never more than 72 hours."""
    return Wanted(meter_id, role, uses, max(begins_s - EARLY_S, until_s - GRANT_S_MAX), until_s)


def issue(tx: Tx, keyring: Keyring, terms: Wanted, technician: str, job: int | None) -> Issued:
    """Give the terms the meter's next number and their key. Raises Refused for a meter without keys."""
    generation = _generation(tx, terms.meter_id)
    last = tx.cursor.execute("SELECT max(number) FROM field_grant WHERE meter_id = ?", (terms.meter_id,)).fetchone()[0]
    number = (last or 0) + 1
    grant = check(Grant(terms.meter_id, generation, number, terms.role, terms.uses, terms.from_s, terms.until_s))
    tx.cursor.execute(
        f"INSERT INTO field_grant ({_COLUMNS}, technician, job_id, issued_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*grant, technician, job, tx.now_us),
    )
    return _with_key(tx, keyring, grant, technician)


def of_job(tx: Tx, keyring: Keyring, job: int) -> list[Issued]:
    """The grants of a job again, with their keys; none for keys that were destroyed meanwhile."""
    rows = tx.cursor.execute(
        f"SELECT {_COLUMNS}, technician FROM field_grant JOIN meter_key USING (meter_id, generation) "
        "WHERE job_id = ? ORDER BY meter_id, number",
        (job,),
    ).fetchall()
    return [_with_key(tx, keyring, Grant(bytes(row[0]), *row[1:7]), row[7]) for row in rows]


def _with_key(tx: Tx, keyring: Keyring, grant: Grant, technician: str) -> Issued:
    root = keyring.root(tx, grant.meter_id, grant.generation)
    return Issued(grant, technician, grant_key(root, grant))


def _generation(tx: Tx, meter_id: bytes) -> int:
    row = tx.cursor.execute(
        "SELECT m.generation FROM meter m JOIN meter_key k USING (meter_id, generation) WHERE m.meter_id = ?",
        (meter_id,),
    ).fetchone()
    if row is None:
        raise Refused(Code.METER_UNKNOWN, "meter_id", meter_id.hex())
    return int(row[0])
