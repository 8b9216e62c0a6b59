"""What an uplink tells about the conversation: window, address, echoes; and about the meter itself: ANCHOR, DEVICE."""

from dataclasses import replace
from typing import Any

from headend.ingest.authenticate import Authentic
from headend.ingest.decode import Decoded
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ingest.posting import Finding
from headend.ingest.received import Bearer
from headend.ledger.cases import CaseKind
from headend.ledger.statements import Statement
from protocol.wire.event_codes import (
    AIR,
    BACKFLOW,
    BATTERY_CRITICAL,
    LEAK_BY_RATE,
    NO_WATER,
    VALVE_CLOSED,
    VALVE_OPENED,
    VALVE_STUCK,
    VALVE_STUCK_OPEN,
)
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    STATUS_VALVE_MASK,
    VALVE_OPEN,
    Anchor,
    Device,
    Event,
)
from protocol.wire.messages import VALVE_CLOSED as VALVE_SHUT
from protocol.wire.unwrap import unwrap_forward
from protocol.wire.window import accept

_ECHO_BITS = 63
_WORK_ON_SITE = {
    VALVE_STUCK: CaseKind.VALVE,
    VALVE_STUCK_OPEN: CaseKind.VALVE,
    LEAK_BY_RATE: CaseKind.VALVE,
    NO_WATER: CaseKind.VALVE,
    BATTERY_CRITICAL: CaseKind.VALVE,
    AIR: CaseKind.AIR,
    BACKFLOW: CaseKind.BACKFLOW,
}
_VALVE_BITS = {VALVE_OPENED: VALVE_OPEN, VALVE_CLOSED: VALVE_SHUT}


def spend_counter(authentic: Authentic) -> MeterLink:
    """The link after a fresh frame, whatever is in it: its counter is used, and a push goes where it came from.

    One that was carried by hand shows no way to the meter and no time at which it was sealed.
    """
    received, link = authentic.received, authentic.link
    window = accept(link.window, authentic.counter)
    link = replace(link, up_highest=window.highest, up_bitmap=window.bitmap.to_bytes(8, "big"))
    if received.bearer is Bearer.HAND:
        return link
    return replace(
        link,
        bearer=int(received.bearer),
        address=received.address,
        heard_us=received.at_us,
        heard_counter=authentic.counter,
    )


def is_newest(link: MeterLink, decoded: Decoded) -> bool:
    """Whether the meter sent nothing later that we have heard; `link` is the one after its counter was spent."""
    return decoded.authentic.counter == link.up_highest


def echoed(last: int, known: int, statement6: int) -> int:
    """The statement number that a log echoes by its low 6 bits: the last one, else the first from the known one on.

    With 5 known and 70 granted in between, an echo of 5 is 5, not 69. A log that was long on its way: what fits last.
    """
    if last & _ECHO_BITS == statement6:
        return last
    number = unwrap_forward(statement6, 6, known)
    return number if number <= last else last - ((last - statement6) & _ECHO_BITS)


def hear(link: MeterLink, decoded: Decoded, state: MeterState, statement: Statement) -> MeterLink:
    """The link after a message: echoes only rise, a status counts if no newer frame was heard before."""
    message, log = decoded.message, decoded.log
    newest = is_newest(link, decoded)
    if log is not None:
        echo = echoed(statement.number, link.statement_echo, log.statement6)
        return replace(
            link,
            status=log.status if newest else link.status,
            statement_echo=max(link.statement_echo, echo),
            tariff_echo=max(link.tariff_echo, log.pack_version),
        )
    if isinstance(message, Anchor):
        ours = message.log_generation2 == state.log_generation & 3
        return replace(
            link,
            status=message.status if newest else link.status,
            anchor_slot=message.slot if newest and ours else link.anchor_slot,
        )
    if isinstance(message, Event) and newest:
        return replace(link, status=_valve_after(message, link.status))
    if isinstance(message, Device):
        return _hear_device(link, message, state) if newest else link
    return link


def _valve_after(message: Any, status: int) -> int:
    """The status with the valve bits of the last move that the event tells of: the news of it runs ahead of the log."""
    for entry in message.events:
        if entry.code in _VALVE_BITS:
            status = status & ~STATUS_VALVE_MASK | _VALVE_BITS[entry.code]
    return status


def _hear_device(link: MeterLink, device: Any, state: MeterState) -> MeterLink:
    if device.log_generation < state.log_generation:
        # It does not know that its former log is durable to the end: it is to be told, whatever it was told before.
        link = replace(link, acked_echo=0, acked_told=0)
    elif device.log_generation == state.log_generation:
        link = replace(link, acked_echo=device.acked_slot)
    return replace(
        link,
        statement_echo=max(link.statement_echo, device.statement),
        # An older one is an echo too: a meter that lost its packs goes on under those it was provisioned with, or under
        # none, and is given the newer ones again.
        tariff_echo=device.pack_version,
        policy_echo=device.policy_version,
        plan_echo=device.plan_version,
        unopened=device.flags & DEVICE_UNOPENED,
        battery_mv=device.battery_mv,
        firmware_version=device.firmware_version,
        boot_count=device.boot_count,
        command_echo=device.command,
        report_slots=device.report_slots or None,
    )


def start_told(state: MeterState, decoded: Decoded) -> MeterState:
    """A DEVICE of a meter whose log has not begun here names its first slot: the first one not acknowledged.

    It names the log generation too: a meter opened over the air has logged before, one without a clock starts at 0.
    """
    return start_told_by(state, decoded.message) if isinstance(decoded.message, Device) else state


def start_told_by(state: MeterState, device: Any) -> MeterState:
    """The same, from the DEVICE itself."""
    if state.started or device.flags & DEVICE_UNOPENED:
        return state
    return replace(state, started=1, log_generation=device.log_generation, frontier_slot=device.acked_slot)


def judge(state: MeterState, decoded: Decoded, link: MeterLink, statement: Statement) -> list[Finding]:
    """What a meter says that contradicts the books; a meter that lost its state is not believed (SEMANTICS A4)."""
    message, newest = decoded.message, is_newest(link, decoded)
    contradictions = [*_judge_anchor(state, message, statement), *_judge_events(state, message)]
    if lost_state(state, message, newest):
        found = {"spent_mills": message.spent_mills if isinstance(message, Anchor) else 0}
        finding = Finding(CaseKind.WENT_BACK, str(state.generation), {**found, "known_mills": state.spent_mills})
        return [finding, *contradictions]
    return contradictions


def lost_state(state: MeterState, message: Any, newest: bool) -> bool:
    """Whether S is below what was reported, in whatever log generation, or a meter with a log says it was never opened.

    Only the newest word counts: an older one that was long on its way tells an older S. R is no witness here, since
    the books derive it from the count of instalments.
    """
    if not newest:
        return False
    if isinstance(message, Device):
        return bool(state.started and message.flags & DEVICE_UNOPENED)
    return isinstance(message, Anchor) and bool(message.spent_mills < state.spent_mills)


def _judge_anchor(state: MeterState, anchor: Any, statement: Statement) -> list[Finding]:
    """What an ANCHOR contradicts: more credit than granted, another V or more S at the frontier (R: anchored.py)."""
    if not isinstance(anchor, Anchor):
        return []
    findings = []
    key = f"{state.generation}:{anchor.slot}"
    if anchor.credited_mills > statement.credited_mills or anchor.debited_mills > statement.debited_mills:
        detail = {"credited_mills": anchor.credited_mills, "debited_mills": anchor.debited_mills}
        findings.append(Finding(CaseKind.COUNTER_AHEAD, key, detail))
    counters = {"spent_mills": anchor.spent_mills, "collected_mills": anchor.collected_mills}
    ours = anchor.log_generation2 == state.log_generation & 3
    same_slot = state.started and ours and anchor.slot == state.frontier_slot
    if same_slot:
        if anchor.volume_l != state.volume_l:
            difference_l = anchor.volume_l - state.volume_l
            findings.append(Finding(CaseKind.VOLUME_MISMATCH, key, {"difference_l": difference_l}))
        if anchor.spent_mills > state.spent_mills:
            findings.append(Finding(CaseKind.UNEXPLAINED, key, counters))
    return findings


def _judge_events(state: MeterState, message: Any) -> list[Finding]:
    """What of a meter's events somebody must see to on site; the same event, told twice, is one case.

    A leak-by that has ceased (rate 0) is news and no work.
    """
    if not isinstance(message, Event):
        return []
    return [
        Finding(
            _WORK_ON_SITE[entry.code],
            f"{state.generation}:{entry.event_no}:{entry.at_unix_s}",
            {"code": entry.code, "argument": entry.argument, "at_unix_s": entry.at_unix_s},
        )
        for entry in message.events
        if entry.code in _WORK_ON_SITE and (entry.code != LEAK_BY_RATE or entry.argument)
    ]
