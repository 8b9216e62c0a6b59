"""Events waiting to be told: each is sent twice, so one lost frame hides nothing.

Where reports are half-hourly an event is sent at once and once more with the next report. In the daily cadence every
frame counts: there an event that nobody waits for stays until others fill the frame with it (sync.py). Events live in
memory: what they tell also stands in the status byte of every report. The last ones told are kept for the service port.
"""

from protocol.compat import const
from protocol.wire.event_codes import (
    BURST,
    CONSOLE_LOCKED,
    FIRMWARE_CONFIRMED,
    FIRMWARE_REJECTED,
    KEYS_CHANGED,
    NO_WATER,
    TAMPER,
    VALVE_CLOSED,
    VALVE_LEAK_BY,
    VALVE_OPENED,
    VALVE_STUCK,
    VALVE_STUCK_OPEN,
)
from protocol.wire.limits import EVENTS_MAX
from protocol.wire.messages import EventEntry

SENDS = const(2)
KEPT = const(8)
TOLD_KEPT = const(4)
URGENT = (
    VALVE_OPENED,
    VALVE_CLOSED,
    VALVE_STUCK,
    VALVE_STUCK_OPEN,
    VALVE_LEAK_BY,
    BURST,
    TAMPER,
    KEYS_CHANGED,
    CONSOLE_LOCKED,
    NO_WATER,
    FIRMWARE_CONFIRMED,
    FIRMWARE_REJECTED,
)


class Events:
    def __init__(self, state):
        self.state = state
        self.waiting = []  # [EventEntry, sends left], oldest first
        self.told = []  # EventEntry, the newest last
        self.unsaved = False  # the newest number is not on flash yet

    def add(self, code, unix_s, argument=0):
        self.state.event_number += 1
        self.waiting.append([EventEntry(self.state.event_number, unix_s, code, argument), SENDS])
        if len(self.waiting) > KEPT:
            self.waiting.pop(0)
        self.unsaved = True

    def unsent(self):
        """The codes that were not sent at all."""
        return [entry.code for entry, sends in self.waiting if sends == SENDS]

    def fills_a_frame(self):
        """Whether somebody waits for one that was not sent, or enough of them wait for each other."""
        unsent = self.unsent()
        return len(unsent) >= EVENTS_MAX or any([code in URGENT for code in unsent])

    def take(self):
        """The events of one frame, those never sent before the others, in the order of their numbers."""
        chosen = sorted(self.waiting, key=lambda entry: (-entry[1], entry[0].event_no))[:EVENTS_MAX]
        for entry in chosen:
            entry[1] -= 1
        self.told = (self.told + [entry[0] for entry in self.waiting if not entry[1]])[-TOLD_KEPT:]
        self.waiting = [entry for entry in self.waiting if entry[1]]
        return tuple(sorted([entry[0] for entry in chosen]))
