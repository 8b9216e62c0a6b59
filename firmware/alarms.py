"""What the meter notices by itself: leak, burst, blocked pipe, tamper, battery. Each clears by itself (CT-19, M07).

leak: no half-hour without flow in 24 hours; cleared by one such half-hour
burst: 700 L within one half-hour (more than a DN15 connection is built for); cleared by a half-hour below half of it
blocked: valve open and no flow for three days where there was flow before; cleared by flow
critical battery: what is left is good for one move of the valve (M12); the policy says which
flash lost: the flash cannot be read (safe_mode.py); it stands on the face alone and never in a state
"""

from protocol.compat import const
from protocol.wire import event_codes

LEAK = const(1)
BURST = const(2)
TAMPER = const(4)
LOW_BATTERY = const(8)
BLOCKED = const(16)
CRITICAL_BATTERY = const(32)
FLASH_LOST = const(64)

LEAK_SLOTS = const(48)
BURST_L = const(700)
BLOCKED_SLOTS = const(144)
BATTERY_LOW_MV = const(3000)
BATTERY_GOOD_MV = const(3100)
BATTERY_CRITICAL_MV = const(2700)

RAISED = {
    LEAK: event_codes.LEAK,
    BURST: event_codes.BURST,
    TAMPER: event_codes.TAMPER,
    LOW_BATTERY: event_codes.LOW_BATTERY,
    BLOCKED: event_codes.BLOCKED,
}
CLEARED = {
    LEAK: event_codes.LEAK_CLEARED,
    BURST: event_codes.BURST_CLEARED,
    TAMPER: event_codes.TAMPER_CLEARED,
    LOW_BATTERY: event_codes.LOW_BATTERY_CLEARED,
}


class Alarms:
    def __init__(self, state, events):
        self.state = state
        self.events = events

    def active(self, alarm):
        return bool(self.state.alarms & alarm)

    def set(self, alarm, on, unix_s, argument=0):
        """Raise or clear; an event tells the change, and only the change."""
        if on == self.active(alarm):
            return
        self.state.alarms ^= alarm
        code = (RAISED if on else CLEARED).get(alarm)
        if code is not None:
            self.events.add(code, unix_s, argument)

    def slot_closed(self, litres, valve_open, unix_s):
        state = self.state
        state.flowing_slots = min(state.flowing_slots + 1, LEAK_SLOTS) if litres else 0
        self.set(LEAK, state.flowing_slots >= LEAK_SLOTS, unix_s, litres)
        if litres < BURST_L // 2:
            self.set(BURST, False, unix_s)
        counts_as_dry = not litres and valve_open and state.volume_l
        state.dry_slots = min(state.dry_slots + 1, BLOCKED_SLOTS) if counts_as_dry else 0
        self.set(BLOCKED, state.dry_slots >= BLOCKED_SLOTS, unix_s, state.dry_slots)

    def flowed(self, unix_s):
        """Look at the open slot while water flows: a burst does not wait for the slot's end."""
        if self.state.open_litres >= BURST_L:
            self.set(BURST, True, unix_s, self.state.open_litres)

    def inputs(self, tampered, battery_mv, unix_s):
        self.set(TAMPER, tampered, unix_s)
        if battery_mv < BATTERY_CRITICAL_MV:
            self.set(CRITICAL_BATTERY, True, unix_s)
        elif battery_mv >= BATTERY_GOOD_MV:
            self.set(CRITICAL_BATTERY, False, unix_s)
        if battery_mv < BATTERY_LOW_MV:
            self.set(LOW_BATTERY, True, unix_s, battery_mv)
        elif battery_mv >= BATTERY_GOOD_MV:
            self.set(LOW_BATTERY, False, unix_s)
