"""Taking a record: who signed it, which meters attest it, what they send along, and then what it changes.

    signature → the job → attestations → which root the meter holds → frames, as any uplink → swap or retirement
    → seals, place, cases → done

Frames come first: what a meter says itself is in the books before its wallet is closed. A record is taken once; the
same one again gets the same answer. Once a job was claimed its work may be done, whatever the office decided since:
that it was cancelled, or that its swap is not possible any more, is a finding.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from headend.field import attestations, findings, handed_out, identities, jobs, on_site, seals
from headend.field.jobs import Job, find_job
from headend.field.record import Record
from headend.field.technicians import require_signed
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Bearer, Received
from headend.meters.keyring import Keyring
from headend.meters.lookup import ACTIVE, RETIRED, state_of_meter
from headend.meters.retirement import retire_meter
from headend.meters.swap import execute_swap, opening_of_swap
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.limits import SLOT_MAX, VOLUME_MAX


@dataclass(frozen=True, slots=True)
class Signed:
    """A record with its proof."""

    record: Record
    signature: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A record that is in the books; `opening_frame` is to be carried to the new meter of a swap."""

    number: int
    job: Job
    opening_frame: bytes | None
    findings: tuple[str, ...]


def take_record(
    tx: Tx, keyring: Keyring, random_bytes: Callable[[int], bytes], technician: str, signed: Signed
) -> Taken:
    """Take the record of a job. Raises Refused; then nothing was changed."""
    record = signed.record
    require_signed(tx, technician, signed.fingerprint, record.canonical, signed.signature)
    job = find_job(tx, jobs.number_of(record.job_id), technician, "record/job_id")
    earlier = _taken_before(tx, job, record)
    if earlier is not None:
        return earlier
    if job.claim_hash is None:
        raise Refused(Code.JOB_NOT_CLAIMED if job.state == jobs.OPEN else Code.JOB_OVER, "record/job_id", record.job_id)
    _require_of_job(job, record)
    attested = attestations.require_genuine(tx, keyring, job, record)
    found = [findings.CANCELLED] if job.state == jobs.CANCELLED else []
    found += findings.of_times(tx, job, record) + findings.of_steps(job, record)
    found += handed_out.settle(tx, keyring, job, attested.get(job.commissioned))
    spoke, refused = _take_frames(tx, Ingest(keyring, random_bytes), record)
    # The old meter of a swap is out of the wall before there is a record to attest: it speaks by the frames it sealed.
    proved = job.commissioned in attested and attested.keys() | spoke >= set(job.meters)
    found += ([] if proved else [findings.NOT_ATTESTED]) + refused
    opening_frame, ended = _end_old_meter(tx, keyring, job, record)
    found += ended + findings.of_position(tx, job, record)
    findings.open_case_of(tx, job, [one for one in found if one != findings.OUTSIDE])
    number = _keep(tx, job, signed, found + seals.settle(tx, job, record), opening_frame)
    on_site.close_shown(tx, job, record)
    _settle(tx, job)
    return _of_row(tx, job, number)


def _taken_before(tx: Tx, job: Job, record: Record) -> Taken | None:
    """The answer given to the same record. Raises Refused where another one of this job was taken."""
    row = tx.cursor.execute("SELECT id, record_hash FROM field_record WHERE job_id = ?", (job.number,)).fetchone()
    if row is None:
        return None
    if bytes(row[1]) != _hash(record):
        raise Refused(Code.RECORD_EXISTS, "record/job_id", record.job_id)
    return _of_row(tx, job, row[0])


def _of_row(tx: Tx, job: Job, number: int) -> Taken:
    row = tx.cursor.execute("SELECT opening_frame, findings FROM field_record WHERE id = ?", (number,)).fetchone()
    opening_frame = None if row[0] is None else bytes(row[0])
    return Taken(number, find_job(tx, job.number), opening_frame, tuple(json.loads(row[1])))


def _require_of_job(job: Job, record: Record) -> None:
    """A record says again what the job says, speaks of its meters alone, and names each step once."""
    for name in ("kind", "technician", "meter_id", "new_meter_id"):
        if getattr(record, name) != getattr(job, name):
            raise Refused(Code.RECORD_OTHER_JOB, f"record/{name}", record.job_id)
    for at, carried in enumerate(record.frames):
        if carried.meter_id not in job.meters:
            raise Refused(Code.RECORD_OTHER_JOB, f"record/frames/{at}/meter_id", carried.meter_id.hex())
    names = [step.name for step in record.steps]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise Refused(Code.RECORD_STEPS, f"record/steps/{at}/name", name)


def _take_frames(tx: Tx, ingest: Ingest, record: Record) -> tuple[set[bytes], list[str]]:
    """Each frame as if a bearer had brought it: (the meters that sealed one, findings). One that is not taken hinders
    nothing; one that was heard before proves nothing: whoever listens to the radio has it."""
    spoke, found = set(), set()
    for carried in record.frames:
        answer = ingest.receive(tx, Received(carried.meter_id, carried.frame, Bearer.HAND, None, tx.now_us))
        if answer.refusal is not None:
            found.add(findings.FRAME_REFUSED)
        elif not answer.duplicate:
            spoke.add(carried.meter_id)
    return spoke, list(found)


def _end_old_meter(tx: Tx, keyring: Keyring, job: Job, record: Record) -> tuple[bytes | None, list[str]]:
    """Swap or retire: (the OPENING for a new meter, findings). What was done on site is done, whatever was read there:
    an index that cannot be is left out, and the meter's own last word counts. Where the spare was retired or prepared
    for another place meanwhile, the old meter stays in the books until a person has decided."""
    if job.kind not in (jobs.SWAP, jobs.RETIRE):
        return None, []
    if state_of_meter(tx, job.meter_id) == RETIRED:
        opened = job.new_meter_id is not None and state_of_meter(tx, job.new_meter_id) == ACTIVE
        return opening_of_swap(tx, keyring, job.commissioned) if opened else None, [findings.ENDED_BEFORE]
    step = record.step("final")
    index_l = None if step is None else step.number("volume_l")
    found = []
    if index_l is not None and not 0 <= index_l <= VOLUME_MAX:
        index_l, found = None, [findings.FINAL_INDEX]
    try:
        return _end(tx, keyring, job, record, index_l), found
    except Refused as refused:
        # Told before anything is written (swap.py, closing.py).
        if refused.code in (Code.METER_RETIRED, Code.NOT_THE_SPARE):
            return None, [*found, findings.NOT_EXECUTED]
        if refused.code is not Code.INDEX_BEHIND:
            raise
    return _end(tx, keyring, job, record, None), [findings.FINAL_INDEX]


def _end(tx: Tx, keyring: Keyring, job: Job, record: Record, index_l: int | None) -> bytes | None:
    if job.new_meter_id is None:
        retire_meter(tx, job.meter_id, index_l)
        return None
    step = record.step("final")
    at_slot = min(max(slot_of(record.finished_at if step is None else step.at_unix_s), 0), SLOT_MAX)
    return execute_swap(tx, keyring, job.meter_id, job.new_meter_id, at_slot, index_l, job.first_index_l or 0)


def _keep(tx: Tx, job: Job, signed: Signed, found: list[str], opening_frame: bytes | None) -> int:
    return tx.append(
        "field_record",
        {
            "job_id": job.number,
            "meter_id": job.commissioned,
            "technician": job.technician,
            "fingerprint": signed.fingerprint,
            "record_hash": _hash(signed.record),
            "signature": signed.signature,
            "record": signed.record.canonical.decode(),
            "findings": json.dumps(found),
            "opening_frame": opening_frame,
        },
    )


def _settle(tx: Tx, job: Job) -> None:
    """Recorded, and done unless the meter that was commissioned is still to be heard; a retired one never is."""
    heard = tx.cursor.execute(
        "SELECT 1 FROM first_uplink JOIN meter USING (meter_id, generation) WHERE meter_id = ?", (job.commissioned,)
    ).fetchone()
    is_over = job.kind in (jobs.VISIT, jobs.RETIRE) or state_of_meter(tx, job.commissioned) == RETIRED
    identities.forget(tx, job.number)
    tx.cursor.execute(
        "UPDATE field_job SET state = ?, ended_us = ? WHERE id = ?",
        (jobs.DONE if is_over or heard is not None else jobs.RECORDED, tx.now_us, job.number),
    )


def _hash(record: Record) -> bytes:
    return hashlib.sha256(record.canonical).digest()
