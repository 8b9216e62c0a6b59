"""Why the valve stands as it does: stable numbers, shown on the meter's face and sent in events.

A number is never given a second meaning. 1-31 open, 32-63 close; 8-13 and 36-39 are kept for the vulnerable flag,
fire mode, amnesty, low battery, operator commands and tamper. Sentences for people: reasons.py (host only).
"""

from protocol.compat import const

CREDIT = const(1)  # the balance is positive
EMERGENCY = const(2)  # the balance is zero or less, above minus the emergency limit
FRIENDLY_HOURS = const(3)  # the limit is used up inside friendly hours
FRIENDLY_ENDING = const(4)  # friendly hours are over; the grace and this meter's jitter still run
LIFELINE = const(5)  # today's lifeline litres are not used up
NEVER_CLOSE = const(6)  # the utility has locked the valve open
INSTALLATION = const(7)  # no OPENING yet; the installation grace runs

NO_CREDIT = const(32)  # the limit is used up
LIFELINE_USED = const(33)  # the limit and today's lifeline litres are used up
FRIENDLY_USED = const(34)  # the litres of these friendly hours are used up
UNSURE_LIMIT = const(35)  # the limit that holds while the clock is unsure is used up

OPEN_REASONS = (CREDIT, EMERGENCY, FRIENDLY_HOURS, FRIENDLY_ENDING, LIFELINE, NEVER_CLOSE, INSTALLATION)
CLOSED_REASONS = (NO_CREDIT, LIFELINE_USED, FRIENDLY_USED, UNSURE_LIMIT)
