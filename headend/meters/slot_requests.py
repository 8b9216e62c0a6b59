"""Slots that a person wants again, acknowledged or not (SEMANTICS F3): asked for by NACK until they are heard."""

from headend.ingest import meter_state
from headend.meters.lookup import holding_in_use
from headend.refusals import Code, Refused
from headend.storage.remembered import Topic
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


def wanted(tx: Tx, meter_id: bytes, log_generation: int) -> tuple[tuple[int, int, int], ...]:
    """(first slot, slots, valid until) of what is wanted of a log generation, in time or not."""
    return tx.remembered.recall(
        Topic.REQUESTS, (meter_id, log_generation), lambda: _wanted(tx, meter_id, log_generation)
    )


def _wanted(tx: Tx, meter_id: bytes, log_generation: int) -> tuple[tuple[int, int, int], ...]:
    rows = tx.cursor.execute(
        "SELECT first_slot, slots, until_us FROM slot_request WHERE meter_id = ? AND log_generation = ? "
        "ORDER BY first_slot",
        (meter_id, log_generation),
    )
    return tuple((int(first_slot), int(slots), int(until_us)) for first_slot, slots, until_us in rows.fetchall())


def heard(tx: Tx, meter_id: bytes, log_generation: int, first_slot: int, end_slot: int) -> None:
    """Take what a log brought off the requests."""
    for first, slots, until_us in wanted(tx, meter_id, log_generation):
        if first >= end_slot or first + slots <= first_slot:
            continue
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
