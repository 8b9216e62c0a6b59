"""Who may ask a service port, and what it says when it will not: `[id, "refused", code]` (docs/SPEC.md, Appendix B).

A number is never given a second meaning. Codes from 20 on belong to updates of the firmware.
"""

from protocol.compat import const

# Roles. The owner proves the console key, all others a grant (grants.py).
OWNER = const(0)  # whoever keeps the meter: reads it
READER = const(1)  # reads it, for some days
TECHNICIAN = const(2)  # carries frames, moves the valve
MAINTAINER = const(3)  # carries frames, brings new firmware
RETIRER = const(4)  # carries frames, makes a blank board of it

# Refusals of commands.
UNKNOWN_COMMAND = const(1)  # this firmware has no such command
NOT_ALLOWED = const(2)  # another role may
BAD_ARGUMENTS = const(3)  # their number, a type or a range
VALVE_MOVING = const(4)  # ask again when its motor rests
CLOCK_UNSURE = const(5)  # nobody could tell when it ends: let the meter hear the time first
NOT_NOW = const(6)  # the meter's policy, battery or counters stand against it
NOT_AUTHENTIC = const(7)  # made for another meter, or by nobody who may
NOT_ERASED = const(8)  # a memory does not take what is written: nothing changed, or the board must be destroyed
