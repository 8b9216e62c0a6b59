"""What a meter answers over its service port, by role (docs/SPEC.md, Appendix B, "Commands").

Reading is here; what changes or carries something is in service_acts.py. Both are loaded for a question and forgotten
after it.
"""

from firmware import console
from protocol.errors import Refused
from protocol.wire import cbor
from protocol.wire.console_codes import BAD_ARGUMENTS, NOT_ALLOWED, OWNER, UNKNOWN_COMMAND
from protocol.wire.fields import require_integers
from protocol.wire.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, FRAME_DOWN_MAX, U32_MAX

SLOTS = ("first_slot", U32_MAX, "count", 16)

# Who may: bit 1 << role. Names that begin with "update-" are of the maintainer's alone.
EVERYONE = 0b11111
CARRIERS = 0b11100  # technician, maintainer, retirer
ROLES = {
    "read": EVERYONE,
    "slots": EVERYONE,
    "events": EVERYONE,
    "update": EVERYONE,
    "frame": CARRIERS,
    "report": CARRIERS,
    "attest": CARRIERS,
    "valve": 0b00100,
    "decommission": 0b10000,
}
MAINTAINER_ALONE = 0b01000


def answer(meter, question, port):
    """The answer to a question, or (id, command, arguments) of one that service_acts is to do: a small heap has no room
    for both at once. `port` is the ServicePort it came over, None for a test rig's console."""
    try:
        parts = cbor.decode_sequence(question, CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, console.QUESTION_BYTES_MAX)
    except Refused:
        parts = []
    name = parts[1] if len(parts) > 1 and isinstance(parts[1], str) else ""
    roles = MAINTAINER_ALONE if name.startswith("update-") else ROLES.get(name, 0)
    try:
        if not roles:
            said = UNKNOWN_COMMAND
        elif not roles >> (OWNER if port is None else port.role) & 1:
            said = NOT_ALLOWED
        else:
            said = _do(meter, port, name, parts[2:])
            if said is None:
                return console.number_of(parts), name, parts[2:]
    except Refused:
        said = BAD_ARGUMENTS
    return cbor.encode_sequence([console.number_of(parts)] + ([console.REFUSED, said] if type(said) is int else said))


def _do(meter, port, name, given):
    """What follows the id in the answer, or None where it is not told here. Raises Refused where the arguments are no
    good."""
    if name == "read":
        require_integers(given, (), name)
        return meter.reading()
    if name == "slots":
        first_slot, count = require_integers(given, SLOTS, name)
        return _slots(meter, first_slot, count)
    if name == "events":
        require_integers(given, (), name)
        return [list(entry) for entry in meter.events.told + [waiting[0] for waiting in meter.events.waiting]]
    if name == "frame" and (len(given) != 1 or not isinstance(given[0], bytes) or len(given[0]) > FRAME_DOWN_MAX):
        return BAD_ARGUMENTS
    if name[:6] != "update":
        return None
    from firmware.updating import command

    said = command(meter, [name] + given)
    if name != "update" and said[0] != console.REFUSED:
        port.note_change()
    return said


def _slots(meter, first_slot, count):
    state = meter.state
    found = []
    for slot in range(first_slot, min(first_slot + count, state.open_slot)):
        closed = meter.slot_log.find(state.log_generation, slot)
        if closed is not None:
            found.append([slot, closed.litres, closed.pack4, int(closed.sure), closed.spent_mills])
    return found
