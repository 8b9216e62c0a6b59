"""A claim: the token, once, for what the technician needs on site without a network.

The tool makes a random claim value before it asks. With the same value it may ask again, so a lost answer harms
nothing; another value is refused, so a token seen over a shoulder opens nothing. Wrong tokens are counted per job.
"""

import hashlib
import hmac
from dataclasses import dataclass

from headend.field import grants, identities, jobs, tokens
from headend.field.grants import Issued
from headend.field.jobs import Job
from headend.meters.keyring import Keyring
from headend.meters.registry import Provisioning
from headend.refusals import Code, Counted, Refused
from headend.storage.writer import Tx

ATTEMPTS_MAX = 10


@dataclass(frozen=True, slots=True)
class Claimed:
    """What goes to the technician's tool; `identity` holds a root key."""

    job: Job
    identity: Provisioning | None
    grants: tuple[Issued, ...]
    installation_grace_mills: int


def claim(tx: Tx, keyring: Keyring, technician: str, number: int, token: str, value: bytes) -> Claimed:
    """Take a job. Raises Refused; a wrong token raises Counted, after which its attempt must be committed."""
    job = jobs.find_job(tx, number, technician)
    _require_token(tx, job, token)
    if job.state in (jobs.CANCELLED, jobs.RECORDED, jobs.DONE):
        raise Refused(Code.JOB_OVER, "job_id", jobs.job_id(number))
    if tx.now_us >= job.expires_us:
        raise Refused(Code.JOB_EXPIRED, "job_id", jobs.job_id(number))
    hashed = hashlib.sha256(value).digest()
    if job.claim_hash is None:
        _take(tx, keyring, job, hashed)
    elif not hmac.compare_digest(job.claim_hash, hashed):
        raise Refused(Code.TOKEN_USED, "claim", jobs.job_id(number))
    identity = identities.kept(tx, keyring, number)
    if identity is None and job.kind in (jobs.INSTALL, jobs.SWAP):
        raise Refused(Code.IDENTITY_SPENT, "job_id", jobs.job_id(number))
    (grace_mills,) = tx.cursor.execute("SELECT installation_grace_mills FROM utility").fetchone()
    issued = tuple(grants.of_job(tx, keyring, number))
    return Claimed(jobs.find_job(tx, number), identity, issued, int(grace_mills))


def _require_token(tx: Tx, job: Job, token: str) -> None:
    """The right token, while there are attempts left; a locked job does not even say whether it is right."""
    if job.attempts >= ATTEMPTS_MAX:
        raise Refused(Code.JOB_LOCKED, "token", jobs.job_id(job.number))
    if not tokens.matches(job.token_hash, job.number, token):
        tx.cursor.execute("UPDATE field_job SET attempts = attempts + 1 WHERE id = ?", (job.number,))
        raise Counted(Code.TOKEN_WRONG, "token", jobs.job_id(job.number))


def _take(tx: Tx, keyring: Keyring, job: Job, hashed: bytes) -> None:
    """The first claim: the grants get their numbers. It may come before the job begins, while there is a network."""
    tx.cursor.execute(
        "UPDATE field_job SET state = 'claimed', claim_hash = ?, claimed_us = ? WHERE id = ?",
        (hashed, tx.now_us, job.number),
    )
    begins_s, until_s = job.not_before_us // jobs.SECOND_US, job.expires_us // jobs.SECOND_US
    for meter_id, role in _roles(job):
        terms = grants.wanted(meter_id, role, grants.JOB_USES, begins_s, until_s)
        grants.issue(tx, keyring, terms, job.technician, job.number)


def _roles(job: Job) -> list[tuple[bytes, int]]:
    """One grant per meter: a meter takes no lower number after a higher one."""
    if job.kind == jobs.VISIT:
        return [(job.meter_id, job.role)]
    if job.kind == jobs.INSTALL:
        return [(job.meter_id, grants.TECHNICIAN)]
    found = [(job.meter_id, grants.RETIRER)]
    if job.new_meter_id is not None:
        found.append((job.new_meter_id, grants.TECHNICIAN))
    return found
