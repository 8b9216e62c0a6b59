"""The meter's face: what a customer can read on it, as a CBOR sequence the board shows.

[balance_mills, low_credit 0|1, valve (status byte), reason (reason_codes.py), volume_l, alarms (alarms.py),
 clock_sure 0|1, until_unix_s (when the reason ends by itself, 0 for no time)]

Where the alarm FLASH_LOST stands, nothing else on the face is known, and a display shows the alarm alone.
"""

from firmware.alarms import FLASH_LOST
from protocol.wire import cbor
from protocol.wire.messages import VALVE_FAULT

FIELDS = ("balance_mills", "low_credit", "valve", "reason", "volume_l", "alarms", "clock_sure", "until_unix_s")


def picture(state, valve_position, low_credit, until_unix_s):
    """Its numbers; the board shows them as a CBOR sequence."""
    return (
        state.balance_mills,
        int(low_credit),
        valve_position,
        state.valve_reason,
        state.volume_l,
        state.alarms,
        state.sure,
        until_unix_s,
    )


def flash_lost():
    return cbor.encode_sequence((0, 0, VALVE_FAULT, 0, 0, FLASH_LOST, 0, 0))
