"""The end of a meter's life: keys, state and log are erased, and what is left is a blank board (boot_rules.py).

In this order, so that a power cut leaves either the meter or a board that takes `provision`, never anything between:
1. The mark of an identity of no bytes goes into the keepsake. Until step 2 the flash says who the meter is: after a cut
   it lives, and writes its keepsake again.
2. The flash is erased, first what makes it mount (boards/blank.py). From there on it is no meter: without a file system
   and with the mark, a boot makes a Factory of it.
3. What stands behind the mark and in the counters' place of the EEPROM is wiped. The mark stays.
A cut within 2 or 3 is made good by the next boot, before the console answers. The firmware and the highest version that
proved itself stay: a board that is used again takes no older firmware.
"""

from firmware import keepsake
from firmware.flash_record import CRC_BYTES, HEAD_BYTES
from protocol.wire.console_codes import NOT_AUTHENTIC, NOT_ERASED, VALVE_MOVING

MARK_BYTES = HEAD_BYTES + CRC_BYTES
ERASED = b"\xff" * keepsake.PAGE


def decommission(meter, meter_id):
    """What follows the id in the answer, or the code of a refusal, which leaves the meter as it was."""
    board = meter.board
    if meter_id != meter.meter_id:
        return NOT_AUTHENTIC
    if meter.valve.motor_since_us is not None:
        return VALVE_MOVING
    if board.eeprom is not None and not keepsake.keep(board.eeprom, keepsake.IDENTITY, b""):
        keepsake.keep(board.eeprom, keepsake.IDENTITY, meter.store.identity.load())
        return NOT_ERASED
    meter.ended = True
    whole = board.erase_flash()
    return ["done"] if _wipe(board.eeprom) and whole else NOT_ERASED


def finish(board):
    """End what a power cut interrupted. Where the mark stands and no identity there is no meter, and nothing of one may
    be left."""
    if board.files is not None or not board.flash_blank():
        board.erase_flash()
    _wipe(board.eeprom)


def _wipe(eeprom):
    """Erase what the keepsake knew of a meter, less the mark. True when it was read back so."""
    if eeprom is None:
        return True
    whole = True
    for first, end in _rooms():
        for at in range(first, end, keepsake.PAGE):
            at = max(first, at - at % keepsake.PAGE)
            size = keepsake.PAGE - at % keepsake.PAGE
            whole = _wiped(eeprom, at, size) and whole
    return whole


def _rooms():
    """(first, end) of each stretch of the EEPROM that is to be blank."""
    length = keepsake.IDENTITY[1] - keepsake.IDENTITY[0]
    rooms = [(copy + MARK_BYTES, copy + length) for copy in keepsake.IDENTITY]
    length = keepsake.COUNTERS[1] - keepsake.COUNTERS[0]
    return rooms + [(copy, copy + length) for copy in keepsake.COUNTERS]


def _wiped(eeprom, at, size):
    """Whether these bytes of one page are erased now; what is so already costs no write."""
    erased = ERASED[:size]
    try:
        if eeprom.read(at, size) != erased:
            eeprom.write(at, erased)
        return eeprom.read(at, size) == erased
    except OSError:
        return False
