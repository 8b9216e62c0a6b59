"""What the meter notices by itself: leak, burst, blocked pipe, tamper, battery. Each clears by itself (CT-19, M07).

leak: no half-hour without flow in 24 hours; cleared by one such half-hour
burst: 700 L within one half-hour (more than a DN15 connection is built for); cleared by a half-hour below half of it
blocked: valve open and no flow for three days where there was flow before; cleared by flow
backflow: 5 L or 3 pulses backwards within one half-hour; at most once a day (valve_health.py)
air: after a dry spell, faster than water can flow (Q4 of a DN15) for half a minute; told with its litres, which count
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
BACKFLOW = const(128)

LEAK_SLOTS = const(48)
BURST_L = const(700)
BLOCKED_SLOTS = const(144)
# 3.125 m3/h, the Q4 of a DN15, in microseconds a litre; a body with heavier pulses is taken for a bigger one.
US_PER_LITRE_AT_Q4 = const(1152000)
AIR_US = const(30000000)
AIR_DRY_SLOTS = const(8)
BATTERY_LOW_MV = const(3000)
BATTERY_GOOD_MV = const(3100)
BATTERY_CRITICAL_MV = const(2700)

RAISED = {
    LEAK: event_codes.LEAK,
    BURST: event_codes.BURST,
    TAMPER: event_codes.TAMPER,
    LOW_BATTERY: event_codes.LOW_BATTERY,
    BLOCKED: event_codes.BLOCKED,
    CRITICAL_BATTERY: event_codes.BATTERY_CRITICAL,
    BACKFLOW: event_codes.BACKFLOW,
}
CLEARED = {
    LEAK: event_codes.LEAK_CLEARED,
    BURST: event_codes.BURST_CLEARED,
    TAMPER: event_codes.TAMPER_CLEARED,
    LOW_BATTERY: event_codes.LOW_BATTERY_CLEARED,
}


class Alarms:
    def __init__(self, state, events, pulse_ml):
        self.state = state
        self.events = events
        self.us_per_litre = US_PER_LITRE_AT_Q4 // max(1, pulse_ml // 1000)
        # The first pulse after a dry spell, the last one that was faster than Q4, litres since the first.
        self.air = None

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
        if not litres:
            self._air_ended(unix_s)
        state.flowing_slots = min(state.flowing_slots + 1, LEAK_SLOTS) if litres else 0
        self.set(LEAK, state.flowing_slots >= LEAK_SLOTS, unix_s, litres)
        if litres < BURST_L // 2:
            self.set(BURST, False, unix_s)
        counts_as_dry = not litres and valve_open and state.volume_l
        state.dry_slots = min(state.dry_slots + 1, BLOCKED_SLOTS) if counts_as_dry else 0
        self.set(BLOCKED, state.dry_slots >= BLOCKED_SLOTS, unix_s, state.dry_slots)

    def flowed(self, litres, now_us, unix_s):
        """Look at the open slot while water flows: a burst does not wait for the slot's end."""
        state = self.state
        if state.open_litres >= BURST_L:
            self.set(BURST, True, unix_s, state.open_litres)
        if self.air is None:
            if state.dry_slots >= AIR_DRY_SLOTS and state.open_litres == litres:
                self.air = (now_us, now_us, 0)  # nobody knows how long the first pulse took
        elif (self.air[2] + litres) * self.us_per_litre > now_us - self.air[0]:
            self.air = (self.air[0], now_us, self.air[2] + litres)
        else:
            self._air_ended(unix_s)

    def _air_ended(self, unix_s):
        if self.air is not None and self.air[1] - self.air[0] >= AIR_US:
            self.events.add(event_codes.AIR, unix_s, self.air[2])
        self.air = None

    def inputs(self, tampered, battery_mv, unix_s):
        self.set(TAMPER, tampered, unix_s)
        if battery_mv < BATTERY_CRITICAL_MV:
            self.set(CRITICAL_BATTERY, True, unix_s, battery_mv)
        elif battery_mv >= BATTERY_GOOD_MV:
            self.set(CRITICAL_BATTERY, False, unix_s)
        if battery_mv < BATTERY_LOW_MV:
            self.set(LOW_BATTERY, True, unix_s, battery_mv)
        elif battery_mv >= BATTERY_GOOD_MV:
            self.set(LOW_BATTERY, False, unix_s)
