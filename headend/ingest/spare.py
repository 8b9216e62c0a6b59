"""A meter that is heard before its wallet is opened: a spare that runs on its installation grace (SEMANTICS A4).

What it says of itself is stored and answered like any meter's, but it has no wallet: nothing is posted, no STATEMENT
and no OPENING leave. Its litres are in its register; they come with its first half-hour once the OPENING is there.
"""

from headend.ingest import meter_state
from headend.ingest.decode import Decoded
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.meters.carried import carry_packs
from headend.meters.lookup import contracts_of
from headend.meters.openings import WalletOpening
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.messages import DEVICE_UNOPENED, Device


def state_of(link: MeterLink) -> MeterState:
    """Where its books would stand if they began: nowhere. It is never saved."""
    return meter_state.opened(WalletOpening(link.meter_id, link.generation, 0, 0, link.anchor_slot))


def says_opened(decoded: Decoded) -> bool:
    """Whether a message can only come from a meter with an OPENING: one that the books have forgotten, or never gave.

    After a restore from before the swap, say. Its slots are not taken, so it keeps them until they can be.
    """
    message = decoded.message
    opened = isinstance(message, Device) and not message.flags & DEVICE_UNOPENED
    return opened or decoded.log is not None or decoded.lost is not None


def bring_packs(tx: Tx, meter_id: bytes) -> None:
    """Prices and policies that its future holder was given since it was prepared."""
    (place,) = tx.cursor.execute("SELECT replaces FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()
    carry_packs(tx, contracts_of(tx, bytes(place))[-1], meter_id, slot_of(tx.now_us // 1_000_000))
