"""A cloned meter: two devices with the same keys and the same past (reliability A1, I6). Told once, then not believed.

Whatever was copied goes on under the same counters, so the frames of the two contradict each other by what
witnesses.py knows. The finding is a case `cloned`, and the meter is quarantined as one that went back is: facts are
kept, nothing is posted from the frame on that gave it away (SEMANTICS A4). Which of the two hangs where it belongs the
frames do not say. A wallet generation under a fresh root, by cable, shuts the other one out.

A frame that came late and tells of a time at which a later one had been heard already proves nothing by itself, for a
clock may be wrong. Then the meter is asked to tell (an order with a number): whoever answers, under a counter below one
that was heard before the order, is another device than the one that sealed that.
"""

import json
from dataclasses import replace

from headend.billing.slots import unpack_slots
from headend.ingest import witnesses
from headend.ingest.authenticate import Authentic
from headend.ingest.decode import Decoded, decode
from headend.ingest.meter_state import MeterState
from headend.ingest.place import Placed
from headend.ingest.received import Refusal
from headend.ingest.witnesses import Compared, Later, Told, Witness
from headend.ledger.cases import CaseKind, open_case
from headend.meters import commands
from headend.refusals import Refused
from headend.storage.writer import Tx
from protocol.wire.command_codes import TELL
from protocol.wire.messages import DEVICE_UNOPENED, Anchor, Device
from protocol.wire.window import SIZE

COUNTERS_AFTER = (
    4_096  # so many counters after a frame are looked at: two months of a meter that reports each half-hour
)
ASK_FOR_S = 86_400
_HALF_OF_16_BITS = 0x8000
_ROWS = (
    "SELECT counter, type, facts, received_us, log_generation, first_slot + slot_count FROM uplink "
    "WHERE meter_id = ? AND generation = ? AND epoch IN (?, ?) AND counter BETWEEN ? AND ? ORDER BY counter"
)


# A frame that came for the first time --------------------------------------------------------------------------------
def judge(tx: Tx, placed: Placed, state: MeterState) -> Witness | None:
    """What shows that another device has sealed frames of this meter, or None."""
    decoded = placed.decoded
    authentic = decoded.authentic
    if authentic.spare:
        return None
    if placed.conflicts:
        return Witness(witnesses.HALF_HOUR, -1)
    if not state.started:
        return None
    against_books = _against_books(decoded, state)
    if against_books is not None or authentic.counter > authentic.link.up_highest:
        return against_books
    told = witnesses.told_by(decoded, state.log_generation)
    compared = compare(tx, authentic, told)
    if compared.witness is None:
        _ask_if_late(tx, authentic, told, compared)
    return compared.witness


def _against_books(decoded: Decoded, state: MeterState) -> Witness | None:
    """Against what is posted, and against the last DEVICE: a frame that is the newest word stands below nothing."""
    message, log, link = decoded.message, decoded.log, decoded.authentic.link
    newest = decoded.authentic.counter > link.up_highest
    if log is not None and (log.log_generation, log.first_slot) == (state.log_generation, state.frontier_slot):
        fell = (log.volume16_l - state.volume_l) & 0xFFFF >= _HALF_OF_16_BITS
        return Witness(witnesses.VOLUME, -1) if fell else None
    if isinstance(message, Anchor) and not witnesses.without_wallet(message):
        return anchor_behind(message, state, newest)
    if isinstance(message, Device) and newest and not message.flags & DEVICE_UNOPENED:
        fewer = link.boot_count is not None and message.boot_count < link.boot_count
        return Witness(witnesses.BOOTS, -1) if fewer else None
    return None


def anchor_behind(anchor: Anchor, state: MeterState, newest: bool) -> Witness | None:
    """An ANCHOR against the frontier of its own log: V at a later slot is not lower; the newest word is not behind."""
    if anchor.log_generation2 != state.log_generation & 3:
        return None
    if anchor.slot < state.frontier_slot:
        return Witness(witnesses.SLOT, -1) if newest else None
    return Witness(witnesses.VOLUME, -1) if anchor.volume_l < state.volume_l else None


# Against the frames with higher counters -----------------------------------------------------------------------------
def rows_between(tx: Tx, authentic: Authentic, epoch: int, first: int, last: int) -> list[Later]:
    """Stored uplinks of this meter by their counters, under the key epoch of this frame and under `epoch`."""
    link = authentic.link
    values = (link.meter_id, link.generation, link.epoch, epoch, max(first, 0), last)
    return [Later(*row) for row in tx.cursor.execute(_ROWS, values).fetchall()]


def compare(tx: Tx, authentic: Authentic, told: Told, epoch: int | None = None) -> Compared:
    """A frame against those with higher counters; `epoch` is the key epoch in use, where it is another."""
    counter = authentic.counter
    epoch = authentic.link.epoch if epoch is None else epoch
    compared = witnesses.compare(told, rows_between(tx, authentic, epoch, counter + 1, counter + COUNTERS_AFTER))
    asked = compared.witness is None and compared.heard_us is not None and bool(told.command)
    if asked and _ordered_us(tx, authentic.link.meter_id, told.command) > (compared.heard_us or 0):
        compared.witness = Witness(witnesses.ORDER, compared.heard_counter)
    if compared.witness is None and _is_after(told, compared, witnesses.CLOCK_ERROR_MAX_US):
        near = rows_between(tx, authentic, epoch, counter - SIZE, counter + SIZE)
        if not witnesses.runs_ahead(told, authentic.received.at_us, near):
            compared.witness = Witness(witnesses.TIME, compared.heard_counter)
    return compared


def _is_after(told: Told, compared: Compared, by_us: int) -> bool:
    """Whether a frame tells of a time that was still to come when one with a higher counter was heard."""
    told_us, heard_us = told.at_us, compared.heard_us
    return told_us is not None and heard_us is not None and told_us > heard_us + by_us


def _ordered_us(tx: Tx, meter_id: bytes, number: int) -> int:
    """When an order was given; 0 for one that the books do not know."""
    select = "SELECT created_us FROM meter_command WHERE meter_id = ? AND number = ?"
    row = tx.cursor.execute(select, (meter_id, number)).fetchone()
    return 0 if row is None else int(row[0])


def _ask_if_late(tx: Tx, authentic: Authentic, told: Told, compared: Compared) -> None:
    """Ask a meter to tell, once at a time, when the time that a late frame tells fits no single one."""
    if not _is_after(told, compared, witnesses.CLOCK_ERROR_US) or authentic.quarantined:
        return
    wanted = commands.wanted_command(tx, authentic.link.meter_id)
    if wanted is not None and wanted.code == TELL:
        return
    try:
        commands.order(tx, authentic.link.meter_id, TELL, 0, 0, tx.now_us // 1_000_000 + ASK_FOR_S)
    except Refused:  # too many orders wait already: one of them will tell
        return


# A frame whose counter was heard before ------------------------------------------------------------------------------
def judge_repetition(tx: Tx, authentic: Authentic, state: MeterState) -> Witness | None:
    """A frame that came again says what it said; another plaintext under its counter is of another device."""
    link = authentic.link
    row = tx.cursor.execute(
        "SELECT type, facts, log_generation, first_slot, slots FROM uplink "
        "WHERE meter_id = ? AND generation = ? AND epoch = ? AND counter = ?",
        (link.meter_id, link.generation, link.epoch, authentic.counter),
    ).fetchone()
    if row is None or authentic.spare or _is_same(tx, authentic, state, *row):
        return None
    return Witness(witnesses.COUNTER, authentic.counter)


def _is_same(
    tx: Tx,
    authentic: Authentic,
    state: MeterState,
    kind: int,
    facts: bytes,
    log_generation: int | None,
    first_slot: int | None,
    slots: bytes | None,
) -> bool:
    """Whether a frame says what is stored; half-hours that were erased since are taken to be the same (F4)."""
    if kind != authentic.type or not authentic.plaintext.startswith(facts):
        return False
    if len(facts) == len(authentic.plaintext) or first_slot is None or log_generation is None or slots is None:
        return True
    decoded = decode_near(tx, authentic, state, log_generation, first_slot)
    return not isinstance(decoded, Decoded) or decoded.log is None or decoded.log.litres == unpack_slots(slots)


def decode_near(tx: Tx, authentic: Authentic, state: MeterState, log_generation: int, slot: int) -> Decoded | Refusal:
    """A frame whose truncated numbers are completed from those of a time that is past."""
    then = replace(state, log_generation=log_generation, started=0)
    return decode(tx, replace(authentic, link=replace(authentic.link, anchor_slot=slot)), then)


# The finding ---------------------------------------------------------------------------------------------------------
def report(tx: Tx, authentic: Authentic, witness: Witness) -> None:
    """Open the case and quarantine the meter; nothing is posted of uplinks stored after this instant."""
    meter_id, generation = authentic.link.meter_id, authentic.link.generation
    (after,) = tx.cursor.execute("SELECT coalesce(max(id), 0) FROM uplink").fetchone()
    detail = {"witness": witness.name, "counter": authentic.counter, "against": witness.against, "after_uplink": after}
    open_case(tx, CaseKind.CLONED, f"{meter_id.hex()}:{generation}", meter_id, **detail)
    tx.cursor.execute("UPDATE meter SET state = 'quarantined' WHERE meter_id = ? AND state = 'active'", (meter_id,))


def told_after(tx: Tx, meter_id: bytes, generation: int) -> int | None:
    """The last uplink row that was stored before a meter was found to be cloned, or None."""
    key = f"{CaseKind.CLONED}:{meter_id.hex()}:{generation}"
    row = tx.cursor.execute("SELECT detail FROM case_file WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(json.loads(row[0])["after_uplink"])
