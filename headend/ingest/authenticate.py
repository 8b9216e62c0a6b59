"""From bytes to an authentic frame: the tag first, then the window; nothing is parsed before (SEMANTICS D1, D2)."""

from dataclasses import dataclass, replace

from headend.ingest import meter_link
from headend.ingest.meter_link import MeterLink
from headend.ingest.received import Received, Refusal
from headend.ledger import recovered
from headend.meters.keyring import Keyring
from headend.meters.lookup import RETIRED, SPARE, state_of_meter
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.errors import WireRefused
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.keys import KeySet
from protocol.wire.window import EXTRA_WINDOWS_HEADEND, candidates, is_fresh

_EPOCH_BITS = 7


@dataclass(frozen=True, slots=True)
class Authentic:
    """A frame that this meter sealed. `fresh` is False when its counter was accepted before: it is only answered.
    `spare` is a meter without a wallet."""

    received: Received
    link: MeterLink
    keys: KeySet
    quarantined: bool
    type: int
    counter: int
    plaintext: bytes
    fresh: bool
    spare: bool = False


def authenticate(tx: Tx, keyring: Keyring, received: Received) -> Authentic | Refusal:
    """Find the meter, its keys, and the counter under which the tag is right.

    A frame older than the replay window is a BAD_TAG here: its counter is taken for a later one, whose tag it lacks.
    old_frames.py looks at it once more.
    """
    known_as = tx.remembered.recall(Topic.METER, received.meter_id, lambda: state_of_meter(tx, received.meter_id))
    if known_as is None:
        return Refusal.UNKNOWN_METER
    if known_as == RETIRED:
        return Refusal.RETIRED
    try:
        header = read_header(received.frame)
    except WireRefused:
        return Refusal.FRAME
    link = meter_link.load(tx, received.meter_id)
    link = _of_epoch(tx, link, header.epoch3)
    keys = keyring.keys_of(tx, received.meter_id, link.generation, link.epoch)
    window = link.window
    for counter in candidates(window, header.seq, EXTRA_WINDOWS_HEADEND):
        plaintext = open_frame(keys, UP, received.frame, counter)
        if plaintext is None:
            continue
        fresh = is_fresh(window, counter)
        found = (received, link, keys, known_as == "quarantined", header.type, counter, plaintext, fresh)
        return Authentic(*found, spare=known_as == SPARE)
    return Refusal.BAD_TAG


def _of_epoch(tx: Tx, link: MeterLink, epoch_bits: int) -> MeterLink:
    """The link as it is after a frame under the epoch that a REKEY asked for: then the old keys are forgotten.

    Until that frame both are accepted (SEMANTICS D4); the low bits tell them apart, as a REKEY goes at most 7 ahead.
    After a restore, the books may have forgotten that one was asked for, and the meter holds no other keys any more
    (A5). Nothing is kept of it unless the frame proves to be authentic.
    """
    if link.next_epoch is not None and link.next_epoch & _EPOCH_BITS == epoch_bits:
        return replace(link, epoch=link.next_epoch, next_epoch=None)
    ahead = (epoch_bits - link.epoch) & _EPOCH_BITS
    if not ahead:
        return link
    since = recovered.load(tx, link.meter_id)
    if since is None or since.told_us is not None:
        return link
    return replace(link, epoch=link.epoch + ahead, next_epoch=None)
