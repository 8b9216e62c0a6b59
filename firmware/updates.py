"""The way to what brings new firmware (updating.py), which is loaded when it is asked for and not before."""

from protocol.wire.console_codes import UNKNOWN_COMMAND


def command(application, parts):
    """What a command of an update is answered, without its id; `parts`: its name and arguments."""
    try:
        from firmware.updating import command as answer
    except ImportError:
        return ["refused", UNKNOWN_COMMAND]
    return answer(application, parts)
