"""What a frame says of its meter at the moment it was sealed, and what two frames cannot both say of one meter.

A meter seals its frames in the order of their counters, and only after what they tell is on its flash. So of two frames
the one with the lower counter was sealed earlier, however they travelled: it was sealed before the other was heard, and
nothing that only rises stands higher in it. Where that does not hold, two devices seal under one key. None of this asks
a clock to be right, apart from `TIME`, which lets it be wrong by a day (SEMANTICS C1, D1, I15).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from headend.ingest.decode import Decoded
from protocol.rules.calendar import slot_start
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    STATUS_CLOCK_UNSURE,
    UP_ANCHOR,
    UP_DEVICE,
    Anchor,
    Device,
    Result,
)
from protocol.wire.unwrap import unwrap_near
from protocol.wire.uplinks import decode_up

# What gives two devices away; told in the case as `witness`.
COUNTER = "counter"  # one counter, two plaintexts
HALF_HOUR = "half-hour"  # one half-hour, two amounts of water
SLOT = "slot"  # a half-hour that was over already is still to come in a later frame
VOLUME = "volume"  # the register stands lower in a later frame
BOOTS = "boots"  # fewer boots in a later frame
ORDER = "order"  # an order was done before it was given
EPOCH = "epoch"  # the keys of before, after those that follow them
TIME = "time"  # it tells of a time long after a later frame was heard

SECOND_US = 1_000_000
CLOCK_ERROR_US = 600 * SECOND_US  # a clock that is right is wrong by less
CLOCK_ERROR_MAX_US = 25 * 3_600 * SECOND_US  # what a boot believes of a clock chip, a day, and an hour


class Witness(NamedTuple):
    """What gives it away, and the counter of the other frame; −1 where it is the books that say otherwise."""

    name: str
    against: int


class Later(NamedTuple):
    """An uplink of the books whose counter is higher, or near."""

    counter: int
    type: int
    facts: bytes
    received_us: int
    log_generation: int | None
    end_slot: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """The least that is true of a meter when it sealed a frame; None for what the frame does not say.

    All slots before `slot` were closed; `sure` says that this slot is a time. `command` is the last order done.
    """

    counter: int
    log_generation: int | None = None
    slot: int | None = None
    sure: bool = False
    volume_l: int | None = None
    boot_count: int | None = None
    command: int = 0

    @property
    def at_us(self) -> int | None:
        """The time of its slot, where its clock was sure."""
        return slot_start(self.slot) * SECOND_US if self.sure and self.slot is not None else None


@dataclass(slots=True)
class Compared:
    """What the frames with higher counters say of an earlier one: a witness, or only when the first was heard."""

    witness: Witness | None = None
    heard_us: int | None = None
    heard_counter: int = -1


def told_by(decoded: Decoded, log_generation: int) -> Told:
    """What a frame tells; `log_generation` completes the two bits of an ANCHOR."""
    told, message = Told(decoded.authentic.counter), decoded.message
    if decoded.log is not None:
        log = decoded.log
        sure = not log.status & STATUS_CLOCK_UNSURE
        return replace(told, log_generation=log.log_generation, slot=log.end_slot, sure=sure)
    if decoded.lost is not None:
        return replace(told, log_generation=decoded.lost.log_generation, slot=decoded.lost.end_slot)
    if isinstance(message, Anchor) and not without_wallet(message):
        return replace(
            told,
            log_generation=unwrap_near(message.log_generation2, 2, log_generation),
            slot=message.slot,
            sure=not message.status & STATUS_CLOCK_UNSURE,
            volume_l=message.volume_l,
        )
    if isinstance(message, Device) and not message.flags & DEVICE_UNOPENED:
        where = {"log_generation": message.log_generation, "slot": message.acked_slot}
        return replace(told, **where, boot_count=message.boot_count, command=message.command)
    if isinstance(message, Result):
        return replace(told, command=message.id)
    return told


def without_wallet(anchor: Any) -> bool:
    """Whether an ANCHOR is of a meter that holds no money: before its OPENING, or after it lost its state (A4)."""
    return not (anchor.credited_mills or anchor.debited_mills)


def compare(told: Told, later: Iterable[Later]) -> Compared:
    """An earlier frame against those with higher counters, in the order of these.

    Slots are compared within one log generation, as long as nothing in between tells of another one; and nothing is
    compared with what a meter says that has lost its state.
    """
    compared = Compared()
    comparable, one_log = True, told.slot is not None
    for row in later:
        if compared.heard_us is None or row.received_us < compared.heard_us:
            compared.heard_us, compared.heard_counter = row.received_us, row.counter
        if row.type == UP_DEVICE and comparable:
            device = decode_up(row.type, row.facts)
            comparable = not device.flags & DEVICE_UNOPENED
            if comparable and told.boot_count is not None and device.boot_count < told.boot_count:
                compared.witness = compared.witness or Witness(BOOTS, row.counter)
        if row.type == UP_ANCHOR and comparable:
            anchor = decode_up(row.type, row.facts)
            comparable = not without_wallet(anchor)
            one_log = one_log and anchor.log_generation2 == (told.log_generation or 0) & 3
            if comparable and one_log and anchor.slot < (told.slot or 0):
                compared.witness = compared.witness or Witness(SLOT, row.counter)
            if comparable and told.volume_l is not None and anchor.volume_l < told.volume_l:
                compared.witness = compared.witness or Witness(VOLUME, row.counter)
        if row.log_generation not in (None, told.log_generation):
            one_log = False
    return compared


def runs_ahead(told: Told, received_us: int, near: Iterable[Later]) -> bool:
    """Whether a frame, or any that was sealed about then, tells of a time that had not come when it was heard."""
    ends = [(told.at_us, received_us)]
    ends += [(slot_start(end) * SECOND_US, row.received_us) for row in near if (end := _end_of(row)) is not None]
    return any(end_us is not None and end_us > heard_us + CLOCK_ERROR_US for end_us, heard_us in ends)


def _end_of(row: Later) -> int | None:
    """The slot that a stored frame tells to be reached."""
    if row.type == UP_ANCHOR:
        return int(decode_up(row.type, row.facts).slot)
    return row.end_slot
