"""Jobs for technicians: made and cancelled by the office, listed and claimed by the technician they are for."""

import os
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from headend.api.endpoint import FIELD, PROVISION, Endpoint
from headend.api.field_shapes import (
    MICRO,
    ClaimedJob,
    GrantWithKey,
    Hex32,
    Job,
    JobPath,
    Note,
    Technician,
    job_of,
)
from headend.api.keys import Caller
from headend.api.local_time import utility_offsets
from headend.api.new_meters import MeterToAdd, added, new_meter_of
from headend.api.problems import Problem
from headend.api.shapes import (
    Instant,
    Litres,
    MeterIdText,
    PageQuery,
    Request,
    Response,
    cursor_of,
    instant,
    keys_of,
    unix_s_of,
)
from headend.field import job_facts, jobs, tokens
from headend.field.claims import claim
from headend.field.grants import Issued
from headend.field.jobs import NewJob, find_job
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter
from headend.storage.writer import Tx


class JobToMake(Request):
    """A job for the technician with the key of that name. install: `meter`, or `meter_id` of one that never spoke;
    swap: `meter_id`, `new_meter_id`, `litres_per_pulse`, `first_index_l`; retire: `meter_id`; visit: `meter_id` and
    `role` (1 reads, 2 technician, 3 may update the firmware, 4 may take the meter out of use)."""

    kind: Literal["install", "swap", "retire", "visit"]
    technician: Technician
    hours: Annotated[int, Meta(ge=1, le=jobs.HOURS_MAX)]
    meter: MeterToAdd | None = None
    meter_id: MeterIdText | None = None
    new_meter_id: MeterIdText | None = None
    litres_per_pulse: Literal[1, 10, 100] | None = None
    first_index_l: Litres | None = None
    role: Literal[1, 2, 3, 4] | None = None
    not_before: Instant | None = None
    note: Note = ""


class MadeJob(Response):
    """The token is shown this once: tell it to the technician, and nobody else."""

    job_id: str
    kind: str
    meter_id: str
    new_meter_id: str | None
    token: str
    expires_at: str


class JobPage(Response):
    items: list[Job]
    next: str | None


class JobClaim(Request):
    """`claim` is made at random by the tool before it asks; with the same one it may ask again."""

    token: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z -]{16,40}(?![\s\S])",
            description="the job's token, as the office gave it",
            examples=["0000-0000-0000-0000"],
        ),
    ]
    claim: Hex32


class NothingMore(Request):
    """Nothing more is to be said: an empty object."""


def create_job(tx: Tx, keyring: Keyring, body: JobToMake, now_unix_s: int) -> MadeJob:
    """Make a job. The technician's tool claims it with the token, which is shown once, in this answer."""
    not_before_us = None if body.not_before is None else unix_s_of(body.not_before, "/not_before") * MICRO
    new = NewJob(
        kind=body.kind,
        technician=body.technician,
        hours=body.hours,
        meter=None if body.meter is None else _meter(tx, body.meter, now_unix_s),
        meter_id=_id(body.meter_id),
        new_meter_id=_id(body.new_meter_id),
        litres_per_pulse=body.litres_per_pulse,
        first_index_l=body.first_index_l,
        role=body.role,
        not_before_us=not_before_us,
        note=body.note,
    )
    token = tokens.make(os.urandom)
    made = jobs.create_job(tx, keyring, new, token)
    new_meter_id = None if made.new_meter_id is None else made.new_meter_id.hex()
    expires_at = instant(made.expires_us // MICRO)
    return MadeJob(jobs.job_id(made.number), made.kind, made.meter_id.hex(), new_meter_id, token, expires_at)


def list_jobs(connection: Connection, caller: Caller, query: PageQuery, now_unix_s: int) -> JobPage:
    """With the scope provision all jobs; else the caller's own that are to be done, recorded, or not heard of yet."""
    (after,) = keys_of(query.cursor, int) or (0,)
    found = job_facts.listed(connection, after, query.limit + 1, _only(caller), now_unix_s * MICRO)
    items = [job_of(one) for one in found[: query.limit]]
    return JobPage(items, cursor_of(jobs.number_of(items[-1].job_id)) if len(found) > query.limit else None)


def get_job(connection: Connection, caller: Caller, path: JobPath) -> Job:
    """One job. Another technician's is as unknown as one that never was."""
    return _job(connection, jobs.number_of(path.job_id), _only(caller))


def claim_job(tx: Tx, keyring: Keyring, caller: Caller, path: JobPath, body: JobClaim) -> ClaimedJob:
    """Take a job with its token: what the meter is provisioned with and the grants for its service port. With the same
    claim the answer is the same, until the meter is heard or the job expires. Ten wrong tokens lock the job."""
    number = jobs.number_of(path.job_id)
    found = claim(tx, keyring, caller.name, number, body.token, bytes.fromhex(body.claim))
    return ClaimedJob(
        job=_job(tx.connection, number, caller.name),
        identity=None if found.identity is None else added(found.identity),
        grants=[with_key(one) for one in found.grants],
        installation_grace_mills=found.installation_grace_mills,
    )


def cancel_job(tx: Tx, path: JobPath, body: NothingMore) -> Job:
    """End a job that is not recorded: its token opens nothing any more. Grants that were claimed end in their time."""
    number = jobs.number_of(path.job_id)
    jobs.cancel_job(tx, number)
    return _job(tx.connection, number, None)


def with_key(issued: Issued) -> GrantWithKey:
    """A grant as the technician's tool takes it."""
    terms = issued.grant._asdict() | {"meter_id": issued.grant.meter_id.hex()}
    return GrantWithKey(**terms, key=issued.key.hex())


def _only(caller: Caller) -> str | None:
    """Whose jobs the caller sees; None for all."""
    return None if PROVISION in caller.scopes else caller.name


def _job(connection: Connection, number: int, technician: str | None) -> Job:
    facts = job_facts.facts_of(connection, number, technician)
    if facts is None:
        find_job(Tx(connection, 0, 0), number, technician)
    assert facts is not None
    return job_of(facts)


def _id(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _meter(tx: Tx, meter: MeterToAdd, now_unix_s: int) -> NewMeter:
    """The meter to register; a refusal points into `meter`."""
    try:
        return new_meter_of(meter, now_unix_s, utility_offsets(tx.connection))
    except Problem as problem:
        inside = tuple((f"/meter{pointer}", text) for pointer, text in problem.errors)
        raise Problem(problem.code, inside, **problem.fields) from None


_JOBS = "/v1/field/jobs"
_JOB = _JOBS + "/{job_id}"

ENDPOINTS = (
    Endpoint(
        "POST",
        _JOBS,
        create_job,
        "Make a job for a technician",
        "Field work",
        PROVISION,
        writes=True,
        status=201,
        refusals=(
            "job_fields", "technician_unknown", "meter_has_job", "meter_heard", "meter_unknown", "meter_exists",
            "meter_retired", "meter_spare", "litres_per_pulse", "first_index", "start_slot", "tariff_unknown", "policy",
        ),
    ),
    Endpoint("GET", _JOBS, list_jobs, "List jobs", "Field work", FIELD, or_scope=PROVISION),
    Endpoint(
        "GET", _JOB, get_job, "Show a job", "Field work", FIELD, or_scope=PROVISION, refusals=("job_unknown",)
    ),
    Endpoint(
        "POST",
        _JOB + "/claim",
        claim_job,
        "Claim a job with its token",
        "Field work",
        FIELD,
        writes=True,
        by_content=True,
        refusals=(
            "job_unknown", "token_wrong", "token_used", "job_locked", "job_expired", "job_over", "identity_spent",
            "meter_unknown",
        ),
    ),
    Endpoint(
        "POST",
        _JOB + "/cancel",
        cancel_job,
        "Cancel a job",
        "Field work",
        PROVISION,
        writes=True,
        refusals=("job_unknown", "job_over"),
    ),
)  # fmt: skip
