"""Changing a meter's keys over the air, in two phases (SEMANTICS D4): asked for, then in use with its first uplink.

It makes no leaked root good: that needs a new root by cable, a new wallet generation (renewal.py).
"""

from headend.ingest import meter_link
from headend.ingest.meter_link import MeterLink
from headend.meters.lookup import holding_in_use
from headend.refusals import Code, Refused
from headend.storage.audit import Change
from headend.storage.remembered import Topic
from headend.storage.writer import Tx


def ask_rekey(tx: Tx, meter_id: bytes) -> int:
    """Ask a meter to change to the next key epoch, which is returned. Raises Refused while one is asked for."""
    holding_in_use(tx, meter_id)
    link = meter_link.load(tx, meter_id)
    if link.next_epoch is not None:
        raise Refused(Code.REKEY_UNDER_WAY, "meter_id", meter_id.hex())
    next_epoch = link.epoch + 1
    asked = [{"meter_id": meter_id.hex(), "next_epoch": epoch} for epoch in (None, next_epoch)]
    tx.changes.append(Change("meter_link", meter_id.hex(), *asked))
    tx.cursor.execute("UPDATE meter_link SET next_epoch = ? WHERE meter_id = ?", (next_epoch, meter_id))
    return next_epoch


def keep_epoch(tx: Tx, link: MeterLink) -> None:
    """Keep in the registry which epoch is in use, where a fresh frame was the first under a new one."""
    if link.epoch != tx.remembered.recall(Topic.METER, ("epoch", link.meter_id), lambda: _epoch(tx, link.meter_id)):
        tx.cursor.execute("UPDATE meter SET epoch = ? WHERE meter_id = ?", (link.epoch, link.meter_id))


def _epoch(tx: Tx, meter_id: bytes) -> int:
    return int(tx.cursor.execute("SELECT epoch FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()[0])
