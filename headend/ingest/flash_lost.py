"""A meter that lost its flash says so each day: one open case, until it speaks of its ordinary life again.

Such an EVENT tells nothing of water or money, so it moves no counter: what the books know of the meter stays.
"""

import json

from headend.ingest.decode import Decoded
from headend.ledger.cases import CaseKind, open_case
from headend.storage.writer import Tx
from protocol.wire.event_codes import FLASH_LOST
from protocol.wire.messages import Anchor, Event

RECOVERED = "recovered"


def notice(tx: Tx, decoded: Decoded, newest: bool) -> None:
    """Open the case, or close it where the meter booted from its flash again: after a boot it sends an ANCHOR.

    By frame counters, not by arrival: frames of one instant may overtake each other.
    """
    meter_id, counter = decoded.authentic.received.meter_id, decoded.authentic.counter
    if isinstance(decoded.message, Event):
        for entry in decoded.message.events:
            if entry.code == FLASH_LOST and newest and _told_at(tx, meter_id) is None:
                detail = {"blank": entry.argument, "said_unix_s": entry.at_unix_s, "counter": counter}
                key = f"{meter_id.hex()}:{decoded.authentic.link.generation}:{entry.event_no}"
                open_case(tx, CaseKind.FLASH_LOST, key, meter_id, **detail)
    elif isinstance(decoded.message, Anchor):
        told_at = _told_at(tx, meter_id)
        if told_at is not None and told_at < counter:
            tx.cursor.execute(
                "UPDATE case_file SET closed_us = ?, outcome = ? WHERE meter_id = ? AND kind = ? AND closed_us IS NULL",
                (tx.now_us, RECOVERED, meter_id, str(CaseKind.FLASH_LOST)),
            )


def _told_at(tx: Tx, meter_id: bytes) -> int | None:
    """The frame counter of the alarm whose case is open; None when none is."""
    select = "SELECT detail FROM case_file WHERE meter_id = ? AND kind = ? AND closed_us IS NULL"
    row = tx.cursor.execute(select, (meter_id, str(CaseKind.FLASH_LOST))).fetchone()
    return None if row is None else int(json.loads(row[0])["counter"])
