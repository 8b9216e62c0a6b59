"""The till's first duty: keep a provider's message exactly as it came, before anything is made of it."""

from headend.storage.writer import Tx


def store_event(tx: Tx, provider: str, message_id: str, raw: bytes) -> tuple[int, bool]:
    """(id, new): the row of this message, and whether it had not been seen. The first bytes stay, whatever comes."""
    row = tx.cursor.execute(
        "SELECT id FROM till_event WHERE provider = ? AND message_id = ?", (provider, message_id)
    ).fetchone()
    if row is not None:
        return int(row[0]), False
    values = {"provider": provider, "message_id": message_id, "received_us": tx.now_us, "raw": raw}
    return tx.append("till_event", values), True
