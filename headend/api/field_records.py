"""Records of field work: what a technician's tool signed and the meters attested, taken once."""

import os
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headend.api.endpoint import FIELD, Endpoint
from headend.api.field_shapes import Fingerprint, Hex16, Hex64, JobIdText, Note, Technician, Tool, job_of
from headend.api.keys import Caller
from headend.api.shapes import INTEGER_MAX, MeterIdText, Request, Response
from headend.field import job_facts, jobs, record
from headend.field.records import Signed, take_record
from headend.meters.keyring import Keyring
from headend.storage.writer import Tx

BODY_BYTES_MAX = 256 * 1024

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}(?![\s\S])", description="a name as volume_test")]
Number = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
Values = Annotated[dict[Name, Number | Note], Meta(max_length=20)]
UnixSecond = Annotated[int, Meta(ge=0, le=2**32 - 1)]
FrameText = Annotated[
    str,
    Meta(
        pattern=r"^(?:[0-9a-f]{2}){11,222}(?![\s\S])",
        description="a sealed uplink of 11 to 222 bytes in lower-case hex digits",
    ),
]


class StepDone(Request):
    """One step of the checklist: what was measured, and what it was held against."""

    name: Name
    at: UnixSecond
    outcome: Literal["passed", "failed", "waived"]
    values: Values
    limits: Values


class CarriedFrame(Request):
    """An uplink that the meter sealed, and that came on the technician's laptop."""

    meter_id: MeterIdText
    frame: FrameText


class MeterAttestation(Request):
    """A meter's tag over the hash of the record without its attestations."""

    meter_id: MeterIdText
    unix_s: UnixSecond
    tag: Hex16


class WorkRecord(Request):
    """What was done on site. Every field is there, null where it says nothing: the signature covers each of them."""

    format: Literal[1]
    job_id: JobIdText
    kind: Literal["install", "swap", "retire", "visit"]
    technician: Technician
    tool: Tool
    started_at: UnixSecond
    finished_at: UnixSecond
    meter_id: MeterIdText
    new_meter_id: MeterIdText | None
    firmware_version: UnixSecond
    hardware: Tool
    steps: Annotated[list[StepDone], Meta(max_length=40)]
    frames: Annotated[list[CarriedFrame], Meta(max_length=500)]
    attestations: Annotated[list[MeterAttestation], Meta(max_length=4)]


class RecordToTake(Request):
    """`signature`: Ed25519 by the tool of that fingerprint over the canonical record, which is its JSON with sorted
    keys, without blanks, in UTF-8."""

    record: WorkRecord
    signature: Hex64
    fingerprint: Fingerprint


class TakenRecord(Response):
    """`opening_frame`, for the new meter of a swap, goes to it by cable; by radio it is sent anyway. `findings` are
    codes of what a person will look at."""

    record_id: str
    job_id: str
    state: str
    opening_frame: str | None
    first_uplink_at: str | None
    findings: list[str]


def post_record(tx: Tx, keyring: Keyring, caller: Caller, body: RecordToTake) -> TakenRecord:
    """Take the record of a job that was claimed, also after the job's time or its end by the office. Frames go to the
    books first, then the old meter is swapped or retired, if that is still possible. The same record again gets the
    same answer, with the job as it stands now."""
    given = record.read(msgspec.to_builtins(body.record))
    signed = Signed(given, bytes.fromhex(body.signature), body.fingerprint)
    taken = take_record(tx, keyring, os.urandom, caller.name, signed)
    facts = job_facts.facts_of(tx.connection, taken.job.number)
    assert facts is not None
    job = job_of(facts)
    opening_frame = None if taken.opening_frame is None else taken.opening_frame.hex()
    found = list(taken.findings)
    return TakenRecord(
        f"r{taken.number}", jobs.job_id(taken.job.number), job.state, opening_frame, job.first_uplink_at, found
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/field/records",
        post_record,
        "Send the record of a job",
        "Field work",
        FIELD,
        writes=True,
        by_content=True,
        status=201,
        refusals=(
            "tool_unknown",
            "record_signature",
            "job_unknown",
            "job_not_claimed",
            "job_over",
            "record_other_job",
            "record_exists",
            "record_steps",
            "attestation",
        ),
        body_bytes_max=BODY_BYTES_MAX,
    ),
)
