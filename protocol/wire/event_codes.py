"""What the codes of EVENT mean and what their argument is. A number is never given a second meaning."""

from protocol.compat import const

VALVE_OPENED = const(1)  # argument: reason of the policy (protocol/rules/policy.py)
VALVE_CLOSED = const(2)  # argument: reason of the policy
VALVE_STUCK = const(3)  # the motor met no end-stop; argument: attempts made
VALVE_STUCK_OPEN = const(4)  # flow while closed; argument: litres since it closed
VALVE_LEAK_BY = const(5)  # a trickle while closed; argument: litres since it closed
LEAK = const(6)  # 24 hours without a slot of zero flow; argument: litres of the last slot
LEAK_CLEARED = const(7)
BURST = const(8)  # argument: litres of the open slot so far
BURST_CLEARED = const(9)
TAMPER = const(10)
TAMPER_CLEARED = const(11)
LOW_BATTERY = const(12)  # argument: millivolts
LOW_BATTERY_CLEARED = const(13)
CLOCK_UNSURE = const(14)
CLOCK_SET = const(15)  # argument: seconds stepped, either way
LOW_CREDIT = const(16)  # argument: balance in mills, 0 when it is negative
BLOCKED = const(17)  # open, and no flow for three days where there was flow before; argument: slots without flow
FLASH_COPY_BAD = const(18)  # one of two copies did not check; argument: copies found bad since boot
LOG_GENERATION = const(19)  # the clock went back by more than 48 slots; argument: the new log generation
KEYS_CHANGED = const(20)  # argument: the new key epoch
FLASH_LOST = const(21)  # the flash cannot be read: safe mode; argument: 0 no file system on it, 1 it is blank
CONSOLE_LOCKED = const(22)  # wrong tags at the service port; argument: how many since the last right one
LEAK_BY_RATE = const(23)  # through the closed valve; argument: millilitres an hour, 0 when it has ceased
NO_WATER = const(24)  # open, no drop since, and the customer asked again and again; argument: minutes since it opened
VALVE_EXERCISED = const(25)  # eased and opened again against scale; argument: how often in its life
AIR = const(26)  # after a dry spell, faster than water can flow; argument: litres that were counted so
BACKFLOW = const(27)  # water ran backwards; argument: litres of that half-hour
BATTERY_CRITICAL = const(28)  # the last reserve, good for one move; argument: millivolts
FIRMWARE_CONFIRMED = const(29)  # an update has proved itself here; argument: its version
FIRMWARE_REJECTED = const(30)  # an update has not, and what ran before runs again; argument: the version rejected
SERVICE = const(31)  # somebody changed something by cable; argument: number of the grant * 256 + role
