"""OPENING and STATEMENT: what the wallet of a meter is to hold (SEMANTICS A2, A4)."""

from headend.downlink.reply import Message
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ledger import statements
from headend.meters.openings import opening_of
from headend.storage.writer import Tx
from protocol.wire.downlinks import encode_down
from protocol.wire.messages import Opening, Statement


def opening_message(tx: Tx, meter_id: bytes, generation: int) -> Message:
    """The OPENING of a wallet generation: the index, the holder's first slot, where the month stands, C and D (A4)."""
    begins = opening_of(tx, meter_id, generation)
    granted = statements.current(tx, meter_id, generation)
    place = (begins.first_index_l, begins.position_l, begins.month, begins.day, begins.first_slot)
    message: Message = encode_down(
        Opening(generation, *place, granted.credited_mills, granted.debited_mills, granted.number)
    )
    return message


def needs_opening(tx: Tx, state: MeterState, link: MeterLink) -> bool:
    """A meter that lost its state after having spent gets no OPENING by itself: it is quarantined (SEMANTICS A4). A
    spare gets none before it is swapped in."""
    wanted = link.unopened and not state.started and not state.spent_mills
    return bool(wanted and has_wallet(tx, state))


def has_wallet(tx: Tx, state: MeterState) -> bool:
    """Whether this wallet generation was opened in the books: a spare's is not."""
    return statements.numbered(tx, state.meter_id, state.generation, None) is not None


def statement_message(tx: Tx, state: MeterState) -> Message:
    """C and D as granted by now, and how far the meter's log is durable and posted."""
    granted = statements.current(tx, state.meter_id, state.generation)
    counters = (granted.number, granted.credited_mills, granted.debited_mills)
    message: Message = encode_down(Statement(*counters, state.log_generation, acked_slot(state)))
    return message


def acked_slot(state: MeterState) -> int:
    return state.frontier_slot if state.started else 0
