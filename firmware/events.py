"""Events waiting to be told: each is sent at once and once more with the next report, so one lost frame hides nothing.

They live in memory: what an event tells also stands in the status byte of every report.
"""

from protocol.compat import const
from protocol.wire.limits import EVENTS_MAX
from protocol.wire.messages import EventEntry

SENDS = const(2)
KEPT = const(8)


class Events:
    def __init__(self, state):
        self.state = state
        self.waiting = []  # [EventEntry, sends left], oldest first
        self.fresh = False  # one has not been sent at all

    def add(self, code, unix_s, argument=0):
        self.state.event_number += 1
        self.waiting.append([EventEntry(self.state.event_number, unix_s, code, argument), SENDS])
        if len(self.waiting) > KEPT:
            self.waiting.pop(0)
        self.fresh = True

    def take(self):
        """The events of one frame, fewest sends first; () when there are none."""
        never_sent = [entry for entry in self.waiting if entry[1] == SENDS]
        chosen = (never_sent or self.waiting)[:EVENTS_MAX]
        for entry in chosen:
            entry[1] -= 1
        self.waiting = [entry for entry in self.waiting if entry[1]]
        self.fresh = any([entry[1] == SENDS for entry in self.waiting])
        return tuple([entry[0] for entry in chosen])
