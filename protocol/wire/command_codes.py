"""What the codes of COMMAND and the outcomes of RESULT mean. A number is never given a second meaning."""

from protocol.compat import const

VALVE_OPEN = const(1)  # argument: seconds to hold; limit: litres, 1 or more
VALVE_CLOSE = const(2)  # argument: seconds to hold; it ends by itself
VALVE_RELEASE = const(3)  # the policy decides again
REPORT_PERIOD = const(4)  # argument: slots between reports, a divisor of 48
TELL = const(5)  # ANCHOR and DEVICE now

OPEN_S_MAX = const(86400)
CLOSE_S_MAX = const(604800)
REPORT_SLOTS_MAX = const(48)

DONE = const(0)
EXPIRED = const(1)
REFUSED_BY_POLICY = const(2)  # a policy that never closes
UNKNOWN_CODE = const(3)
OUT_OF_RANGE = const(4)  # argument or limit
CLOCK_UNSURE = const(5)
