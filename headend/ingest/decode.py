"""From an authentic plaintext to a message; a log gets its full slot number and its pack on the way."""

from dataclasses import dataclass
from typing import Any

from headend.billing.published import Rates, pack_rates
from headend.ingest.authenticate import Authentic
from headend.ingest.meter_state import MeterState
from headend.ingest.received import Refusal
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.errors import KIND_UNKNOWN, WireRefused
from protocol.rules.calendar import slot_of, slot_phase
from protocol.wire.messages import DOWN_TARIFF, UP_DAY, UP_RANGE, Gap
from protocol.wire.unwrap import unwrap_near
from protocol.wire.uplinks import decode_up, read_log_head

# The facts of a DAY are its 10 fixed bytes, of a RANGE also the count: the log itself is kept apart (SEMANTICS F4).
_FACTS_BYTES = {UP_DAY: 10, UP_RANGE: 11}


@dataclass(frozen=True, slots=True)
class Log:
    """The slots of a DAY or RANGE in full numbers; the money and volume fields are still the low bits on air."""

    log_generation: int
    first_slot: int
    litres: tuple[int, ...]
    volume16_l: int
    spent24_mills: int
    instalments6: int
    statement6: int
    pack_version: int
    status: int
    rates: Rates

    @property
    def end_slot(self) -> int:
        return self.first_slot + len(self.litres)


@dataclass(frozen=True, slots=True)
class Lost:
    """The slots of a GAP in full numbers, with the counters as the meter tells them at their end."""

    log_generation: int
    gap: Any

    @property
    def first_slot(self) -> int:
        return int(self.gap.first_slot)

    @property
    def end_slot(self) -> int:
        return int(self.gap.first_slot + self.gap.slots)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A frame with its message; `log` is set for a DAY or RANGE, `lost` for a GAP; `facts` is what the books keep of
    the plaintext."""

    authentic: Authentic
    message: Any
    log: Log | None
    facts: bytes
    lost: Lost | None = None


def decode(tx: Tx, authentic: Authentic, state: MeterState) -> Decoded | Refusal:
    """Read the message. A refusal here means a faulty meter: the frame was authentic."""
    kind, plaintext = authentic.type, authentic.plaintext
    try:
        if kind not in _FACTS_BYTES:
            message = decode_up(kind, plaintext)
            return Decoded(authentic, message, None, plaintext, lost_of(message, state.log_generation))
        return _decode_log(tx, authentic, state)
    except WireRefused as refused:
        return Refusal.RESERVED_TYPE if refused.code == KIND_UNKNOWN else Refusal.UNREADABLE


def _decode_log(tx: Tx, authentic: Authentic, state: MeterState) -> Decoded | Refusal:
    """A DAY or RANGE. Raises WireRefused."""
    generation2, slot14, *_, pack4, _ = read_log_head(authentic.plaintext)
    log_generation = unwrap_near(generation2, 2, state.log_generation)
    first_slot = unwrap_near(slot14, 14, _expected_slot(authentic, state, log_generation))
    version = pack_version_of(tx, state.meter_id, pack4, first_slot, tx.batch_id)
    rates = None if version is None else pack_rates(tx, state.meter_id, version)
    if version is None or rates is None:
        return Refusal.PACK_UNKNOWN
    phase = slot_phase(first_slot, rates.tariff.offsets)
    message = decode_up(authentic.type, authentic.plaintext, phase)
    log = Log(
        log_generation,
        first_slot,
        tuple(message.litres),
        message.volume16_l,
        message.spent24_mills,
        message.instalments6,
        message.statement6,
        version,
        message.status,
        rates,
    )
    return Decoded(authentic, message, log, authentic.plaintext[: _FACTS_BYTES[authentic.type]])


def lost_of(message: Any, log_generation: int) -> Lost | None:
    """The slots of a GAP, of the log generation that is nearest to the one given; None for any other message."""
    if not isinstance(message, Gap):
        return None
    return Lost(unwrap_near(message.log_generation2, 2, log_generation), message)


def pack_version_of(tx: Tx, meter_id: bytes, pack4: int, slot: int, batch_id: int) -> int | None:
    """The newest tariff pack of a meter, as of a batch, with these low 4 bits: one that may act at a slot, if any may.

    A pack acts from its own first slot at the earliest; only the first of all, over the cable, may act before (B4).
    """
    found = [
        (from_slot <= slot, version)
        for version, from_slot, given in tx.remembered.recall(Topic.PACKS, meter_id, lambda: _tariffs(tx, meter_id))
        if version & 15 == pack4 and given <= batch_id
    ]
    return max(found)[1] if found else None


def _tariffs(tx: Tx, meter_id: bytes) -> tuple[tuple[int, int, int], ...]:
    """(version, first slot, batch) of each tariff pack of a meter."""
    rows = tx.cursor.execute(
        "SELECT version, from_slot, batch_id FROM pack WHERE meter_id = ? AND kind = ?", (meter_id, DOWN_TARIFF)
    )
    return tuple((int(version), int(from_slot), int(batch_id)) for version, from_slot, batch_id in rows.fetchall())


def _expected_slot(authentic: Authentic, state: MeterState, log_generation: int) -> int:
    """Within half a year of the meter's own number: the frontier or the last ANCHOR of this log generation.

    Our clock for another one. A meter that never had a clock counts from slot 0: before its log begins here, only its
    ANCHOR knows.
    """
    if log_generation == state.log_generation:
        anchor_slot = authentic.link.anchor_slot
        return max(state.frontier_slot, anchor_slot) if state.started else anchor_slot
    return slot_of(authentic.received.at_us // 1_000_000)
