"""Slots that a person wants again, acknowledged or not (SEMANTICS F3): asked for by NACK until they are heard."""

from headend.ingest import meter_state
from headend.meters.lookup import holding_in_use
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of

SLOTS_MAX = 4 * 255  # what one NACK can name
VALID_US = 7 * 86_400 * 1_000_000


def ask(tx: Tx, meter_id: bytes, first_slot: int, slots: int) -> int:
    """Want slots of the present log generation sent again, for a week; returns that log generation. Raises Refused."""
    holding_in_use(tx, meter_id)
    state = meter_state.load(tx, meter_id)
    over = first_slot + slots <= slot_of(tx.now_us // 1_000_000)
    if first_slot < 0 or not 1 <= slots <= SLOTS_MAX or not over:
        raise Refused(Code.SLOTS_ASKED, "until", str(slots))
    tx.cursor.execute(
        "INSERT OR REPLACE INTO slot_request (meter_id, log_generation, first_slot, slots, until_us) "
        "VALUES (?, ?, ?, ?, ?)",
        (meter_id, state.log_generation, first_slot, slots, tx.now_us + VALID_US),
    )
    return state.log_generation


def heard(tx: Tx, meter_id: bytes, log_generation: int, first_slot: int, end_slot: int) -> None:
    """Take what a log brought off the requests."""
    rows = tx.cursor.execute(
        "SELECT first_slot, slots, until_us FROM slot_request WHERE meter_id = ? AND log_generation = ? "
        "AND first_slot < ? AND first_slot + slots > ?",
        (meter_id, log_generation, end_slot, first_slot),
    ).fetchall()
    for first, slots, until_us in rows:
        tx.cursor.execute(
            "DELETE FROM slot_request WHERE meter_id = ? AND log_generation = ? AND first_slot = ?",
            (meter_id, log_generation, first),
        )
        for left, end in ((first, min(first + slots, first_slot)), (max(first, end_slot), first + slots)):
            if left < end:
                tx.cursor.execute(
                    "INSERT OR REPLACE INTO slot_request (meter_id, log_generation, first_slot, slots, until_us) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (meter_id, log_generation, left, end - left, until_us),
                )
