"""An Idempotency-Key means one intention: the first request acts, its repetitions get the same answer.

The answer is kept in the same transaction as what was done, so neither ever exists without the other.
Keys belong to the API key that used them: two callers may choose the same word. Answers rest wrapped, because that of a
new meter holds the meter's root key.
"""

from sqlalchemy import insert, select

from headend.api.problems import Problem
from headend.meters.keyring import Keyring
from headend.storage.tables import idempotency
from headend.storage.writer import Tx


def earlier_answer(tx: Tx, keyring: Keyring, key_id: int, key: str, request_hash: bytes) -> bytes | None:
    """The stored answer of an identical earlier request, None for a new key; Problem if it meant something else."""
    query = select(idempotency.c.request_hash, idempotency.c.response).where(idempotency.c.key == _row_key(key_id, key))
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Problem("idempotency_key_reused")
    return keyring.unwrap(_owner(key_id, key), bytes(row.response), keyring.kek_id)


def remember(
    tx: Tx, keyring: Keyring, key_id: int, key: str, request_hash: bytes, status: int, response: bytes
) -> None:
    """Keep the answer with what it answers."""
    wrapped = keyring.wrap(_owner(key_id, key), response)
    row = {"key": _row_key(key_id, key), "request_hash": request_hash, "status": status, "response": wrapped}
    tx.connection.execute(insert(idempotency).values(**row, created_us=tx.now_us))


def _row_key(key_id: int, key: str) -> str:
    return f"{key_id}/{key}"


def _owner(key_id: int, key: str) -> bytes:
    return b"idempotency/" + _row_key(key_id, key).encode()
