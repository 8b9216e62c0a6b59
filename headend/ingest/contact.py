"""What a meter tells of itself after a restore, from its first frame on (SEMANTICS A5).

The books are behind. Whatever a frame shows of that is listed at once; what it does not show the meter is asked for
(TELL): an ANCHOR has C and D whole, a DEVICE its statement, its packs and its last command. C and D rise to what it
tells. When a DEVICE echoes the statement with which the restore began, and the ANCHOR before it was heard, all is told.
"""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from headend.billing.packs import bring_tariffs
from headend.billing.work import is_due
from headend.downlink.wallet import acked_slot
from headend.ingest import meter_link
from headend.ingest.authenticate import Authentic
from headend.ingest.decode import Decoded
from headend.ingest.meter_link import MeterLink
from headend.ingest.meter_state import MeterState
from headend.ingest.received import Refusal
from headend.ledger import recovered, statements
from headend.ledger.recovered import Recovery
from headend.meters import commands
from headend.meters.lookup import contracts_of
from headend.recovery import Lost, raise_to
from headend.refusals import Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire import command_codes
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Anchor, Device

UNHEARD, ASKED, AGREES, DIVERGED = "unheard", "asked", "agrees", "diverged"
STATES = (UNHEARD, ASKED, AGREES, DIVERGED)

_ECHO_BITS = 63
_AHEAD_MAX = 31
_ASKED_FOR_S = 30 * 86_400 - 60
_OF_REFUSAL = {Refusal.PACK_UNKNOWN: ("tariff_version", "unknown"), Refusal.NO_WALLET: ("meter", "swapped in since")}


def state_of(heard_us: int | None, told_us: int | None, found: str) -> str:
    """Where a meter stands after a restore: `asked` has been heard and did not tell all that it holds."""
    if heard_us is None:
        return UNHEARD
    if found != "{}":
        return DIVERGED
    return ASKED if told_us is None else AGREES


def counted(connection: Connection) -> dict[str, int]:
    """How many meters stand where."""
    counts = dict.fromkeys(STATES, 0)
    for row in connection.exec_driver_sql("SELECT heard_us, told_us, found FROM recovery"):
        counts[state_of(*row)] += 1
    return counts


def bring_packs(tx: Tx, meter_id: bytes) -> None:
    """What was published again since the restore waits for this meter's first contact, and its report may name it."""
    found = recovered.load(tx, meter_id)
    if found is not None and found.heard_us is None and is_due(tx, meter_id):
        bring_tariffs(tx, contracts_of(tx, meter_id)[-1], slot_of(tx.now_us // 1_000_000))


def notice(tx: Tx, decoded: Decoded, state: MeterState) -> bool:
    """List what a fresh frame shows to differ, raise C and D to what it tells, ask for what it does not tell. True
    while the meter has not told all. `state` is that of the books before this frame."""
    authentic = decoded.authentic
    found = recovered.load(tx, state.meter_id)
    if found is None or found.told_us is not None:
        return False
    found = _at_first(tx, authentic, found).with_found(**_shown(tx, decoded, state, found))
    if not authentic.quarantined and not authentic.spare:
        found = _told_whole(tx, decoded, found)
        if found.told_us is None:
            _ask(tx, found)
    elif authentic.spare and isinstance(decoded.message, Device):
        found = replace(found, told_us=tx.now_us)
    recovered.save(tx, found)
    return found.told_us is None


def notice_refused(tx: Tx, authentic: Authentic, refusal: Refusal) -> None:
    """The same of an authentic frame that cannot be taken: the books lack what it needs."""
    found = recovered.load(tx, authentic.received.meter_id)
    if found is None or found.told_us is not None:
        return
    found = _at_first(tx, authentic, found)
    if refusal in _OF_REFUSAL:
        name, what = _OF_REFUSAL[refusal]
        found = found.with_found(**{name: what})
    recovered.save(tx, found)


def echoed_now(link: MeterLink, decoded: Decoded) -> MeterLink:
    """A DEVICE says the number that it holds; the low bits in a report may have been taken for another one."""
    if isinstance(decoded.message, Device) and decoded.authentic.counter == link.up_highest:
        return replace(link, statement_echo=decoded.message.statement)
    return link


def _at_first(tx: Tx, authentic: Authentic, found: Recovery) -> Recovery:
    """First contact: frames that the books never had, keys that they do not know to be in use."""
    if found.heard_us is not None:
        return found
    found = replace(found, heard_us=tx.now_us)
    missed = authentic.counter - authentic.link.up_highest - 1
    if missed > 0:
        found = found.with_found(frames=missed)
    known = meter_link.load(tx, found.meter_id)
    if authentic.link.epoch not in (known.epoch, known.next_epoch):
        found = found.with_found(key_epoch=authentic.link.epoch)
    return found


def _shown(tx: Tx, decoded: Decoded, state: MeterState, found: Recovery) -> dict[str, int | str]:
    """What this frame shows beyond the books, by name."""
    message, told = decoded.message, decoded.log or decoded.lost
    shown: dict[str, int | str] = {}
    if decoded.log is not None and not decoded.authentic.spare:
        ahead = (decoded.log.statement6 - found.backup_number) & _ECHO_BITS
        if 0 < ahead <= _AHEAD_MAX:
            shown["statements"] = ahead
    if told is not None and state.started:
        if told.log_generation > state.log_generation:
            shown["log_generation"] = told.log_generation
        elif told.log_generation == state.log_generation and told.first_slot > state.frontier_slot:
            shown["slots"] = told.first_slot - state.frontier_slot
    if isinstance(message, Device):
        shown |= _shown_by_device(tx, message, state, found)
    return shown


def _shown_by_device(tx: Tx, device: Any, state: MeterState, found: Recovery) -> dict[str, int | str]:
    known = dict(
        tx.cursor.execute("SELECT kind, max(version) FROM pack WHERE meter_id = ? GROUP BY kind", (state.meter_id,))
    )
    same_log = state.started and device.log_generation == state.log_generation
    values = {
        "statements": (device.statement if device.statement < found.number else 0, found.backup_number),
        "log_generation": (device.log_generation, state.log_generation if state.started else device.log_generation),
        "slots": (device.acked_slot if same_log else 0, acked_slot(state)),
        "commands": (device.command if device.command <= found.command_floor else 0, found.backup_command),
    }
    shown: dict[str, int | str] = {name: told - had for name, (told, had) in values.items() if told > had}
    packs = {
        "tariff_version": (DOWN_TARIFF, device.pack_version),
        "policy_version": (DOWN_POLICY, device.policy_version),
        "plan_version": (DOWN_PLAN, device.plan_version),
    }
    return shown | {name: version for name, (kind, version) in packs.items() if version > known.get(kind, 0)}


def _told_whole(tx: Tx, decoded: Decoded, found: Recovery) -> Recovery:
    """C and D as an ANCHOR tells them; all is told once a DEVICE of after the restore and its ANCHOR were heard."""
    message, counter = decoded.message, decoded.authentic.counter
    if isinstance(message, Anchor):
        granted = statements.current(tx, found.meter_id, found.generation)
        lost = Lost(
            max(0, message.credited_mills - granted.credited_mills),
            max(0, message.debited_mills - granted.debited_mills),
        )
        if lost.credited_mills or lost.debited_mills:
            found = replace(raise_to(tx, found, "meter", lost), until_us=max(found.until_us, found.restored_us))
        found = replace(found, anchor_counter=max(counter, found.anchor_counter or 0))
    elif isinstance(message, Device) and message.statement >= found.number:
        found = replace(found, device_counter=max(counter, found.device_counter or 0))
    if found.device_counter is None or found.anchor_counter is None:
        return found
    whole = found.anchor_counter >= found.device_counter - 1
    return replace(found, told_us=tx.now_us) if whole else found


def _ask(tx: Tx, found: Recovery) -> None:
    """Have the meter tell what it holds, once at a time; where too many orders wait, after those."""
    waiting = tx.cursor.execute(
        "SELECT 1 FROM meter_command WHERE meter_id = ? AND code = ? AND state = 'wanted' AND expires_unix_s > ?",
        (found.meter_id, command_codes.TELL, tx.now_us // 1_000_000),
    ).fetchone()
    if waiting is None:
        try:
            commands.order(tx, found.meter_id, command_codes.TELL, 0, 0, tx.now_us // 1_000_000 + _ASKED_FOR_S)
        except Refused:
            return


def differences(found: str) -> dict[str, int | str]:
    """What was found, by name."""
    read: dict[str, int | str] = json.loads(found)
    return read
