"""Why the valve stands as it does: stable numbers, shown on the meter's face and sent in events.

A number is never given a second meaning. 1-31 open, 32-63 close. Sentences for people: reasons.py (host only).
"""

from protocol.compat import const

OPEN_MAX = const(31)

CREDIT = const(1)  # the balance is positive
EMERGENCY = const(2)  # the balance is zero or less, above minus the emergency limit
FRIENDLY_HOURS = const(3)  # the limit is used up inside friendly hours
FRIENDLY_ENDING = const(4)  # friendly hours are over; the grace and this meter's jitter still run
LIFELINE = const(5)  # today's lifeline litres are not used up
NEVER_CLOSE = const(6)  # the utility has locked the valve open
INSTALLATION = const(7)  # no OPENING yet; the installation grace runs
VULNERABLE = const(8)  # a protected home, until its review and within its litres of the day
FIRE = const(9)  # the customer opened a closed valve, for hours and litres
AMNESTY = const(10)  # open for all until a slot, up to so many litres
BATTERY_KEPT = const(11)  # the battery is at its last reserve: an open valve stays open
ORDERED_OPEN = const(12)  # a COMMAND, for a time and so many litres
HOLIDAY = const(13)  # the limit is used up on a listed holiday

NO_CREDIT = const(32)  # the limit is used up
LIFELINE_USED = const(33)  # the limit and what today lets through without credit are used up
FRIENDLY_USED = const(34)  # the litres of these friendly hours are used up
UNSURE_LIMIT = const(35)  # the limit that holds while the clock is unsure is used up
ORDERED_CLOSED = const(36)  # a COMMAND, for a time
TAMPER_CLOSED = const(37)  # tampering, and the policy says that it closes
BATTERY_CLOSED = const(38)  # the battery is at its last reserve, and the policy says that it closes
LIFELINE_PAUSE = const(39)  # the lifeline flows in pulses, and rests
REOPENING = const(40)  # the lifeline is back; this meter's share of the jitter still runs

OPEN_REASONS = (
    CREDIT,
    EMERGENCY,
    FRIENDLY_HOURS,
    FRIENDLY_ENDING,
    LIFELINE,
    NEVER_CLOSE,
    INSTALLATION,
    VULNERABLE,
    FIRE,
    AMNESTY,
    BATTERY_KEPT,
    ORDERED_OPEN,
    HOLIDAY,
)
CLOSED_REASONS = (
    NO_CREDIT,
    LIFELINE_USED,
    FRIENDLY_USED,
    UNSURE_LIMIT,
    ORDERED_CLOSED,
    TAMPER_CLOSED,
    BATTERY_CLOSED,
    LIFELINE_PAUSE,
    REOPENING,
)
# Closed for want of money or time: here the customer's own opening helps (allowance.fire). The others overrule it.
FIRE_OPENS = (NO_CREDIT, LIFELINE_USED, FRIENDLY_USED, UNSURE_LIMIT, LIFELINE_PAUSE, REOPENING)
