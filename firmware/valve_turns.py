"""What becomes of a move of the valve, and what drives it besides the policy. Rare: the device loads it for the moment.

The other half of valve.py: a move that arrived or failed, a tap that runs through the closed valve, and the customer
who presses the button before an open valve without water.
"""

from protocol.compat import const
from protocol.wire import event_codes

ARRIVED = const(0)
FAILED = const(1)
GUSHES = const(2)
ASKED = const(3)

CLOSED = const(1)
ATTEMPTS = const(3)
RETRY_US = (60000000, 300000000)
LAST_RETRY_US = const(86400000000)
# The button pressed three times, so long after the opening and so far apart, without a drop between. Two presses are
# somebody who looks at the balance, late in the evening of a payment.
ASKS = const(3)
DRY_US = const(1800000000)
ASK_APART_US = const(600000000)


def turn(valve, what, now_us, unix_s):
    """Take what happened to the valve. What is to be told is added to its events."""
    state = valve.state
    if what == ARRIVED:
        _arrived(valve, state, now_us, unix_s)
    elif what == FAILED:
        _failed(valve, state, now_us, unix_s)
    elif what == GUSHES:
        _gushes(valve, state, now_us, unix_s)
    elif state.valve_moving:
        if valve.attempts and not valve.first:
            valve.retry_us = 0  # a motor that failed tries again for who asks, but not beyond the budget
    elif valve.opened_us is not None and now_us - valve.opened_us >= DRY_US:
        _dry(valve, now_us, unix_s)


def _arrived(valve, state, now_us, unix_s):
    valve.rest(now_us)
    state.valve_moving = 0
    state.moved_s = unix_s
    valve.stands = state.valve_intent
    valve.attempts = 0
    if valve.exercise:
        valve.exercise = state.valve_fault = 0  # one that failed at first has come home
        state.exercises += 1
        valve.events.add(event_codes.VALVE_EXERCISED, unix_s, state.exercises)
    elif not valve.driven_again:
        state.valve_fault = 0
        closed = state.valve_intent == CLOSED
        valve.opened_us = None if closed else now_us
        code = event_codes.VALVE_CLOSED if closed else event_codes.VALVE_OPENED
        valve.events.add(code, unix_s, state.valve_reason)


def _failed(valve, state, now_us, unix_s):
    valve.attempts += 1
    valve.rest(now_us)
    if valve.attempts < ATTEMPTS:
        valve.retry_us = now_us + RETRY_US[valve.attempts - 1]
        return
    valve.retry_us = now_us + LAST_RETRY_US
    if not state.valve_fault:
        state.valve_fault = 1
        valve.events.add(event_codes.VALVE_STUCK, unix_s, valve.attempts)


def _gushes(valve, state, now_us, unix_s):
    if not valve.driven_again:
        state.valve_fault = 1
        valve.events.add(event_codes.VALVE_STUCK_OPEN, unix_s, valve.passed_l)
    if valve.driven_again < ATTEMPTS:
        valve.driven_again += 1
        valve.drive(now_us)


def _dry(valve, now_us, unix_s):
    if valve.asked_us is not None and now_us - valve.asked_us < ASK_APART_US:
        return
    valve.asked_us = now_us
    valve.asks += 1
    if valve.asks >= ASKS:
        valve.events.add(event_codes.NO_WATER, unix_s, (now_us - valve.opened_us) // 60000000)
        valve.driven_again = 1
        valve.drive(now_us)
