"""Writing it down: the uplink's facts and segments, its events, the state, corrections and cases, in one commit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from headend.billing.correct import correct_meter
from headend.billing.lost import LostSlots
from headend.billing.plan_changes import return_over_collected
from headend.billing.segments import Segment
from headend.billing.slots import pack_slots
from headend.billing.work import is_due, work_on
from headend.ingest import meter_state
from headend.ingest.advance import Advanced
from headend.ingest.decode import Decoded
from headend.ingest.hear import echoed
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ingest.place import Conflict
from headend.ingest.posting import Adopted, Finding
from headend.ledger import statements
from headend.ledger.cases import CaseKind, open_case
from headend.ledger.chart import ROLE_MAP
from headend.ledger.posting_rules import instalments_adopted
from headend.meters import commands, slot_requests
from headend.meters.lookup import holding_of_meter
from headend.storage.chain import slots_hash
from headend.storage.tables import ROLES
from headend.storage.writer import Tx
from protocol.wire.messages import Event, Result

_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Posted:
    """An uplink that is in the books: its row, and what they now say of the meter."""

    uplink_id: int
    state: MeterState
    link: MeterLink


def post(tx: Tx, decoded: Decoded, advanced: Advanced, link: MeterLink, random_bytes: Callable[[int], bytes]) -> Posted:
    """Append the facts and segments, then bring state, corrections and the daily check up to date."""
    uplink_id = _append_uplink(tx, decoded, link, advanced.segments, random_bytes)
    if isinstance(decoded.message, Event):
        _append_events(tx, link, decoded.message.events, uplink_id)
    if isinstance(decoded.message, Result):
        commands.settle(tx, link.meter_id, decoded.message)
    if decoded.log is not None:
        slot_requests.heard(tx, link.meter_id, decoded.log.log_generation, decoded.log.first_slot, decoded.log.end_slot)
    for run in advanced.lost:
        head = {"meter_id": link.meter_id, "generation": link.generation, "uplink_id": uplink_id}
        tx.append("lost_slots", {**head, **{name: int(getattr(run, name)) for name in LostSlots.__slots__}})
    for adopted in advanced.adopted:
        _adopt(tx, link, adopted)
    state = advanced.state
    if advanced.adopted or any(segment.collected_now_mills for segment in advanced.segments):
        return_over_collected(tx, state)
    if is_due(tx, state.meter_id):
        state = work_on(tx, state)
    elif advanced.segments and (advanced.rate_again or _uncorrected(state)):
        state = correct_meter(tx, state)
    if advanced.last is not None:
        link = _cut(tx, link, state, advanced.last.statement6)
        _check_cut(tx, state)
    if not decoded.authentic.spare:
        meter_state.save(tx, state)
    return Posted(uplink_id, state, link)


def _append_uplink(
    tx: Tx,
    decoded: Decoded,
    link: MeterLink,
    segments: tuple[Segment, ...],
    random_bytes: Callable[[int], bytes],
) -> int:
    """One row of facts with the first segment; further segments in rows of their own."""
    authentic, log = decoded.authentic, decoded.log
    received = authentic.received
    row: dict[str, Any] = {
        "meter_id": received.meter_id,
        "generation": link.generation,
        "epoch": link.epoch,
        "counter": authentic.counter,
        "type": authentic.type,
        "bearer": int(received.bearer),
        "received_us": received.at_us,
        "facts": decoded.facts,
    }
    if log is not None:
        salt, slots = random_bytes(_SALT_BYTES), pack_slots(log.litres)
        row |= {"log_generation": log.log_generation, "first_slot": log.first_slot, "slot_count": len(log.litres)}
        row |= {"slots_hash": slots_hash(salt, slots), "salt": salt, "slots": slots}
    if decoded.lost is not None:
        lost = decoded.lost
        row |= {"log_generation": lost.log_generation, "first_slot": lost.first_slot}
        row |= {"slot_count": lost.end_slot - lost.first_slot, "slots_hash": slots_hash(b"", b"")}
    if segments:
        row |= segment_row(segments[0])
    uplink_id = tx.append("uplink", row)
    for segment in segments[1:]:
        head = {"uplink_id": uplink_id, "meter_id": received.meter_id, "generation": link.generation}
        tx.append("segment", {**head, **segment_row(segment)})
    return uplink_id


def segment_row(segment: Segment) -> dict[str, int]:
    """The columns of a segment, in uplink and segment alike."""
    return {
        "segment_log_generation": segment.log_generation,
        "segment_first_slot": segment.first_slot,
        "segment_slots": segment.slots,
        "segment_volume_l": segment.volume_l,
        "contract_id": segment.contract_id,
        "pack_version": segment.pack_version,
        "role_map": ROLE_MAP,
        "wallet_mills": segment.wallet_mills,
        **{f"{role}_mills": mills for role, mills in zip(ROLES, segment.roles, strict=True)},
        "spent_mills": segment.spent_mills,
        "collected_mills": segment.collected_mills,
    }


def _append_events(tx: Tx, link: MeterLink, events: tuple[Any, ...], uplink_id: int) -> None:
    """Each event once, by its own number: a meter may tell it again."""
    for event in events:
        known = tx.cursor.execute(
            "SELECT 1 FROM meter_event WHERE meter_id = ? AND generation = ? AND event_no = ?",
            (link.meter_id, link.generation, event.event_no),
        ).fetchone()
        if known is None:
            head = {"meter_id": link.meter_id, "generation": link.generation, "uplink_id": uplink_id}
            tx.append("meter_event", {**head, **event._asdict()})


def _adopt(tx: Tx, link: MeterLink, adopted: Adopted) -> None:
    """Bring R to what the meter's ANCHOR told (SEMANTICS B7)."""
    key = f"instalments:{link.meter_id.hex()}:{link.generation}:{adopted.log_generation}:{adopted.slot}"
    memo = f"R as the meter told it at slot {adopted.slot}"
    instalments_adopted(tx, key, holding_of_meter(tx, link.meter_id), adopted.collected_mills, memo)


def _uncorrected(state: MeterState) -> bool:
    """Whether T − M is not what corrections have posted (SEMANTICS B5)."""
    return bool(state.today.spent_mills - state.metered.spent_mills != state.corrected_mills)


def _cut(tx: Tx, link: MeterLink, state: MeterState, statement6: int) -> MeterLink:
    """The meter's own balance at the frontier: C and D of the statement it echoed, less S and R (SEMANTICS B8)."""
    last = statements.current(tx, state.meter_id, state.generation)
    number = echoed(last.number, link.statement_echo, statement6)
    applied = last if number == last.number else statements.numbered(tx, state.meter_id, state.generation, number)
    if applied is None:
        return link
    balance_mills = applied.credited_mills - applied.debited_mills - state.spent_mills - state.collected_mills
    return replace(link, balance_mills=balance_mills, balance_slot=state.frontier_slot)


def _check_cut(tx: Tx, state: MeterState) -> None:
    """The daily check: T − S = A, or a case opens (SEMANTICS B8)."""
    difference_mills = state.today.spent_mills - state.spent_mills - state.corrected_mills
    if difference_mills:
        key = f"{state.meter_id.hex()}:{state.generation}:{difference_mills}"
        detail = {"slot": state.frontier_slot, "difference_mills": difference_mills}
        open_case(tx, CaseKind.UNEXPLAINED, key, state.meter_id, **detail)


def open_cases(tx: Tx, meter_id: bytes, findings: tuple[Finding, ...], conflicts: tuple[Conflict, ...]) -> None:
    """A case for each finding; S or R that fell quarantines the meter: facts are kept, nothing is posted (A4)."""
    for finding in findings:
        open_case(tx, finding.kind, f"{meter_id.hex()}:{finding.key}", meter_id, **finding.detail)
        if finding.kind is CaseKind.WENT_BACK:
            tx.cursor.execute("UPDATE meter SET state = 'quarantined' WHERE meter_id = ?", (meter_id,))
    for conflict in conflicts:
        key = f"{meter_id.hex()}:{conflict.log_generation}:{conflict.slot}:{conflict.repeated_l}"
        detail = {"slot": conflict.slot, "stored_l": conflict.stored_l, "repeated_l": conflict.repeated_l}
        open_case(tx, CaseKind.SLOT_CONFLICT, key, meter_id, **detail)
