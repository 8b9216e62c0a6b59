"""Whether the meters of a job were there: each tags the record's hash under a key that only it and the headend know."""

import hmac

from headend.field.jobs import Job
from headend.field.record import Attestation, Record
from headend.meters.keyring import Keyring
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.wire.grants import attest_key, attest_tag


def require_genuine(tx: Tx, keyring: Keyring, job: Job, record: Record) -> set[bytes]:
    """The meters that attested. Raises Refused for another meter's tag and for a wrong one: then somebody lies."""
    for at, given in enumerate(record.attestations):
        place = f"record/attestations/{at}"
        if given.meter_id not in job.meters:
            raise Refused(Code.ATTESTATION, f"{place}/meter_id", given.meter_id.hex())
        if not _is_genuine(tx, keyring, given, record.attested_hash):
            raise Refused(Code.ATTESTATION, f"{place}/tag", given.meter_id.hex())
    return {given.meter_id for given in record.attestations}


def _is_genuine(tx: Tx, keyring: Keyring, given: Attestation, digest: bytes) -> bool:
    """Under any wallet generation whose root is kept: the meter may have been renewed since."""
    rows = tx.cursor.execute("SELECT generation FROM meter_key WHERE meter_id = ?", (given.meter_id,)).fetchall()
    expected = [
        attest_tag(attest_key(keyring.root(tx, given.meter_id, row[0]), given.meter_id, row[0]), digest, given.unix_s)
        for row in rows
    ]
    return any(hmac.compare_digest(tag, given.tag) for tag in expected)
