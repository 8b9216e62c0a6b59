"""What a meter should hold against what it echoes: level-triggered, so nothing is queued and nothing is lost.

Every accepted uplink is answered with what is still missing, in this order: OPENING, STATEMENT, packs not yet echoed
(one per kind, the oldest first, so that a later one never hides a lost one), TIME. What is lost is simply still missing
at the next uplink.
"""

from dataclasses import replace

from headend.downlink.reply import Reply, Reserved
from headend.ingest import meter_link
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState, load
from headend.ledger import statements
from headend.meters.keyring import Keyring
from headend.storage.writer import Tx
from protocol.wire.downlinks import encode_down
from protocol.wire.keys import KeySet
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Opening, Statement, Time
from protocol.wire.parts import whole_pack

# Frames a bearer may carry back per uplink.
MAX_DOWNLINKS = {1: 4, 2: 4, 3: 1}

UDP = 1

Message = tuple[int, bytes]


def statement_message(tx: Tx, state: MeterState) -> Message:
    """C and D as granted by now, and how far the meter's log is durable and posted."""
    granted = statements.current(tx, state.meter_id, state.generation)
    acked_slot = state.frontier_slot if state.started else 0
    counters = (granted.number, granted.credited_mills, granted.debited_mills)
    return encode_down(Statement(*counters, state.log_generation, acked_slot))


def opening_message(tx: Tx, meter_id: bytes, generation: int) -> Message:
    """The OPENING of a meter that starts a supply: nothing spent, its first index, its holder's first slot (A4)."""
    first_index_l, first_slot = tx.cursor.execute(
        "SELECT first_index_l, first_slot FROM meter WHERE meter_id = ?", (meter_id,)
    ).fetchone()
    granted = statements.current(tx, meter_id, generation)
    counters = (granted.credited_mills, granted.debited_mills, granted.number)
    return encode_down(Opening(generation, first_index_l, 0, 0, 0, first_slot, *counters))


def pack_messages(tx: Tx, link: MeterLink, acting: int) -> list[Message]:
    """The oldest pack of each kind that the meter has not echoed and that no newer one replaces.

    A tariff from before the one that is `acting` (its version) would be ignored (B4), so it must not hold up the next.
    """
    echoes = {DOWN_TARIFF: link.tariff_echo, DOWN_POLICY: link.policy_echo, DOWN_PLAN: link.plan_echo}
    messages = []
    for kind, echo in echoes.items():
        row = tx.cursor.execute(
            "SELECT version, from_slot, body FROM pack p WHERE meter_id = ? AND kind = ? AND version > ? "
            "AND NOT EXISTS (SELECT 1 FROM pack n WHERE n.meter_id = p.meter_id AND n.kind = p.kind "
            "AND n.version > p.version AND (p.kind <> 3 OR n.from_slot <= p.from_slot)) "
            "AND NOT EXISTS (SELECT 1 FROM pack a WHERE a.meter_id = p.meter_id AND a.kind = 3 AND p.kind = 3 "
            "AND a.version = ? AND a.from_slot > p.from_slot) ORDER BY version LIMIT 1",
            (link.meter_id, kind, echo, acting if link.tariff_echo else 0),
        ).fetchone()
        if row is not None:
            messages.append(encode_down(whole_pack(*row), kind))
    return messages


def answer(
    tx: Tx, state: MeterState, link: MeterLink, keys: KeySet, heard: Time | None
) -> tuple[MeterLink, Reply | None]:
    """The reply to an uplink and the link with its counters reserved. `heard` asks for a TIME of that moment.

    A meter that lost its state after having spent gets no OPENING by itself: it is quarantined (SEMANTICS A4).
    """
    messages: list[Message] = []
    if link.unopened and not state.started and not state.spent_mills:
        messages.append(opening_message(tx, state.meter_id, state.generation))
    messages.append(statement_message(tx, state))
    messages += pack_messages(tx, link, state.pack_version)
    if heard is not None:
        messages.append(encode_down(heard))
    return reserve(link, keys, messages[: MAX_DOWNLINKS[link.bearer or UDP]])


def reserve(link: MeterLink, keys: KeySet, messages: list[Message]) -> tuple[MeterLink, Reply]:
    """Give each message a downlink counter that no other frame will ever have; the caller saves the link."""
    numbered = tuple(
        Reserved(kind, counter, text) for counter, (kind, text) in enumerate(messages, start=link.down_next)
    )
    reply = Reply(link.meter_id, link.bearer or UDP, link.address, numbered, keys)
    return replace(link, down_next=link.down_next + len(numbered)), reply


def push_statement(tx: Tx, keyring: Keyring, meter_id: bytes) -> Reply | None:
    """A STATEMENT to be pushed at once, or None when the meter has no address. Call it in the job that moved money."""
    link = meter_link.load(tx, meter_id)
    if link.bearer != UDP or link.address is None:
        return None
    keys = keyring.keys_of(tx, meter_id, link.generation, link.epoch)
    link, reply = reserve(link, keys, [statement_message(tx, load(tx, meter_id))])
    meter_link.save(tx, link)
    return reply
