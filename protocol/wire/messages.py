"""What is said: the types of messages and a named tuple for each (docs/SPEC.md, "Plaintexts").

uplinks.py and downlinks.py turn them into plaintexts and back, parts.py cuts a pack's body.
"""

from collections import namedtuple

from protocol.compat import const

UP_DAY = const(0)
UP_RANGE = const(1)
UP_POLL = const(2)
UP_EVENT = const(3)
UP_ANCHOR = const(4)
UP_GAP = const(5)
UP_DEVICE = const(6)
UP_EXTENDED = const(7)

DOWN_STATEMENT = const(0)
DOWN_TIME = const(1)
DOWN_NACK = const(2)
DOWN_TARIFF = const(3)
DOWN_POLICY = const(4)
DOWN_COMMAND = const(5)
DOWN_PLAN = const(6)
DOWN_EXTENDED = const(7)

# Kinds of EXTENDED, either way.
UP_KIND_RESULT = const(0)
UP_KIND_UPDATE = const(1)
DOWN_KIND_OPENING = const(0)
DOWN_KIND_REKEY = const(1)
DOWN_KIND_UPDATE = const(2)

# Bits of the status byte; the lowest two are the valve.
VALVE_OPEN = const(0)
VALVE_CLOSED = const(1)
VALVE_MOVING = const(2)
VALVE_FAULT = const(3)
STATUS_VALVE_MASK = const(0x03)
STATUS_LOW_CREDIT = const(0x04)
STATUS_LEAK = const(0x08)
STATUS_BURST = const(0x10)
STATUS_TAMPER = const(0x20)
STATUS_LOW_BATTERY = const(0x40)
STATUS_CLOCK_UNSURE = const(0x80)

DEVICE_UNOPENED = const(0x01)

# Slots one after another from slot14 on: V at the start of the first, S at the end of the last; 48 slots in a DAY.
Day = namedtuple(
    "Day",
    (
        "log_generation2",
        "slot14",
        "volume16_l",
        "spent24_mills",
        "instalments6",
        "statement6",
        "pack4",
        "status",
        "litres",
    ),
)
Range = namedtuple(
    "Range",
    (
        "log_generation2",
        "slot14",
        "volume16_l",
        "spent24_mills",
        "instalments6",
        "statement6",
        "pack4",
        "status",
        "litres",
    ),
)
# "Is there anything for me?"
Poll = namedtuple("Poll", ())
# event_no: the meter's own running number; argument: what the code says it is.
EventEntry = namedtuple("EventEntry", ("event_no", "at_unix_s", "code", "argument"))
Event = namedtuple("Event", ("events",))
# Everything that the counters are, whole, at the start of `slot`, the next one to be logged.
Anchor = namedtuple(
    "Anchor",
    (
        "slot",
        "volume_l",
        "credited_mills",
        "debited_mills",
        "spent_mills",
        "collected_mills",
        "log_generation2",
        "remainder",
        "status",
    ),
)
# Slots that the meter lost for good (SEMANTICS C4): counters whole at their end, 24 bits of them at their start.
Gap = namedtuple(
    "Gap",
    (
        "first_slot",
        "slots",
        "volume_l",
        "volume24_l",
        "spent_mills",
        "spent24_mills",
        "collected_mills",
        "collected24_mills",
        "position_l",
        "log_generation2",
        "remainder",
        "instalments6",
    ),
)
# command: the id of the last COMMAND done, 0 for none; report_slots: how many slots apart the reports are.
Device = namedtuple(
    "Device",
    (
        "log_generation",
        "instalments",
        "statement",
        "acked_slot",
        "pack_version",
        "policy_version",
        "plan_version",
        "boot_count",
        "reset_cause",
        "battery_mv",
        "firmware_version",
        "command",
        "report_slots",
        "flags",
    ),
)
# What became of the COMMAND `id` (outcomes: command_codes.py), at the meter's own time.
Result = namedtuple("Result", ("id", "code", "outcome", "at_unix_s"))
# How far an update is (states and outcomes: update_codes.py): of which version, and which byte of its file comes next.
Progress = namedtuple("Progress", ("version", "next_offset", "state", "outcome"))
# acked_slot: the first slot of that log generation that is not durable yet.
Statement = namedtuple("Statement", ("number", "credited_mills", "debited_mills", "log_generation", "acked_slot"))
Time = namedtuple("Time", ("counter", "unix_s"))
# ranges: 1 to 4 pairs (first_slot, slots) of slots to be sent again, ascending, none overlapping.
Nack = namedtuple("Nack", ("log_generation", "ranges"))
# What the codes and their argument and limit are: command_codes.py. A meter does each id once.
Command = namedtuple("Command", ("id", "expires_unix_s", "code", "argument", "limit"))
# The key epoch to change to (SEMANTICS D4).
Rekey = namedtuple("Rekey", ("epoch",))
# Bytes of an update's file, a manifest and its image. Of none: a question, or at the file's end the order to start.
Fragment = namedtuple("Fragment", ("version", "offset", "chunk"))
# One part of a TARIFF, POLICY or PLAN body; index 0 of count 1 is the whole body. hash4: of the whole body.
Pack = namedtuple("Pack", ("version", "from_slot", "index", "count", "hash4", "chunk"))
# The start of a wallet generation (SEMANTICS A4); S and R start at 0. month, day: the last ones whose standing charges
# the holder has already paid on an earlier meter, 0 for none.
Opening = namedtuple(
    "Opening",
    (
        "generation",
        "volume_l",
        "position_l",
        "month",
        "day",
        "holder_slot",
        "credited_mills",
        "debited_mills",
        "number",
    ),
)
