"""A record of field work as a technician's tool writes it (docs/SPEC.md): what was done, step by step.

It is signed over its one canonical form, and attested by the meters over the same without their attestations.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

PASSED, FAILED, WAIVED = "passed", "failed", "waived"


class Step(NamedTuple):
    """One step of the checklist."""

    name: str
    at_unix_s: int
    outcome: str
    values: Mapping[str, int | str]

    def number(self, name: str) -> int | None:
        """A value that is a number; None where it is none."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None


class Carried(NamedTuple):
    """A sealed uplink that the technician brought along."""

    meter_id: bytes
    frame: bytes


class Attestation(NamedTuple):
    """A meter's tag over the record's hash and the meter's own time."""

    meter_id: bytes
    unix_s: int
    tag: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What the headend reads of a record; `canonical` is all of it."""

    job_id: str
    kind: str
    technician: str
    started_at: int
    finished_at: int
    meter_id: bytes
    new_meter_id: bytes | None
    steps: tuple[Step, ...]
    frames: tuple[Carried, ...]
    attestations: tuple[Attestation, ...]
    canonical: bytes
    attested_hash: bytes

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def passed(self, name: str) -> Step | None:
        """The step if it was passed."""
        step = self.step(name)
        return step if step is not None and step.outcome == PASSED else None


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one way in which a record is written where it is hashed or signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read(document: Mapping[str, Any]) -> Record:
    """A record whose fields are all there and of their kind (headend/api/field_records.py)."""
    new_meter_id = document["new_meter_id"]
    return Record(
        job_id=document["job_id"],
        kind=document["kind"],
        technician=document["technician"],
        started_at=document["started_at"],
        finished_at=document["finished_at"],
        meter_id=bytes.fromhex(document["meter_id"]),
        new_meter_id=None if new_meter_id is None else bytes.fromhex(new_meter_id),
        steps=tuple(Step(one["name"], one["at"], one["outcome"], one["values"]) for one in document["steps"]),
        frames=tuple(Carried(*map(bytes.fromhex, (one["meter_id"], one["frame"]))) for one in document["frames"]),
        attestations=tuple(
            Attestation(bytes.fromhex(one["meter_id"]), one["unix_s"], bytes.fromhex(one["tag"]))
            for one in document["attestations"]
        ),
        canonical=canonical(document),
        attested_hash=hashlib.sha256(canonical({**document, "attestations": []})).digest(),
    )
