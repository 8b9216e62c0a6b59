"""The status byte of every report and ANCHOR: valve, credit, alarms, and whether the clock is unsure."""

from firmware.alarms import BURST, LEAK, LOW_BATTERY, TAMPER
from protocol.wire.messages import (
    STATUS_BURST,
    STATUS_CLOCK_UNSURE,
    STATUS_LEAK,
    STATUS_LOW_BATTERY,
    STATUS_LOW_CREDIT,
    STATUS_TAMPER,
)

STATUS_OF_ALARM = (
    (LEAK, STATUS_LEAK),
    (BURST, STATUS_BURST),
    (TAMPER, STATUS_TAMPER),
    (LOW_BATTERY, STATUS_LOW_BATTERY),
)


def status_of(meter, sure):
    """The status byte at this moment; `sure` is the clock of what it stands before: the slots' own, or the one now."""
    status = meter.valve.position
    if meter.low_credit:
        status |= STATUS_LOW_CREDIT
    for alarm, bit in STATUS_OF_ALARM:
        if meter.state.alarms & alarm:
            status |= bit
    return status if sure else status | STATUS_CLOCK_UNSURE
