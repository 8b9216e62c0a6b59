"""An uplink from bytes to books, as a list of steps: each takes the one before and returns a fuller value, or refuses.

    Received → Authentic → Decoded → Placed → Advanced → Posted → Answer

All of it runs as one job of the writer: the acknowledgement in the answer is sealed and sent only after the commit.
"""

from collections.abc import Callable
from dataclasses import replace

from headend.billing.packs import bring_tariffs
from headend.downlink import desired
from headend.downlink.heard import Heard
from headend.downlink.reply import Reply
from headend.field import first_uplink
from headend.ingest import clones, contact, flash_lost, meter_link, meter_state, old_frames, spare
from headend.ingest.advance import Advanced, advance
from headend.ingest.anchored import remember_anchor
from headend.ingest.authenticate import Authentic, authenticate
from headend.ingest.decode import Decoded, decode
from headend.ingest.hear import hear, is_newest, judge, spend_counter, start_told
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ingest.place import place
from headend.ingest.post import Posted, open_cases, post
from headend.ingest.received import Answer, Bearer, Received, Refusal
from headend.ledger import statements
from headend.ledger.cases import CaseKind, open_case
from headend.meters.keyring import Keyring
from headend.meters.lookup import contracts_of
from headend.meters.rekey import keep_epoch
from headend.releases import updates
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.messages import UP_EXTENDED, UP_KIND_UPDATE

_CASE_OF_REFUSAL = {
    Refusal.UNREADABLE: CaseKind.UNREADABLE,
    Refusal.PACK_UNKNOWN: CaseKind.PACK_UNKNOWN,
    Refusal.NO_WALLET: CaseKind.NO_WALLET,
}


class Ingest:
    """Takes uplinks. `random_bytes(n)` must be a cryptographic source: it salts the half-hours in the chain."""

    def __init__(self, keyring: Keyring, random_bytes: Callable[[int], bytes]) -> None:
        self.keyring = keyring
        self._random_bytes = random_bytes

    def receive(self, tx: Tx, received: Received) -> Answer:
        """Take one uplink inside the writer's transaction."""
        authentic = authenticate(tx, self.keyring, received)
        if authentic is Refusal.BAD_TAG:
            authentic = old_frames.judge_old(tx, self.keyring, received)
        if isinstance(authentic, Refusal):
            return Answer(authentic, None, False, None)
        if authentic.link.heard_us is None:
            first_uplink.notice(tx, received, authentic.link.generation)
        state = spare.state_of(authentic.link) if authentic.spare else meter_state.load(tx, received.meter_id)
        if not authentic.fresh:
            witness = clones.judge_repetition(tx, authentic, state)
            if witness is not None:
                clones.report(tx, authentic, witness)
            return Answer(None, None, True, self._answer_again(tx, authentic, state))
        link = spend_counter(authentic)
        keep_epoch(tx, link)
        contact.bring_packs(tx, received.meter_id)
        decoded = decode(tx, authentic, state)
        if isinstance(decoded, Refusal):
            return self._refuse(tx, authentic, link, decoded)
        if authentic.spare and spare.says_opened(decoded):
            return self._refuse(tx, authentic, link, Refusal.NO_WALLET)
        return self._take(tx, decoded, state, link)

    def _take(self, tx: Tx, decoded: Decoded, state: MeterState, link: MeterLink) -> Answer:
        is_recovering = contact.notice(tx, decoded, state)
        statement = statements.granted(tx, state.meter_id, state.generation)
        link = hear(link, decoded, state, statement)
        if is_recovering:
            link = contact.echoed_now(link, decoded)
        placed = place(tx, decoded, state)
        findings = tuple(judge(state, decoded, link, statement))
        witness = clones.judge(tx, placed, state)
        if witness is not None:
            clones.report(tx, decoded.authentic, witness)
        if decoded.authentic.quarantined or witness is not None:
            advanced = Advanced(replace(state, waiting=1))
        elif decoded.authentic.spare:
            advanced = Advanced(state)
            spare.bring_packs(tx, state.meter_id)
        else:
            newest = is_newest(link, decoded)
            started = remember_anchor(start_told(state, decoded), decoded.message, newest)
            advanced = advance(tx, started, placed.logs, placed.lost)
            link = _follow(link, state, advanced.state)
        open_cases(tx, state.meter_id, findings + advanced.findings, placed.conflicts)
        flash_lost.notice(tx, decoded, is_newest(link, decoded))
        updates.hear(tx, link.meter_id, link.generation, decoded.message, is_newest(link, decoded))
        posted = post(tx, decoded, advanced, link, self._random_bytes)
        if link.tariff_echo > decoded.authentic.link.tariff_echo and not decoded.authentic.spare:
            _bring_held_back(tx, posted.link)
        authentic = decoded.authentic
        link, reply = self._reply(tx, posted, _heard(authentic, state, decoded), authentic)
        meter_link.save(tx, link)
        return Answer(None, posted.uplink_id, False, reply)

    def _reply(self, tx: Tx, posted: Posted, heard: Heard, authentic: Authentic) -> tuple[MeterLink, Reply | None]:
        """Nobody listens behind a frame that was carried by hand, and when the meter sealed it is not known."""
        if authentic.received.bearer is Bearer.HAND:
            return posted.link, None
        return desired.answer(tx, posted.state, posted.link, authentic.keys, heard)

    def _refuse(self, tx: Tx, authentic: Authentic, link: MeterLink, refusal: Refusal) -> Answer:
        """An authentic frame that says nothing usable: its counter is spent, and a person should look at the meter."""
        kind = _CASE_OF_REFUSAL.get(refusal)
        if kind is not None:
            meter_id = authentic.received.meter_id
            detail = {"type": authentic.type, "plaintext": authentic.plaintext}
            # A log of an unknown pack is sent again until it is acknowledged, longer each time: one slot, one case.
            # A spare that counts is one finding, however often it tells so.
            what = {Refusal.PACK_UNKNOWN: authentic.plaintext[:2].hex(), Refusal.NO_WALLET: "spare"}.get(
                refusal, str(authentic.counter)
            )
            open_case(tx, kind, f"{meter_id.hex()}:{what}", meter_id, **detail)
        contact.notice_refused(tx, authentic, refusal)
        meter_link.save(tx, link)
        return Answer(refusal, None, False, None)

    def _answer_again(self, tx: Tx, authentic: Authentic, state: MeterState) -> Reply | None:
        """A repeated frame changes nothing and is answered like the first: the meter may not have heard us.

        The answer goes where this copy came from, but later pushes do not: a copy proves no address.
        """
        received = authentic.received
        if received.bearer is Bearer.HAND:
            return None
        copy = replace(authentic.link, bearer=int(received.bearer), address=received.address)
        link, reply = desired.answer(tx, state, copy, authentic.keys, _heard(authentic, state))
        meter_link.save(tx, replace(authentic.link, down_next=link.down_next, pack_turn=link.pack_turn))
        return reply


def _follow(link: MeterLink, before: MeterState, after: MeterState) -> MeterLink:
    """Where a log generation begins, the slots of an older ANCHOR say nothing about the next ones."""
    if (before.started, before.log_generation) == (after.started, after.log_generation):
        return link
    slot = after.frontier_slot
    return replace(link, anchor_slot=slot, acked_echo=slot, acked_told=slot)


def _bring_held_back(tx: Tx, link: MeterLink) -> None:
    """The meter took a tariff: those that waited for it may follow (SEMANTICS B4)."""
    meter_link.save(tx, link)
    bring_tariffs(tx, contracts_of(tx, link.meter_id)[-1], slot_of(tx.now_us // 1_000_000))


def _heard(authentic: Authentic, before: MeterState, decoded: Decoded | None = None) -> Heard:
    at_us = authentic.received.at_us
    asks_update = authentic.type == UP_EXTENDED and authentic.plaintext[:1] == bytes([UP_KIND_UPDATE])
    told = None if decoded is None else decoded.log or decoded.lost
    posted = (before.log_generation, before.frontier_slot)
    repeats = told is not None and (told.log_generation, told.end_slot) <= posted
    return Heard(authentic.type, authentic.counter, at_us, authentic.fresh, bool(before.waiting), asks_update, repeats)
