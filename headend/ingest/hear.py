"""What an uplink tells about the conversation: window, address, echoes; and about the meter itself: ANCHOR, DEVICE."""

from dataclasses import replace
from typing import Any

from headend.ingest.advance import Finding
from headend.ingest.authenticate import Authentic
from headend.ingest.decode import Decoded
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ledger.cases import CaseKind
from headend.ledger.statements import Statement
from protocol.wire.event_codes import VALVE_CLOSED, VALVE_OPENED
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    STATUS_CLOCK_UNSURE,
    STATUS_VALVE_MASK,
    VALVE_OPEN,
    Anchor,
    Device,
    Event,
)
from protocol.wire.messages import VALVE_CLOSED as VALVE_SHUT
from protocol.wire.window import accept

_ECHO_BITS = 63
_VALVE_BITS = {VALVE_OPENED: VALVE_OPEN, VALVE_CLOSED: VALVE_SHUT}


def spend_counter(authentic: Authentic) -> MeterLink:
    """The link after a fresh frame, whatever is in it: its counter is used, and a push goes where it came from."""
    received, link = authentic.received, authentic.link
    window = accept(link.window, authentic.counter)
    return replace(
        link,
        up_highest=window.highest,
        up_bitmap=window.bitmap.to_bytes(8, "big"),
        bearer=int(received.bearer),
        address=received.address,
        heard_us=received.at_us,
        heard_counter=authentic.counter,
    )


def hear(link: MeterLink, decoded: Decoded, statement: Statement) -> MeterLink:
    """The link after a message: echoes only rise, a status counts if no newer frame was heard before."""
    message, log = decoded.message, decoded.log
    newest = decoded.authentic.counter == link.up_highest
    if log is not None:
        echo = statement.number - ((statement.number - log.statement6) & _ECHO_BITS)
        return replace(
            link,
            status=log.status if newest else link.status,
            statement_echo=max(link.statement_echo, echo),
            tariff_echo=max(link.tariff_echo, log.pack_version),
        )
    if isinstance(message, Anchor):
        sure = not message.status & STATUS_CLOCK_UNSURE
        return replace(
            link,
            status=message.status if newest else link.status,
            anchor_slot=message.slot if newest and sure else link.anchor_slot,
        )
    if isinstance(message, Event) and newest:
        return replace(link, status=_valve_after(message, link.status))
    if isinstance(message, Device):
        return _hear_device(link, message, newest)
    return link


def _valve_after(message: Any, status: int) -> int:
    """The status with the valve bits of the last move that the event tells of: the news of it runs ahead of the log."""
    for entry in message.events:
        if entry.code in _VALVE_BITS:
            status = status & ~STATUS_VALVE_MASK | _VALVE_BITS[entry.code]
    return status


def _hear_device(link: MeterLink, device: Any, newest: bool) -> MeterLink:
    if not newest:
        return link
    return replace(
        link,
        statement_echo=max(link.statement_echo, device.statement),
        tariff_echo=max(link.tariff_echo, device.pack_version),
        policy_echo=device.policy_version,
        plan_echo=device.plan_version,
        unopened=device.flags & DEVICE_UNOPENED,
        battery_mv=device.battery_mv,
        firmware_version=device.firmware_version,
        boot_count=device.boot_count,
    )


def start_told(state: MeterState, decoded: Decoded) -> MeterState:
    """A DEVICE of a meter whose log has not begun here names its first slot: the first one not acknowledged."""
    return start_told_by(state, decoded.message) if isinstance(decoded.message, Device) else state


def start_told_by(state: MeterState, device: Any) -> MeterState:
    """The same, from the DEVICE itself."""
    if state.started or device.flags & DEVICE_UNOPENED:
        return state
    if device.log_generation != state.log_generation or not device.acked_slot:
        return state
    return replace(state, started=1, frontier_slot=device.acked_slot)


def judge_anchor(state: MeterState, decoded: Decoded, statement: Statement) -> list[Finding]:
    """What an ANCHOR contradicts: more credit than granted, or S or R below what was reported (SEMANTICS A4)."""
    anchor = decoded.message
    if not isinstance(anchor, Anchor):
        return []
    findings = []
    key = f"{state.generation}:{anchor.slot}"
    if anchor.credited_mills > statement.credited_mills or anchor.debited_mills > statement.debited_mills:
        detail = {"credited_mills": anchor.credited_mills, "debited_mills": anchor.debited_mills}
        findings.append(Finding(CaseKind.COUNTER_AHEAD, key, detail))
    if anchor.log_generation2 != state.log_generation & 3 or anchor.slot < state.frontier_slot:
        return findings
    counters = {"spent_mills": anchor.spent_mills, "collected_mills": anchor.collected_mills}
    if went_back(state, anchor):
        return [*findings, Finding(CaseKind.WENT_BACK, key, counters)]
    if state.started and anchor.slot == state.frontier_slot:
        if anchor.volume_l != state.volume_l:
            difference_l = anchor.volume_l - state.volume_l
            findings.append(Finding(CaseKind.VOLUME_MISMATCH, key, {"difference_l": difference_l}))
        if anchor.collected_mills != state.collected_mills:
            findings.append(Finding(CaseKind.DEBT_BOUNDS, key, counters))
        if anchor.spent_mills != state.spent_mills:
            findings.append(Finding(CaseKind.UNEXPLAINED, key, counters))
    return findings


def went_back(state: MeterState, anchor: Any) -> bool:
    """Whether an ANCHOR taken at or after our frontier has less S or R than was reported (SEMANTICS A4)."""
    if anchor.log_generation2 != state.log_generation & 3 or anchor.slot < state.frontier_slot:
        return False
    return bool(anchor.spent_mills < state.spent_mills or anchor.collected_mills < state.collected_mills)
