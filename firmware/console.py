"""The console: questions over the service port, and who answers them. A question is a CBOR sequence [id, command,
arguments...]; service.py answers a meter's, without_state.py those of a board that has no state.

What is not done is answered [id or 0, "refused", code], with a code of protocol/wire/console_codes.py.
"""

from protocol.compat import const

QUESTION_BYTES_MAX = const(1024)
PIECES_MAX = const(16)  # that are looked at before the rest of the meter's work
WRONG_MAX = const(5)  # from so many wrong tags in a row on the port locks
REFUSED = "refused"


def serve(application):
    """Answer what has come over the service port, until nothing more has or this life has ended. From a line that never
    falls silent only so much: pulses, valve and radio have their turn."""
    board = application.board
    for _ in range(PIECES_MAX):
        received = None if application.ended else board.console_receive()
        if received is None:
            return
        answer = application.answer(received, None) if board.console_trusted else port_of(application).take(received)
        if answer:
            board.console_send(answer)


def port_of(application):
    """The service port, made when first something comes over it, or at a boot that finds it locked."""
    from firmware.service_port import ServicePort

    if application.port is None:
        application.port = ServicePort(application)
    return application.port


def number_of(parts):
    """The id of a question, 0 for none."""
    return parts[0] if parts and isinstance(parts[0], int) and not isinstance(parts[0], bool) else 0
