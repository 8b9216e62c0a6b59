"""Jobs: work at one meter for one technician, made by the office and opened with a one-time token.

    open ─claim→ claimed ─record→ recorded ─first uplink→ done        cancelled from open or claimed

Cancelling calls nobody back who is out of reach: the record of a job that was claimed is taken from cancelled, too.
A job's id is "j" and its number, as people say it. A meter has one job under way at most.
"""

from dataclasses import dataclass, replace

from headend.field import identities, tokens
from headend.field.technicians import require_technician
from headend.meters.keyring import Keyring
from headend.meters.lookup import SPARE, holding_in_use, state_of_meter
from headend.meters.registry import FIRST_GENERATION, NewMeter, Provisioning, add_meter
from headend.meters.renewal import renew_meter
from headend.meters.swap import prepare_swap
from headend.refusals import Code, Refused
from headend.storage.writer import Tx

INSTALL, SWAP, RETIRE, VISIT = "install", "swap", "retire", "visit"
OPEN, CLAIMED, RECORDED, DONE, CANCELLED = "open", "claimed", "recorded", "done", "cancelled"
UNDER_WAY = (OPEN, CLAIMED)
HOURS_MAX = 72
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US

_COLUMNS = (
    "id, kind, technician, meter_id, new_meter_id, litres_per_pulse, first_index_l, role, note, state, token_hash, "
    "attempts, claim_hash, created_us, not_before_us, expires_us"
)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to make. `meter` is one to register (install); `meter_id` one that is registered."""

    kind: str
    technician: str
    hours: int
    meter: NewMeter | None = None
    meter_id: bytes | None = None
    new_meter_id: bytes | None = None
    litres_per_pulse: int | None = None
    first_index_l: int | None = None
    role: int | None = None
    not_before_us: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One row of field_job. `role` is that of a visit's grant, 0 where the kind says it."""

    number: int
    kind: str
    technician: str
    meter_id: bytes
    new_meter_id: bytes | None
    litres_per_pulse: int
    first_index_l: int | None
    role: int
    note: str
    state: str
    token_hash: bytes
    attempts: int
    claim_hash: bytes | None
    created_us: int
    not_before_us: int
    expires_us: int

    @property
    def commissioned(self) -> bytes:
        """The meter that the technician leaves behind, or the one that is visited or taken away."""
        return self.meter_id if self.new_meter_id is None else self.new_meter_id

    @property
    def meters(self) -> tuple[bytes, ...]:
        return (self.meter_id,) if self.new_meter_id is None else (self.meter_id, self.new_meter_id)


def create_job(tx: Tx, keyring: Keyring, new: NewJob, token: str) -> Job:
    """Make a job that this token opens. Raises Refused; then nothing was changed."""
    _check_fields(new)
    require_technician(tx, new.technician)
    identities.forget_expired(tx)
    begins_us = tx.now_us if new.not_before_us is None else max(new.not_before_us, tx.now_us)
    meter_id = new.meter_id if new.meter is None else new.meter.meter_id
    assert meter_id is not None
    for one in filter(None, (meter_id, new.new_meter_id)):
        _require_no_job(tx, one)
    made = _prepared(tx, keyring, new)
    litres_per_pulse = _litres_per_pulse(tx, meter_id) if made is None else made.litres_per_pulse
    row = {
        "kind": new.kind,
        "technician": new.technician,
        "meter_id": meter_id,
        "new_meter_id": new.new_meter_id,
        "litres_per_pulse": litres_per_pulse,
        "first_index_l": new.first_index_l,
        "role": new.role or 0,
        "note": new.note,
        "state": OPEN,
        "token_hash": b"",
        "attempts": 0,
        "created_us": tx.now_us,
        "not_before_us": begins_us,
        "expires_us": begins_us + new.hours * HOUR_US,
    }
    tx.cursor.execute(f"INSERT INTO field_job ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", row)
    number = int(tx.cursor.lastrowid)
    hashed = tokens.hash_of(number, token)
    tx.cursor.execute("UPDATE field_job SET token_hash = ? WHERE id = ?", (hashed, number))
    if made is not None:
        identities.keep(tx, keyring, number, made)
    return find_job(tx, number)


def find_job(tx: Tx, number: int, technician: str | None = None, field: str = "job_id") -> Job:
    """The job; one of another technician than `technician` is as unknown as one that never was. `field` named it."""
    row = tx.cursor.execute(f"SELECT {_COLUMNS} FROM field_job WHERE id = ?", (number,)).fetchone()
    if row is None or technician not in (None, row[2]):
        raise Refused(Code.JOB_UNKNOWN, field, job_id(number))
    return Job(*row)


def cancel_job(tx: Tx, number: int) -> Job:
    """End a job that is not recorded: its token opens nothing more. What was to be provisioned is gone, unless it was
    handed out and may be in a meter. Again is no change."""
    job = find_job(tx, number)
    if job.state == CANCELLED:
        return job
    if job.state not in UNDER_WAY:
        raise Refused(Code.JOB_OVER, "job_id", job_id(number))
    if job.claim_hash is None:
        identities.forget(tx, number)
    tx.cursor.execute("UPDATE field_job SET state = ?, ended_us = ? WHERE id = ?", (CANCELLED, tx.now_us, number))
    return replace(job, state=CANCELLED)


def job_id(number: int) -> str:
    """17 → "j17"."""
    return f"j{number}"


def number_of(text: str) -> int:
    """ "j17" → 17."""
    return int(text[1:])


_NEEDED = {
    INSTALL: (),
    SWAP: ("meter_id", "new_meter_id", "litres_per_pulse", "first_index_l"),
    RETIRE: ("meter_id",),
    VISIT: ("meter_id", "role"),
}


def _check_fields(new: NewJob) -> None:
    """Each kind takes what it needs and nothing else."""
    given = [
        name
        for name in ("meter", "meter_id", "new_meter_id", "litres_per_pulse", "first_index_l", "role")
        if getattr(new, name) is not None
    ]
    if new.kind == INSTALL:
        if given not in (["meter"], ["meter_id"]):
            raise Refused(Code.JOB_FIELDS, given[-1] if given else "meter", new.kind)
        return
    wrong = [name for name in given if name not in _NEEDED[new.kind]]
    missing = [name for name in _NEEDED[new.kind] if name not in given]
    if wrong or missing:
        raise Refused(Code.JOB_FIELDS, (wrong + missing)[0], new.kind)
    if new.new_meter_id is not None and new.new_meter_id == new.meter_id:
        raise Refused(Code.JOB_FIELDS, "new_meter_id", new.kind)


def _require_no_job(tx: Tx, meter_id: bytes) -> None:
    """A job that expired unclaimed is in nobody's way; a claimed one may still be recorded."""
    row = tx.cursor.execute(
        "SELECT id FROM field_job WHERE (meter_id = ?1 OR new_meter_id = ?1) "
        "AND (state = 'claimed' OR (state = 'open' AND expires_us > ?2))",
        (meter_id, tx.now_us),
    ).fetchone()
    if row is not None:
        raise Refused(Code.METER_HAS_JOB, "meter_id", job_id(row[0]))


def _prepared(tx: Tx, keyring: Keyring, new: NewJob) -> Provisioning | None:
    """What the meter of the job is to be provisioned with; None where nothing is."""
    if new.meter is not None:
        return add_meter(tx, keyring, new.meter)
    assert new.meter_id is not None
    holding_in_use(tx, new.meter_id)
    if new.kind == SWAP:
        assert new.new_meter_id is not None and new.litres_per_pulse is not None
        _require_never_heard(tx, new.new_meter_id, "new_meter_id")
        _replace_root_handed_out(tx, keyring, new.new_meter_id)
        return prepare_swap(tx, keyring, new.meter_id, new.new_meter_id, new.litres_per_pulse)
    if new.kind != INSTALL:
        return None
    _require_never_heard(tx, new.meter_id, "meter_id")
    # Its root may be on a laptop that an earlier job went to: another one, and the wallet with it (SEMANTICS A4).
    return renew_meter(tx, keyring, new.meter_id)


def _require_never_heard(tx: Tx, meter_id: bytes, field: str) -> None:
    """A meter that was heard holds its root; it is not given again. Its link knows it from before 0008."""
    row = tx.cursor.execute(
        "SELECT 1 FROM first_uplink WHERE meter_id = ?1 "
        "UNION SELECT 1 FROM meter_link WHERE meter_id = ?1 AND heard_us IS NOT NULL",
        (meter_id,),
    ).fetchone()
    if row is not None:
        raise Refused(Code.METER_HEARD, field, meter_id.hex())


def _replace_root_handed_out(tx: Tx, keyring: Keyring, meter_id: bytes) -> None:
    """A spare whose root went to a laptop with an earlier job gets another one. The earlier job keeps the other, in
    case that its technician has mounted the spare by now (handed_out.py)."""
    handed_out = tx.cursor.execute(
        "SELECT 1 FROM field_job WHERE new_meter_id = ? AND claim_hash IS NOT NULL", (meter_id,)
    ).fetchone()
    if handed_out is not None and state_of_meter(tx, meter_id) == SPARE:
        tx.cursor.execute("DELETE FROM meter_key WHERE meter_id = ?", (meter_id,))
        keyring.new_root(tx, meter_id, FIRST_GENERATION)


def _litres_per_pulse(tx: Tx, meter_id: bytes) -> int:
    (found,) = tx.cursor.execute("SELECT litres_per_pulse FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()
    return int(found)
