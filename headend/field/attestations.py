"""Whether the meters of a job were there: each tags the record's hash under a key that only it and the headend know."""

import hmac
from typing import NamedTuple

from headend.field import identities
from headend.field.jobs import Job
from headend.field.record import Attestation, Record
from headend.meters.keyring import Keyring
from headend.meters.lookup import RETIRED, state_of_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.wire.grants import attest_key, attest_tag


class Root(NamedTuple):
    """A root that a meter has, or may have."""

    generation: int
    root: bytes


def require_genuine(tx: Tx, keyring: Keyring, job: Job, record: Record) -> dict[bytes, Root]:
    """The meters that attested, each with the root that it proved to hold. Raises Refused for another meter's tag and
    for a wrong one: then somebody lies. Where the root may be gone, a tag proves nothing either way."""
    proved = {}
    for at, given in enumerate(record.attestations):
        place = f"record/attestations/{at}"
        if given.meter_id not in job.meters:
            raise Refused(Code.ATTESTATION, f"{place}/meter_id", given.meter_id.hex())
        handed_out = _handed_out(tx, keyring, job, given.meter_id)
        held = _proved(handed_out + _kept(tx, keyring, given.meter_id), given, record.attested_hash)
        if held is not None:
            proved[given.meter_id] = held
        elif handed_out or not _may_be_gone(tx, job, given.meter_id):
            raise Refused(Code.ATTESTATION, f"{place}/tag", given.meter_id.hex())
    return proved


def _handed_out(tx: Tx, keyring: Keyring, job: Job, meter_id: bytes) -> list[Root]:
    """What this job gave to the laptop for the meter, while that is kept."""
    made = identities.kept(tx, keyring, job.number) if meter_id == job.commissioned else None
    return [] if made is None else [Root(made.generation, made.root)]


def _kept(tx: Tx, keyring: Keyring, meter_id: bytes) -> list[Root]:
    """Under any wallet generation whose root is kept: the meter may have been renewed since."""
    rows = tx.cursor.execute("SELECT generation FROM meter_key WHERE meter_id = ?", (meter_id,)).fetchall()
    return [Root(row[0], keyring.root(tx, meter_id, row[0])) for row in rows]


def _proved(roots: list[Root], given: Attestation, digest: bytes) -> Root | None:
    """The root under which the tag is right."""
    for held in roots:
        key = attest_key(held.root, given.meter_id, held.generation)
        if hmac.compare_digest(attest_tag(key, digest, given.unix_s), given.tag):
            return held
    return None


def _may_be_gone(tx: Tx, job: Job, meter_id: bytes) -> bool:
    """A retired meter's keys are destroyed; a spare that went to several jobs or places had several roots."""
    if state_of_meter(tx, meter_id) == RETIRED:
        return True
    other = tx.cursor.execute(
        "SELECT 1 FROM field_job WHERE new_meter_id = ?1 AND id <> ?2 AND claim_hash IS NOT NULL "
        "UNION SELECT 1 FROM meter WHERE meter_id = ?1 AND replaces IS NOT ?3",
        (meter_id, job.number, job.meter_id),
    ).fetchone()
    return meter_id == job.new_meter_id and other is not None
