"""Frames that this meter sealed, below the replay window or under the keys of an earlier epoch.

Nothing is ever taken of them (SEMANTICS D1, D4). Most are harmless: a frame that was long on its way, or a capture that
somebody plays back. But a device that was copied long ago goes on from its old counters, and what it says tells it from
a capture: it contradicts what was sealed after it (witnesses.py). So one more try is made before such a frame counts as
a wrong tag.
"""

from collections.abc import Iterator
from dataclasses import replace

from headend.ingest import clones, meter_link, meter_state, witnesses
from headend.ingest.authenticate import Authentic
from headend.ingest.decode import Decoded
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ingest.received import Received, Refusal
from headend.ingest.witnesses import Witness
from headend.meters.keyring import Keyring
from headend.meters.lookup import SPARE, state_of_meter
from headend.storage.writer import Tx
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.messages import Anchor
from protocol.wire.window import candidates

_EPOCHS_ON_AIR = 8
_WINDOW = 0x10000
_WINDOWS_MAX = 16


def judge_old(tx: Tx, keyring: Keyring, received: Received) -> Refusal:
    """REPLAYED for a frame that this meter sealed once, BAD_TAG for any other. A clone is told on the way."""
    authentic = _authentic(tx, keyring, received)
    if authentic is None:
        return Refusal.BAD_TAG
    if not authentic.spare:
        state = meter_state.load(tx, received.meter_id)
        witness = _judge(tx, authentic, state, meter_link.load(tx, received.meter_id).epoch)
        if witness is not None:
            clones.report(tx, authentic, witness)
    return Refusal.REPLAYED


def _authentic(tx: Tx, keyring: Keyring, received: Received) -> Authentic | None:
    """The frame under the keys and the counter of long ago, or None."""
    header = read_header(received.frame)
    link = meter_link.load(tx, received.meter_id)
    known_as = state_of_meter(tx, received.meter_id)
    for epoch, counter in _of_the_past(link, header.epoch3, header.seq):
        keys = keyring.keys_of(tx, received.meter_id, link.generation, epoch)
        plaintext = open_frame(keys, UP, received.frame, counter)
        if plaintext is not None:
            found = (received, replace(link, epoch=epoch), keys, known_as == "quarantined", header.type, counter)
            return Authentic(*found, plaintext, False, spare=known_as == SPARE)
    return None


def _of_the_past(link: MeterLink, epoch3: int, seq: int) -> Iterator[tuple[int, int]]:
    """(epoch, counter) that a frame may have which is not of the present: the nearest first."""
    epoch = link.epoch - ((link.epoch - epoch3) % _EPOCHS_ON_AIR)
    if epoch < 0:
        return
    counter = next(candidates(link.window, seq, 0), None)
    if counter is None:
        return
    if epoch == link.epoch:
        counter -= _WINDOW
    for _ in range(_WINDOWS_MAX):
        if counter < 0:
            return
        yield epoch, counter
        counter -= _WINDOW


def _judge(tx: Tx, authentic: Authentic, state: MeterState, epoch: int) -> Witness | None:
    """What shows that it is no capture: the epoch, the counter, or what it tells; None if nothing does."""
    return (
        _after_the_keys(tx, authentic)
        or clones.judge_repetition(tx, authentic, state)
        or (_by_what_it_tells(tx, authentic, state, epoch) if state.started else None)
    )


def _after_the_keys(tx: Tx, authentic: Authentic) -> Witness | None:
    """A counter above one that was used under later keys: a meter that changed them never goes back (D4)."""
    link = authentic.link
    row = tx.cursor.execute(
        "SELECT min(counter) FROM uplink WHERE meter_id = ? AND generation = ? AND epoch > ? AND counter < ?",
        (link.meter_id, link.generation, link.epoch, authentic.counter),
    ).fetchone()
    return None if row[0] is None else Witness(witnesses.EPOCH, int(row[0]))


def _by_what_it_tells(tx: Tx, authentic: Authentic, state: MeterState, epoch: int) -> Witness | None:
    about = _about(tx, authentic, state)
    decoded = clones.decode_near(tx, authentic, state, *about)
    if not isinstance(decoded, Decoded):
        return None
    told = witnesses.told_by(decoded, about[0])
    if isinstance(decoded.message, Anchor) and told.log_generation == state.log_generation:
        behind = clones.anchor_behind(decoded.message, state, False)
        if behind is not None:
            return behind
    return clones.compare(tx, authentic, told, epoch).witness


def _about(tx: Tx, authentic: Authentic, state: MeterState) -> tuple[int, int]:
    """The log generation and slot that the frames sealed about then tell of; the frontier's where none was heard.

    The 14 bits of a slot come again after 341 days, so an old frame is read by its own time.
    """
    link = authentic.link
    select = (
        "SELECT log_generation, first_slot FROM uplink WHERE meter_id = ? AND generation = ? AND epoch = ? "
        "AND first_slot IS NOT NULL AND counter"
    )
    for order in ("< ? ORDER BY counter DESC", "> ? ORDER BY counter"):
        values = (link.meter_id, link.generation, link.epoch, authentic.counter)
        row = tx.cursor.execute(f"{select} {order} LIMIT 1", values).fetchone()
        if row is not None:
            return int(row[0]), int(row[1])
    return state.log_generation, state.frontier_slot
