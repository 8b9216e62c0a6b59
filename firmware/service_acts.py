"""What somebody with a grant may do at a service port: carry frames, move the valve, have work attested, end its life.

No command grants credit: money comes in sealed frames only, whoever carries them. What changes something is on flash
before it is answered, and the first change of a session is told to the headend (EVENT 31).
"""

import sys

from firmware.alarms import CRITICAL_BATTERY
from protocol.errors import Refused
from protocol.rules.policy import NEVER_CLOSE_LOCK
from protocol.wire import cbor
from protocol.wire.console_codes import BAD_ARGUMENTS, CLOCK_UNSURE, NOT_NOW, VALVE_MOVING
from protocol.wire.envelope import UP, seal
from protocol.wire.fields import require_integers
from protocol.wire.limits import METER_ID_LENGTH, U32_MAX
from protocol.wire.uplinks import encode_up

REPORT_FRAMES_MAX = 3
REPORT = ("slot", U32_MAX)
VALVE = ("what", 2, "seconds", 900, "litres", 50)
HASH_LENGTH = 32
RELEASE = 0
OPEN = 1
CLOSE = 2


def answer(meter, port, number, name, given):
    """The answer to a command that this role may give."""
    try:
        said = _do(meter, port, name, given)
    except Refused:
        said = BAD_ARGUMENTS
    return cbor.encode_sequence([number] + (["refused", said] if type(said) is int else said))


def _do(meter, port, name, given):
    """What follows the id in the answer, or the code of a refusal. Raises Refused where the arguments are no good."""
    if name == "report":
        return _report(meter, require_integers(given, REPORT if given else (), name))
    if name == "valve":
        return _valve(meter, port, require_integers(given, VALVE, name))
    if len(given) != 1 or not isinstance(given[0], bytes):
        return BAD_ARGUMENTS
    if name == "attest" and len(given[0]) == HASH_LENGTH:
        return _attest(meter, given[0])
    if name == "decommission" and len(given[0]) == METER_ID_LENGTH:
        from firmware import decommission  # once, at the end of a meter's life

        return decommission.decommission(meter, given[0])
    return BAD_ARGUMENTS


# Carrying -------------------------------------------------------------------------------------------------------------
def _report(meter, given):
    """Fresh uplinks to be carried by hand: ANCHOR, DEVICE and the oldest log not acknowledged; or, with a slot, three
    more of the open log from there on, after the slot they end before.

    Their counters are not noted as sent: a TIME for a frame that lay in a bag would tell when it was heard, not when it
    was sealed.
    """
    if meter.store.counter.silent:
        return NOT_NOW
    messages = [] if given else [encode_up(meter.sync.anchor()), encode_up(meter.sync.device())]
    spans = meter.sync.backlog.spans()
    span = spans[-1] if given else spans[0]
    slot = meter.sync.backlog.unacknowledged(span)
    if given:
        slot = max(slot, given[0])
    while meter.state.opened and slot < span.end_slot and len(messages) < REPORT_FRAMES_MAX:
        slot = meter.sync.backlog.tell(messages, span, slot, (span.end_slot,))
    said = [slot] if given else []
    for message_type, plaintext in messages:
        counter = meter.store.counter.take(meter.state.window.highest)
        said.append(seal(meter.keys.up, UP, message_type, counter, plaintext))
    return said


def _attest(meter, digest):
    from protocol.wire import grants

    sys.modules.pop("grants", None)
    unix_s = meter.unix_s()
    key = grants.attest_key(meter.keys.root, meter.meter_id, meter.keys.generation)
    return [unix_s, grants.attest_tag(key, digest, unix_s)]


# The valve ------------------------------------------------------------------------------------------------------------
def _valve(meter, port, given):
    """An order as of COMMAND, but it ends with the session too and is never on flash: a power cut ends it."""
    what, seconds, litres = given
    if (what != RELEASE and not seconds) or (what == OPEN and not litres):
        return BAD_ARGUMENTS
    if meter.valve.motor_since_us is not None:
        return VALVE_MOVING
    if what == CLOSE and not meter.state.sure:
        return CLOCK_UNSURE
    if what == CLOSE and meter.rules().flags & NEVER_CLOSE_LOCK:
        return NOT_NOW
    if what != RELEASE and (meter.alarms.active(CRITICAL_BATTERY) or (what == OPEN and litres > port.litres_left)):
        return NOT_NOW
    port.note_change()
    port.order = None
    if what != RELEASE:
        from firmware.cable_order import CableOrder

        sys.modules.pop("cable_order", None)
        port.order = CableOrder(port, what == OPEN, seconds, litres)
    meter.must_persist = True  # look again at once
    return ["done"]
