"""The meter's face: what a customer can read on it, as a CBOR sequence the board shows.

[balance_mills, low_credit 0|1, valve (status byte), reason (reason_codes.py), volume_l, alarms, clock_sure 0|1,
 until_unix_s (when the reason ends by itself, 0 for no time)]
"""

from protocol.wire import cbor

FIELDS = ("balance_mills", "low_credit", "valve", "reason", "volume_l", "alarms", "clock_sure", "until_unix_s")


def picture(state, valve_position, low_credit, until_unix_s):
    return cbor.encode_sequence(
        (
            state.balance_mills,
            int(low_credit),
            valve_position,
            state.valve_reason,
            state.volume_l,
            state.alarms,
            state.sure,
            until_unix_s,
        )
    )
