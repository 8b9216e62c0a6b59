"""The record of a job: what was done to which meter, when, by whom, with which results (docs/SPEC.md names the fields).

It proves three things to who did not stand there. The tool's signature: this technician's laptop wrote it. The meter's
attestation, a tag over the record's hash and the meter's own time: that meter was at the cable. The frames it carries:
sealed by the meter for the headend as if by radio, so figures in the record cannot contradict the meter's.
"""

import hashlib
import json
from typing import Any

from .journal import Journal

FORMAT = 1


def canonical(record: dict[str, Any]) -> bytes:
    """The one way in which a record is written where it is hashed or signed."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def of_journal(journal: Journal, finished_at: int) -> dict[str, Any]:
    """The record of a finished checklist, without attestations."""
    facts = journal.facts
    return {
        "format": FORMAT,
        "job_id": journal.job_id,
        "kind": journal.kind,
        "technician": str(facts["technician"]),
        "tool": str(facts["tool"]),
        "started_at": journal.started_at,
        "finished_at": finished_at,
        "meter_id": journal.meter_id,
        "new_meter_id": journal.new_meter_id,
        "firmware_version": int(facts.get("firmware_version", 0)),
        "hardware": str(facts.get("hardware", "")),
        "steps": [done.as_json() for done in journal.steps],
        "frames": journal.frames,
        "attestations": [],
    }


def attested_hash(record: dict[str, Any]) -> bytes:
    """What a meter attests: the SHA-256 of the record without its attestations."""
    return hashlib.sha256(canonical({**record, "attestations": []})).digest()


def with_attestation(record: dict[str, Any], meter_id: str, unix_s: int, tag: bytes) -> dict[str, Any]:
    """The record with one attestation more."""
    told = {"meter_id": meter_id, "unix_s": unix_s, "tag": tag.hex()}
    return {**record, "attestations": [*record["attestations"], told]}
