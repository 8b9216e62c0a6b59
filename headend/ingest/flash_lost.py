"""A meter that lost its flash says so each day: one open case, until it speaks of its ordinary life again.

Such an EVENT tells nothing of water or money, so it moves no counter: what the books know of the meter stays.
"""

from headend.ingest.decode import Decoded
from headend.ledger.cases import CaseKind, open_case
from headend.storage.writer import Tx
from protocol.wire.event_codes import FLASH_LOST
from protocol.wire.messages import Anchor, Event

RECOVERED = "recovered"


def notice(tx: Tx, decoded: Decoded, newest: bool) -> None:
    """Open the case, or close it where the meter booted from its flash again: after a boot it sends an ANCHOR."""
    meter_id = decoded.authentic.received.meter_id
    if isinstance(decoded.message, Event):
        for entry in decoded.message.events:
            if entry.code == FLASH_LOST and newest and not _is_open(tx, meter_id):
                detail = {"blank": entry.argument, "said_unix_s": entry.at_unix_s}
                open_case(tx, CaseKind.FLASH_LOST, f"{meter_id.hex()}:{entry.event_no}", meter_id, **detail)
    elif isinstance(decoded.message, Anchor) and newest:
        tx.cursor.execute(
            "UPDATE case_file SET closed_us = ?, outcome = ? WHERE meter_id = ? AND kind = ? AND closed_us IS NULL",
            (tx.now_us, RECOVERED, meter_id, str(CaseKind.FLASH_LOST)),
        )


def _is_open(tx: Tx, meter_id: bytes) -> bool:
    select = "SELECT 1 FROM case_file WHERE meter_id = ? AND kind = ? AND closed_us IS NULL"
    return tx.cursor.execute(select, (meter_id, str(CaseKind.FLASH_LOST))).fetchone() is not None
