"""Lock-step time: the rig owns the clock, the meter asks for the next instant and sleeps until it is granted.

    meter -> rig   'W' seq u32 | deadline_us u64 | rx1 u32 | rx2 u32     idle; wake me at deadline_us
    rig -> meter   'G' seq u32 | now_us u64                              it is now now_us

rx1 and rx2 count the payload bytes received so far on the radio and the field I/O channel (record heads not counted),
so the rig knows that its input was consumed. A grant that answers an older 'W' is ignored. Everything the rig writes
before a grant is seen by the meter before it wakes.
"""

from firmware.boards.streams.field import read_u, u32
from firmware.boards.streams.records import CLOCK, CONSOLE, FIELD, RADIO, read_record, write_record


class LockStepLink:
    def __init__(self, source, output, field):
        self.source = source
        self.output = output
        self.field = field
        self.frames = []
        self.requests = []
        self.sequence = 0
        self.time_us = 0
        self.received_bytes = [0, 0, 0, 0]

    def now_us(self):
        return self.time_us

    def wait_until(self, deadline_us):
        self.sequence += 1
        write_record(
            self.output,
            CLOCK,
            b"W"
            + u32(self.sequence)
            + max(deadline_us, 0).to_bytes(8, "big")
            + u32(self.received_bytes[RADIO] & 0xFFFFFFFF)
            + u32(self.received_bytes[FIELD] & 0xFFFFFFFF),
        )
        while not self._granted():
            pass

    def _granted(self):
        channel, payload = read_record(self.source)
        if channel == CLOCK:
            if payload[:1] == b"G" and len(payload) == 13 and read_u(payload, 1, 4) == self.sequence:
                self.time_us = max(self.time_us, read_u(payload, 5, 8))
                return True
            return False
        if channel <= CLOCK:
            self.received_bytes[channel] += len(payload)
        if channel == RADIO:
            self.frames.append(payload)
        elif channel == FIELD:
            self.field.handle(payload)
        elif channel == CONSOLE:
            self.requests.append(payload)
        return False

    def wait_for_the_end(self):
        """Swallow input until the process is killed or the link closes: the power is gone."""
        while True:
            read_record(self.source)

    def motor(self, command):
        self.field.motor(command)

    def transmit(self, frame):
        write_record(self.output, RADIO, frame)

    def console_send(self, message):
        write_record(self.output, CONSOLE, message)
