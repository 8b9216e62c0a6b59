"""The console: read-only questions over the service port. A question is a CBOR sequence [id, command, arguments...].

[id, "read"]                  -> [id, values in the order of console_fields.FIELDS...]
[id, "slots", first, count]   -> [id, [slot, litres, pack4, sure 0|1, S at end], ...], count at most 16
anything else                 -> [id or 0, "refused"]
"""

from protocol.compat import const
from protocol.errors import Refused
from protocol.wire import cbor

SLOTS_MAX = const(16)
REFUSED = "refused"


def serve(application):
    """Answer what has come over the service port, until nothing more has."""
    board = application.board
    received = board.console_receive()
    while received is not None:
        answer = application.answer(received) if board.console_trusted else _port_of(application).take(received)
        if answer:
            board.console_send(answer)
        received = board.console_receive()


def _port_of(application):
    """The service port, made when first something comes over it."""
    from firmware.service_port import ServicePort

    if application.port is None:
        application.port = ServicePort(application)
    return application.port


def number_of(parts):
    """The id of a question, 0 for none."""
    return parts[0] if parts and isinstance(parts[0], int) and not isinstance(parts[0], bool) else 0


def answer(meter, question):
    try:
        parts = cbor.decode_sequence(question)
    except Refused:
        return cbor.encode_sequence([0, REFUSED])
    number = number_of(parts)
    if parts[1:] == ["read"]:
        return cbor.encode_sequence([number] + meter.reading())
    if len(parts) == 4 and parts[1] == "slots" and _is_slot(parts[2]) and _is_slot(parts[3]) and parts[3] <= SLOTS_MAX:
        return cbor.encode_sequence([number] + _slots(meter, parts[2], parts[3]))
    return cbor.encode_sequence([number, REFUSED])


def _is_slot(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFFFF


def _slots(meter, first_slot, count):
    state = meter.state
    found = []
    for slot in range(first_slot, min(first_slot + count, state.open_slot)):
        closed = meter.slot_log.find(state.log_generation, slot)
        if closed is not None:
            found.append([slot, closed.litres, closed.pack4, int(closed.sure), closed.spent_mills])
    return found
