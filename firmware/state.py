"""Every number that survives a power cut, in one table of names and widths in bytes. Written as one flash record.

The order of the table is the format. A later firmware appends; it never reorders, narrows or reuses.
Fields that can be "never yet" (-1) are stored plus one.
"""

from firmware.slot_log import RECORD_BYTES
from protocol.compat import add_fixed, add_numbers
from protocol.rules import allowance
from protocol.rules.allowance import Allowance
from protocol.rules.rating import RatingState
from protocol.wire.window import Window

FORMAT = 4
# How many numbers the formats before had; those that came later begin at 0.
NUMBERS_BEFORE = {2: 50, 3: 60}

# fmt: off
FIELDS = (
    # Register: V in litres, the rest of a pulse below a litre, and the pulse count already taken into V.
    "volume_l", 7,
    "volume_ml", 2,
    "pulses_taken", 4,
    # Wallet (SEMANTICS A1). S and its remainder stand in `rating`, below.
    "credited_mills", 7,
    "debited_mills", 7,
    "collected_mills", 7,
    "instalments", 4,
    "statement", 4,
    "opened", 1,
    "holder_start_slot", 4,
    # Slot log: identity of the open slot, what it holds, and the first slot the headend does not hold yet.
    "log_generation", 4,
    "first_slot", 4,
    "open_slot", 4,
    "open_litres", 2,
    "open_sure", 1,
    # The cut: S, its remainder and R at the end of the last closed slot (V there is V - open_litres).
    "cut_spent_mills", 7,
    "cut_remainder", 2,
    "cut_collected_mills", 7,
    "acked_slot", 4,
    "report_generation", 4,  # the log generation that acked_slot belongs to (C1)
    # Counters at acked_slot, or at a slot before it where a record still told them (C4).
    "known_slot", 4,
    "known_volume_l", 7,
    "known_spent_mills", 7,
    "known_collected_mills", 7,
    # The first slot that was never sent.
    "sent_generation", 4,
    "sent_slot", 4,
    # Clock (C1-C3).
    "unix_s", 4,
    "sure", 1,
    "slew_day", 4,
    "slewed_s", 1,
    # Valve: what it is meant to be, and whether the motor was started for it.
    "valve_intent", 1,
    "valve_moving", 1,
    "valve_fault", 1,
    "valve_reason", 1,
    # Alarms.
    "alarms", 2,
    "flowing_slots", 2,
    "dry_slots", 4,
    "event_number", 4,
    # Housekeeping.
    "boot_count", 4,
    "anchor_s", 4,
    "refused_frames", 4,
    # The last COMMAND done, and what became of it.
    "command", 4,
    "command_code", 1,
    "command_outcome", 1,
    "command_s", 4,
    # The order in force (commands.py), its end and the litres it may still let through.
    "order", 1,
    "order_until_s", 5,
    "order_litres", 2,
    # Half-hours from report to report; 0 before the first boot.
    "report_slots", 1,
    # Whether the one move that the last reserve of the battery is good for is made (valve.py).
    "final_move", 1,
    # Format 3. Water that ran backwards, and the count already taken into it.
    "reverse_taken", 4,
    "reverse_ml", 7,
    # The motor: starts in its life, those of today that no decision asked for, the milliseconds it ran, the second at
    # which the valve last came to an end, and exercises.
    "moves", 4,
    "own_moves", 1,
    "motor_ms", 5,
    "moved_s", 5,
    "exercises", 2,
    # Leak-by: the rate last told, and the half-hours and litres of the measurement under way (valve_health.py).
    "leak_by_ml_per_h", 4,
    "leak_slots", 1,
    "leak_l", 4,
    # Format 4. The service port: wrong tags since the last right one, the highest number of a grant that proved itself,
    # and the sessions under it.
    "wrong_tags", 2,
    "grant", 4,
    "grant_sessions", 1,
)
# fmt: on
RATING_WIDTHS = (4, 7, 2, 4, 4, 7)  # last instalment's day + 1; S, remainder, day + 1, month + 1, position
ALLOWANCE_WIDTHS = (4, 4, 5, 4, 1, 4, 4, 4, 5, 4, 4, 5)  # of its fields in their order, each plus one
WINDOW_WIDTHS = (5, 8, 1)  # highest + 1, bitmap; how many logs are finished
FIRST_SLOT_BYTES = 4


class State:
    """The persisted numbers as attributes. A new one is a meter that has counted nothing and holds no OPENING."""

    def __init__(self):
        for at in range(0, len(FIELDS), 2):
            setattr(self, FIELDS[at], 0)
        self.instalment_day = -1
        self.valve_moving = 1  # nobody has seen an end-stop yet
        self.rating = RatingState(0, 0, -1, -1, 0)
        self.allowance = allowance.NEW
        self.window = Window(-1, 0)
        self.finished = []  # (first slot, last record) of log generations not acknowledged whole, oldest first
        self.last_record = b""

    def encode(self):
        parts = [bytes((FORMAT,))]
        add_numbers(parts, self, FIELDS)
        spent_mills, remainder, day, month, position_l = self.rating
        values = (self.instalment_day + 1, spent_mills, remainder, day + 1, month + 1, position_l)
        add_fixed(parts, values, RATING_WIDTHS)
        add_fixed(parts, [value + 1 for value in self.allowance], ALLOWANCE_WIDTHS)
        add_fixed(parts, (self.window.highest + 1, self.window.bitmap, len(self.finished)), WINDOW_WIDTHS)
        for first_slot, record in self.finished:
            parts.append(first_slot.to_bytes(FIRST_SLOT_BYTES, "big") + record)
        parts.append(self.last_record)
        return b"".join(parts)

    @property
    def balance_mills(self):
        return self.credited_mills - self.debited_mills - self.rating.spent_mills - self.collected_mills


def decode(payload):
    """The State in a record's payload, or None when it is of another format."""
    form = payload[0] if payload else 0
    fields = len(FIELDS) if form == FORMAT else 2 * NUMBERS_BEFORE.get(form, 0)
    if not fields:
        return None
    at = 1
    state = State()

    def take(width):
        nonlocal at
        value = int.from_bytes(payload[at : at + width], "big")
        at += width
        return value

    for field in range(0, fields, 2):
        setattr(state, FIELDS[field], take(FIELDS[field + 1]))
    values = [take(width) for width in RATING_WIDTHS]
    state.instalment_day = values[0] - 1
    state.rating = RatingState(values[1], values[2], values[3] - 1, values[4] - 1, values[5])
    state.allowance = Allowance(*[take(width) - 1 for width in ALLOWANCE_WIDTHS])
    highest, bitmap, finished = [take(width) for width in WINDOW_WIDTHS]
    state.window = Window(highest - 1, bitmap)
    for _ in range(finished):
        first_slot = take(FIRST_SLOT_BYTES)
        state.finished.append((first_slot, bytes(payload[at : at + RECORD_BYTES])))
        at += RECORD_BYTES
    state.last_record = bytes(payload[at:])
    return state if at <= len(payload) and len(state.last_record) in (0, RECORD_BYTES) else None
