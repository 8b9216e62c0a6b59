"""The valve: what it is meant to be, what the end-stops say, and what the flow says (DESIGN §5, CT-01, CT-02).

The intent is on flash before the motor moves: `plan` only changes the state, `command` gives the motor its order
after the state is persisted. After a power cut in mid-move the move is made again. A move without an end-stop is tried
three times, then once a day: a motor that stalls must not empty the battery. The last reserve of the battery is good
for one move: it is noted before the motor starts and never made again, even after a power cut, until the battery is
good (M12).
Flow through a closed valve is believed over the end-stop: a trickle is a leak-by, more is a valve stuck open.
"""

from firmware.boards import base
from protocol.compat import const
from protocol.wire import event_codes
from protocol.wire.messages import VALVE_CLOSED, VALVE_FAULT, VALVE_MOVING, VALVE_OPEN

OPEN = const(0)
CLOSED = const(1)

MOVE_US_MAX = const(20000000)
RETRY_US = (60000000, 300000000)
ATTEMPTS = const(3)
LAST_RETRY_US = const(86400000000)
LEAK_BY_PULSES = const(2)
STUCK_OPEN_PULSES = const(6)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)


class Valve:
    def __init__(self, state, events, pulse_ml):
        self.state = state
        self.events = events
        self.pulse_l = max(1, pulse_ml // 1000)
        self.attempts = 0
        self.motor_since_us = None  # the motor was started at; None when it rests
        self.retry_us = 0  # do not start the motor before
        self.leaked_l = 0  # through the closed valve since it closed
        self.reclosings = 0  # how often flow through the closed valve had it driven shut again
        self.reserve_spent = bool(state.final_move)  # by a boot before this one, or by a start of the motor

    @property
    def position(self):
        """The valve field of the status byte."""
        if self.state.valve_fault:
            return VALVE_FAULT
        if self.state.valve_moving:
            return VALVE_MOVING
        return VALVE_CLOSED if self.state.valve_intent == CLOSED else VALVE_OPEN

    @property
    def is_closed(self):
        return self.state.valve_intent == CLOSED and not self.state.valve_moving

    def plan(self, want, reason, critical=False):
        """Note what the policy wants. True when the state changed and must be persisted before `command`.

        `critical`: the battery is at its last reserve. After the one move it is good for, the valve stays as it is.
        """
        state = self.state
        if critical and state.final_move:
            return False
        changed = state.valve_reason != reason or (state.final_move and not critical)
        state.valve_reason = reason
        if not critical:
            state.final_move = 0
            self.reserve_spent = False
        elif state.valve_intent != want or state.valve_moving:
            state.final_move = 1
            changed = True
        if state.valve_intent == want:
            return changed
        state.valve_intent = want
        state.valve_moving = 1
        self.attempts = 0
        self.reclosings = 0
        self.retry_us = 0
        self.motor_since_us = None
        return True

    def command(self, now_us):
        """The motor command due now, or None. Call it only after the state is on flash."""
        if not self.state.valve_moving or self.motor_since_us is not None or now_us < self.retry_us:
            return None
        if self.reserve_spent:
            return None
        self.reserve_spent = bool(self.state.final_move)
        self.motor_since_us = now_us
        self.leaked_l = 0
        return base.MOTOR_CLOSE if self.state.valve_intent == CLOSED else base.MOTOR_OPEN

    def end_stop(self, stop, now_us, unix_s):
        """Take an end-stop, or None: then only the time of a running move is checked. True when the state changed."""
        wanted = base.END_STOP_CLOSED if self.state.valve_intent == CLOSED else base.END_STOP_OPEN
        if stop == wanted and self.state.valve_moving:
            self._arrived(unix_s)
            return True
        late = self.motor_since_us is not None and now_us - self.motor_since_us >= MOVE_US_MAX
        if self.motor_since_us is not None and (stop == base.END_STOP_NONE or late):
            self._failed(now_us, unix_s)
            return True
        return False

    def _arrived(self, unix_s):
        state = self.state
        state.valve_moving = 0
        self.attempts = 0
        self.motor_since_us = None
        if self.reclosings:
            return
        state.valve_fault = 0
        code = event_codes.VALVE_CLOSED if state.valve_intent == CLOSED else event_codes.VALVE_OPENED
        self.events.add(code, unix_s, state.valve_reason)

    def _failed(self, now_us, unix_s):
        self.attempts += 1
        self.motor_since_us = None
        if self.attempts < ATTEMPTS:
            self.retry_us = now_us + RETRY_US[self.attempts - 1]
            return
        self.retry_us = now_us + LAST_RETRY_US
        if not self.state.valve_fault:
            self.state.valve_fault = 1
            self.events.add(event_codes.VALVE_STUCK, unix_s, self.attempts)

    def flowed(self, litres, unix_s):
        """Water flowed. Through a closed valve that is told once, and the valve is driven shut again, three times."""
        if not self.is_closed:
            return
        before_l = self.leaked_l
        self.leaked_l += litres
        if self.leaked_l >= STUCK_OPEN_PULSES * self.pulse_l:
            self._stuck_open(unix_s)
        elif before_l < LEAK_BY_PULSES * self.pulse_l <= self.leaked_l and not self.reclosings:
            self.events.add(event_codes.VALVE_LEAK_BY, unix_s, self.leaked_l)

    def _stuck_open(self, unix_s):
        if not self.reclosings:
            self.state.valve_fault = 1
            self.events.add(event_codes.VALVE_STUCK_OPEN, unix_s, self.leaked_l)
        if self.reclosings < ATTEMPTS:
            self.reclosings += 1
            self.state.valve_moving = 1
            self.retry_us = 0

    def next_us(self):
        """When the valve needs attention by itself."""
        if not self.state.valve_moving or (self.reserve_spent and self.motor_since_us is None):
            return NEVER_US
        return self.retry_us if self.motor_since_us is None else self.motor_since_us + MOVE_US_MAX
