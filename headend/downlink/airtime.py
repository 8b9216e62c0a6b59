"""What one LoRaWAN downlink is spent on: airtime is dear and there is one per uplink, so only what is needed, by rank.

A gateway may speak for a hundredth of the time and cannot hear meanwhile. So slots are not acknowledged day by day:
a meter keeps them for months, and a STATEMENT names the acked slot when it lags by weeks; only a meter that is told to
report more often is told so with each report, because it goes back to the acked slot. Holes are asked for together:
several in one NACK, once the oldest has waited for days. At 30 % loss each way that comes to about a third of a
downlink a day, and no half-hour is missing for long (SEMANTICS F3).
"""

from collections.abc import Iterator
from dataclasses import replace

from headend.downlink.heard import Heard
from headend.downlink.holes import Holes, holes_of, nack_message
from headend.downlink.orders import command_messages, rekey_messages
from headend.downlink.packs import next_parts, pending_packs
from headend.downlink.reply import Message
from headend.downlink.updates import update_messages
from headend.downlink.wallet import acked_slot, has_wallet, needs_opening, opening_message, statement_message
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ledger import statements
from headend.storage.writer import Tx
from protocol.rules.calendar import SLOTS_PER_DAY
from protocol.wire.messages import STATUS_CLOCK_UNSURE, UP_DAY, UP_GAP, UP_POLL, UP_RANGE

ACK_LAG_SLOTS = 14 * SLOTS_PER_DAY
HOLE_AGE_SLOTS = 4 * SLOTS_PER_DAY
HOLES_AT_ONCE = 3
_DAY_US = 86_400 * 1_000_000
TIME_PERIOD_US = 30 * _DAY_US
_REPORTS = (UP_DAY, UP_RANGE, UP_GAP)

Choice = tuple[MeterLink, Message]


def dearest(tx: Tx, state: MeterState, link: MeterLink, heard: Heard) -> tuple[MeterLink, list[Message]]:
    """The one message that is needed most, or none."""
    choice = next(_by_rank(tx, state, link, heard), None)
    return (link, []) if choice is None else (choice[0], [choice[1]])


def _by_rank(tx: Tx, state: MeterState, link: MeterLink, heard: Heard) -> Iterator[Choice]:
    """What is needed, the first being needed most; nothing after it is even looked for."""
    if needs_opening(tx, state, link):
        yield link, opening_message(tx, state.meter_id, state.generation)
    granted = statements.granted(tx, state.meter_id, state.generation)
    acknowledged = replace(link, acked_told=acked_slot(state))
    if granted.number > link.statement_echo and _turn_of_packs(heard):
        yield from _next_part(tx, state, link)
    if (heard.type == UP_POLL and has_wallet(tx, state)) or granted.number > link.statement_echo:
        yield acknowledged, statement_message(tx, state)
    for message in command_messages(tx, link):
        yield link, message
    if heard.repeats and _goes_back(link, heard):
        # Before the time: a log says whether the clock was sure when it was counted, not whether it is now.
        yield acknowledged, statement_message(tx, state)
    timed = replace(link, time_told_us=heard.at_us)
    if heard.fresh and link.status & STATUS_CLOCK_UNSURE:
        yield timed, heard.time
    holes = holes_of(tx, state)
    if holes is not None and worth_asking(holes):
        yield link, nack_message(holes)
    yield from _next_part(tx, state, link)
    for message in rekey_messages(link):
        yield link, message
    lags = acked_slot(state) - max(link.acked_echo, link.acked_told) >= ACK_LAG_SLOTS
    if lags or _goes_back(link, heard):
        yield acknowledged, statement_message(tx, state)
    if heard.fresh and (link.time_told_us is None or heard.at_us - link.time_told_us >= TIME_PERIOD_US):
        yield timed, heard.time
    for message in update_messages(tx, link, heard, 1):
        yield link, message


def _next_part(tx: Tx, state: MeterState, link: MeterLink) -> Iterator[Choice]:
    """The part of a pack whose turn it is, if the meter misses any."""
    pending = pending_packs(tx, link, state.pack_version)
    if pending:
        parts, turn = next_parts(pending, link.pack_turn, 1)
        yield replace(link, pack_turn=turn), parts[0]


def _turn_of_packs(heard: Heard) -> bool:
    """Whether a pack goes before a STATEMENT: at the reports of every second day. A meter with an old tariff makes each
    report a correction and so a STATEMENT, which would keep the tariff from it for ever (I22). Who is dry polls."""
    return heard.type in _REPORTS and bool(heard.at_us // _DAY_US & 1)


def _goes_back(link: MeterLink, heard: Heard) -> bool:
    """Whether this is a report of another cadence than the daily one: those go back to the acked slot each time, so
    without the news of it a busy meter would tell the same slots for ever."""
    return heard.type in _REPORTS and link.report_slots not in (None, SLOTS_PER_DAY)


def worth_asking(holes: Holes) -> bool:
    """Whether a person waits, or there are several holes, or the oldest is some days old."""
    age_slots = holes.newest_slot - holes.ranges[0][0]
    return holes.asked or len(holes.ranges) >= HOLES_AT_ONCE or age_slots > HOLE_AGE_SLOTS
