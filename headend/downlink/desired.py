"""What a meter should hold against what it echoes: level-triggered, so nothing is queued and nothing is lost.

Every accepted uplink is answered with what is still missing; what is lost is simply still missing at the next uplink.
Over IP an answer has room for four frames and always acknowledges; LoRaWAN's one downlink is dear (airtime.py).
"""

from collections.abc import Callable
from dataclasses import replace

from headend.downlink import airtime
from headend.downlink.heard import Heard
from headend.downlink.holes import holes_of, nack_message
from headend.downlink.orders import command_messages, rekey_messages
from headend.downlink.packs import next_parts, pending_packs
from headend.downlink.reply import Message, Reply, Reserved
from headend.downlink.updates import update_messages
from headend.downlink.wallet import acked_slot, has_wallet, needs_opening, opening_message, statement_message
from headend.ingest import meter_link
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState, load
from headend.ledger import statements
from headend.meters.keyring import Keyring
from headend.storage.writer import Tx
from protocol.wire.keys import KeySet
from protocol.wire.messages import STATUS_CLOCK_UNSURE, UP_ANCHOR

UDP, HTTP, LORAWAN = 1, 2, 3
FRAMES_OVER_IP = 4


def answer(tx: Tx, state: MeterState, link: MeterLink, keys: KeySet, heard: Heard) -> tuple[MeterLink, Reply | None]:
    """The reply to an uplink, None for nothing to say, and the link with its counters reserved."""
    if link.bearer == LORAWAN:
        link, messages = airtime.dearest(tx, state, link, heard)
    else:
        link, messages = _over_ip(tx, state, link, heard)
    return reserve(link, keys, messages) if messages else (link, None)


def _over_ip(tx: Tx, state: MeterState, link: MeterLink, heard: Heard) -> tuple[MeterLink, list[Message]]:
    """OPENING, the STATEMENT, then what is missing, in the order in which it matters; an update takes the rest.

    A PROGRESS comes a thousand times in an update: it is answered with a STATEMENT only where that is news.
    """
    messages: list[Message] = []
    if needs_opening(tx, state, link):
        messages.append(opening_message(tx, state.meter_id, state.generation))
    if has_wallet(tx, state) and not (heard.asks_update and _is_told(tx, state, link)):
        link = replace(link, acked_told=acked_slot(state))
        messages.append(statement_message(tx, state))
    messages += command_messages(tx, link)
    # A hole that this very uplink made may close with the next frame, which is on its way: reports have several.
    holes = holes_of(tx, state)
    if holes is not None and (holes.asked or heard.was_waiting):
        messages.append(nack_message(holes))
    timely = heard.fresh and (heard.type == UP_ANCHOR or bool(link.status & STATUS_CLOCK_UNSURE))
    after = [*rekey_messages(link), *([heard.time] if timely else [])]
    room = max(1, FRAMES_OVER_IP - len(messages) - len(after))
    parts, turn = next_parts(pending_packs(tx, link, state.pack_version), link.pack_turn, room)
    messages = (messages + parts + after)[:FRAMES_OVER_IP]
    messages += update_messages(tx, link, heard, FRAMES_OVER_IP - len(messages))
    return replace(link, pack_turn=turn), messages


def _is_told(tx: Tx, state: MeterState, link: MeterLink) -> bool:
    """Whether the meter has said that it applied the newest statement."""
    return statements.granted(tx, state.meter_id, state.generation).number <= link.statement_echo


def reserve(link: MeterLink, keys: KeySet, messages: list[Message]) -> tuple[MeterLink, Reply]:
    """Give each message a downlink counter that no other frame will ever have; the caller saves the link."""
    numbered = tuple(
        Reserved(kind, counter, text) for counter, (kind, text) in enumerate(messages, start=link.down_next)
    )
    reply = Reply(link.meter_id, link.bearer or UDP, link.address, numbered, keys)
    return replace(link, down_next=link.down_next + len(numbered)), reply


def push_statement(tx: Tx, keyring: Keyring, meter_id: bytes) -> Reply | None:
    """A STATEMENT to be pushed at once, or None when the meter has no address. Call it in the job that moved money."""
    return _push(tx, keyring, meter_id, lambda link: [statement_message(tx, load(tx, meter_id))])


def push_command(tx: Tx, keyring: Keyring, meter_id: bytes) -> Reply | None:
    """The COMMAND that is wanted, pushed at once; None when the meter has no address."""
    return _push(tx, keyring, meter_id, lambda link: command_messages(tx, link))


def _push(
    tx: Tx, keyring: Keyring, meter_id: bytes, messages_for: Callable[[MeterLink], list[Message]]
) -> Reply | None:
    """To the last address, over a bearer that takes what it did not ask for: a datagram, a network server's queue."""
    link = meter_link.load(tx, meter_id)
    if link.bearer not in (UDP, LORAWAN) or link.address is None:
        return None
    messages = messages_for(link)
    if not messages:
        return None
    keys = keyring.keys_of(tx, meter_id, link.generation, link.epoch)
    link, reply = reserve(link, keys, messages)
    meter_link.save(tx, link)
    return reply
