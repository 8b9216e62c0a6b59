"""What the meter of a job is to be provisioned with, root key included: wrapped until it is heard, then forgotten.

What was claimed may be in a meter, also of a job that was cancelled or is over: it is kept until a record or the meter
itself says which root the meter holds (handed_out.py)."""

import json

from headend.meters.keyring import Keyring
from headend.meters.registry import InitialPack, Provisioning
from headend.storage.writer import Tx

_BYTES = ("meter_id", "root", "opening_frame")
_PACKS = ("tariff", "policy")
_PLAIN = ("customer_number", "generation", "epoch", "litres_per_pulse", "first_index_l")


def keep(tx: Tx, keyring: Keyring, job: int, made: Provisioning) -> None:
    """Keep it for the job's claim."""
    wrapped = keyring.wrap(_owner(job), _written(made))
    values = (job, keyring.kek_id, wrapped)
    tx.cursor.execute("INSERT INTO field_identity (job_id, kek_id, wrapped) VALUES (?, ?, ?)", values)


def kept(tx: Tx, keyring: Keyring, job: int) -> Provisioning | None:
    """What was kept; None once it is forgotten."""
    row = tx.cursor.execute("SELECT wrapped, kek_id FROM field_identity WHERE job_id = ?", (job,)).fetchone()
    return None if row is None else _read(keyring.unwrap(_owner(job), bytes(row[0]), row[1]))


def forget(tx: Tx, job: int) -> None:
    tx.cursor.execute("DELETE FROM field_identity WHERE job_id = ?", (job,))


def forget_of_meter(tx: Tx, meter_id: bytes) -> None:
    """Those of all jobs that commission this meter: it is known what it holds."""
    tx.cursor.execute(
        "DELETE FROM field_identity WHERE job_id IN (SELECT id FROM field_job "
        "WHERE meter_id = ?1 AND new_meter_id IS NULL OR new_meter_id = ?1)",
        (meter_id,),
    )


def forget_expired(tx: Tx) -> None:
    """Those of jobs whose time was over before anybody claimed them: they are in no meter."""
    tx.cursor.execute(
        "DELETE FROM field_identity WHERE job_id IN "
        "(SELECT id FROM field_job WHERE expires_us <= ? AND claim_hash IS NULL)",
        (tx.now_us,),
    )


def _owner(job: int) -> bytes:
    return b"field-job/" + str(job).encode()


def _written(made: Provisioning) -> bytes:
    packs = {name: getattr(made, name) for name in _PACKS}
    document = {
        **{name: getattr(made, name).hex() for name in _BYTES},
        **{name: getattr(made, name) for name in _PLAIN},
        **{name: [pack.version, pack.from_slot, pack.body.hex()] for name, pack in packs.items()},
    }
    return json.dumps(document).encode()


def _read(text: bytes) -> Provisioning:
    document = json.loads(text)
    packs = {name: InitialPack(*document[name][:2], bytes.fromhex(document[name][2])) for name in _PACKS}
    plain = {name: document[name] for name in _PLAIN}
    return Provisioning(**{name: bytes.fromhex(document[name]) for name in _BYTES}, **plain, **packs)
