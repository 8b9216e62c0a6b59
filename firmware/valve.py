"""The valve: what it is meant to be, what the end-stops say, and what the flow says (DESIGN §5, CT-01, CT-02).

The intent is on flash before the motor moves: `plan` changes the state, `prepare` counts the start of the motor that is
due, and `command` gives the motor its order after both are persisted. After a power cut in mid-move the move is made
again. A move without an end-stop is tried three times, then once a day: a motor that stalls must not empty the battery.
Beyond the first start that a decision causes, a day has OWN_MOVES_MAX starts, whatever else asks for them: retries,
repeats after a reset, closing again, exercise, a tamper contact that flaps. What is above waits for the next day; what
opens waits an hour at most (docs/adr/0016). The last reserve of the battery is good for one move: it is noted before
the motor starts and never made again, even after a power cut, until the battery is good (M12).
Flow through a closed valve is believed over the end-stop: a trickle is a leak-by, a tap's flow is a valve stuck open.
What becomes of a move stands in valve_turns.py, what half-hours say of the valve in valve_health.py.
"""

from firmware import valve_turns
from firmware.boards import base
from firmware.valve_turns import ARRIVED, ASKED, CLOSED, FAILED, GUSHES
from protocol.compat import const
from protocol.rules.reason_codes import TAMPER_CLOSED
from protocol.wire import event_codes
from protocol.wire.messages import VALVE_CLOSED, VALVE_FAULT, VALVE_MOVING, VALVE_OPEN

OPEN = const(0)

MOVE_US_MAX = const(20000000)
HOUR_US = const(3600000000)
OWN_MOVES_MAX = const(12)
LEAK_BY_PULSES = const(2)
# Six pulses faster than a litre a minute: a tap that runs. Slower than that nobody draws water, but a seat leaks.
STUCK_OPEN_PULSES = const(6)
US_PER_LEAKED_ML = const(60000)
# Exercise: a quarter of the way towards closed, and open again.
EXERCISE_US = const(2000000)
EASING = const(1)
RETURNING = const(2)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)


class Valve:
    def __init__(self, state, events, pulse_ml):
        self.state = state
        self.events = events
        self.pulse_l = max(1, pulse_ml // 1000)
        self.attempts = 0
        self.motor_since_us = None  # the motor was started at; None when it rests
        self.retry_us = 0  # do not start the motor before
        self.first = False  # the start that is due is the first of a decision, or has waited for the budget
        self.counted = False  # ... and is in the count on flash
        self.overrun = False  # the motor is to be stopped: it ran its time, or what turns it round must wait
        self.exercise = 0
        self.stands = None  # OPEN or CLOSED: the end it came to, and the motor was not started since
        self.passed_l = 0  # through the valve since it was driven here
        self.gush_ml = 0  # through the closed valve, less what a seat may leak
        self.gush_us = 0
        self.driven_again = 0  # how often what the flow said had it driven to where it is meant to be
        self.opened_us = None  # it came open, and no water has flowed since
        self.asked_us = None  # the last press of the button for that, and how many there were
        self.asks = 0
        self.whole_slot = False  # it has stood closed since the open slot began
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

    def plan(self, want, reason, critical, now_us):
        """Note what the policy wants. True when the state changed and must be persisted before `command`.

        `critical`: the battery is at its last reserve. After the one move it is good for, the valve stays as it is.
        """
        state = self.state
        if critical and state.final_move and (self.reserve_spent or want != self.stands):
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
        self.drive(now_us)
        self.attempts = self.driven_again = self.exercise = 0
        self.first = True
        if want == self.stands:
            state.valve_moving = state.final_move = 0  # what was wanted meanwhile had to wait, and was not begun
        return True

    def drive(self, now_us):
        """The motor is to be started as soon as it may."""
        self.rest(now_us)
        self.state.valve_moving = 1
        self.retry_us = 0
        self.opened_us = self.asked_us = None
        self.asks = 0

    def ease(self, now_us):
        """Begin an exercise: a quarter of the way towards closed, then open. A cut anywhere in it ends open."""
        self.drive(now_us)
        self.exercise = EASING

    def rest(self, now_us):
        """The motor does not run for what it was started for any more."""
        if self.motor_since_us is not None:
            self.state.motor_ms += (now_us - self.motor_since_us) // 1000
            self.motor_since_us = None

    def prepare(self, now_us):
        """Count the start of the motor that is due now. True when it must be persisted before `command`."""
        state = self.state
        if self.counted or not state.valve_moving or self.motor_since_us is not None or now_us < self.retry_us:
            return False
        if self.reserve_spent:
            return False
        own = not self.first or state.valve_reason == TAMPER_CLOSED
        if own and state.own_moves >= OWN_MOVES_MAX:
            self.first = state.valve_intent == OPEN
            self.retry_us = now_us + HOUR_US
            self.overrun = self.overrun or self.stands is None  # turned round on its way: it must not run on unwatched
            return False
        self.first = False
        self.counted = True
        state.moves += 1
        state.own_moves += own
        return True

    def command(self, now_us):
        """The motor command due now, or None. Call it only after the state is on flash."""
        if self.overrun:
            self.overrun = False
            return base.MOTOR_STOP
        due, self.counted = self.counted, False
        if not due or not self.state.valve_moving:
            return None
        self.reserve_spent = bool(self.state.final_move)
        self.motor_since_us = now_us
        self.stands = None
        self.passed_l = self.gush_ml = 0
        self.whole_slot = False
        closes = self.state.valve_intent == CLOSED or self.exercise == EASING
        return base.MOTOR_CLOSE if closes else base.MOTOR_OPEN

    def end_stop(self, stop, now_us, unix_s):
        """Take an end-stop, or None: then only the time of a running move is checked. True when the state changed."""
        runs_us = 0 if self.motor_since_us is None else now_us - self.motor_since_us
        if self.exercise == EASING:
            if self.motor_since_us is None or (stop is None and runs_us < EXERCISE_US):
                return False
            self.rest(now_us)
            self.exercise = RETURNING
            return True
        wanted = base.END_STOP_CLOSED if self.state.valve_intent == CLOSED else base.END_STOP_OPEN
        if stop == wanted and self.state.valve_moving:
            valve_turns.turn(self, ARRIVED, now_us, unix_s)
            return True
        late = runs_us >= MOVE_US_MAX
        self.overrun = self.overrun or late  # what is heard has the tick look twice before the motor is commanded
        if late or (stop == base.END_STOP_NONE and self.motor_since_us is not None):
            valve_turns.turn(self, FAILED, now_us, unix_s)
            return True
        return False

    def flowed(self, litres, now_us, unix_s):
        """Water flowed. Through a closed valve that is told; if a tap runs, it is driven shut again, three times."""
        if self.state.valve_moving:
            return
        self.opened_us = None
        before_l = self.passed_l
        self.passed_l += litres
        if not self.is_closed:
            return
        self.gush_ml = max(0, self.gush_ml - (now_us - self.gush_us) // US_PER_LEAKED_ML) + litres * 1000
        self.gush_us = now_us
        if self.gush_ml >= STUCK_OPEN_PULSES * self.pulse_l * 1000:
            valve_turns.turn(self, GUSHES, now_us, unix_s)
        elif before_l < LEAK_BY_PULSES * self.pulse_l <= self.passed_l and not self.driven_again:
            self.events.add(event_codes.VALVE_LEAK_BY, unix_s, self.passed_l)

    def pressed(self, now_us, unix_s):
        """The customer asks for water. A motor that failed to open tries again; an open valve that is dry is told."""
        if self.state.valve_intent == OPEN:
            valve_turns.turn(self, ASKED, now_us, unix_s)

    def next_us(self):
        """When the valve needs attention by itself."""
        if not self.state.valve_moving or (self.reserve_spent and self.motor_since_us is None):
            return NEVER_US
        if self.motor_since_us is None:
            return self.retry_us
        return self.motor_since_us + (EXERCISE_US if self.exercise == EASING else MOVE_US_MAX)
