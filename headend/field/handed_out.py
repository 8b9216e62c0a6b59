"""Roots that went out with a claim: which of them a meter holds, when the office has made another since.

A job may be cancelled while its technician is out of reach and mounts the meter, and a second job for the same spare
makes a fresh root: the first may be on a lost laptop. Until the meter is heard, nobody knows which of them it holds.
So the first record that a meter attests decides: the root it proved is the meter's, and all others are forgotten. An
uplink decides as well (first_uplink.py): it can only be sealed under the newest.
"""

from dataclasses import replace

from headend.field import findings, identities
from headend.field.attestations import Root
from headend.field.jobs import INSTALL, SWAP, Job
from headend.ingest import meter_link
from headend.meters.keyring import Keyring
from headend.meters.lookup import RETIRED, SPARE, state_of_meter
from headend.meters.registry import Provisioning
from headend.meters.swap import prepare_swap
from headend.storage.writer import Tx


def settle(tx: Tx, keyring: Keyring, job: Job, held: Root | None) -> list[str]:
    """Keep the root that the commissioned meter proved to hold, and no other. Returns findings: a meter that holds the
    root of an older wallet generation is heard by nobody, and is to be set up anew."""
    if held is None or job.kind not in (INSTALL, SWAP):
        return []
    made = identities.kept(tx, keyring, job.number)
    identities.forget_of_meter(tx, job.commissioned)
    if state_of_meter(tx, job.commissioned) == RETIRED:
        return []
    (generation,) = tx.cursor.execute("SELECT generation FROM meter WHERE meter_id = ?", (job.commissioned,)).fetchone()
    if held.generation != generation:
        return [findings.OLDER_KEY]
    if keyring.root(tx, job.commissioned, generation) != held.root:
        # Only this job's own identity can still know another root than the registry.
        assert made is not None and job.new_meter_id is not None
        _take_up(tx, keyring, job, job.new_meter_id, made)
    return []


def _take_up(tx: Tx, keyring: Keyring, job: Job, meter_id: bytes, made: Provisioning) -> None:
    """The spare hangs where this job brought it, with what this job gave it."""
    if state_of_meter(tx, meter_id) == SPARE and state_of_meter(tx, job.meter_id) != RETIRED:
        prepare_swap(tx, keyring, job.meter_id, meter_id, job.litres_per_pulse)
    tx.cursor.execute("DELETE FROM meter_key WHERE meter_id = ?", (meter_id,))
    keyring.keep_root(tx, meter_id, made.generation, made.root)
    link = meter_link.load(tx, meter_id)
    meter_link.save(tx, replace(link, tariff_echo=made.tariff.version, policy_echo=made.policy.version))
