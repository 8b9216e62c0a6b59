"""Radio, field I/O and console over UARTs, and time from the board: the image's counterpart of unix/wall.py.

UART0 service port, UART1 radio, UART2 field I/O. A wait ends at its deadline or when whole records, or bytes of the
service port, have come in.
"""

import mps2
from machine import UART, WDT

from firmware.boards.streams.records import CONSOLE, FIELD, RADIO, Records, write_record

# The watchdog looks at the meter's loop: what does not come round within this time is reset (CT-04: nothing is lost).
WATCHDOG_MS = 8000
CONSOLE_BYTES = 256  # of a line that anybody may hold: what more has come waits in the UART's buffer
FEED_US = 3000000  # before half of it, when the watchdog notes itself as the cause of the next reset


class UartLink:
    def __init__(self, field):
        self.field = field
        self.radio = UART(RADIO)
        self.console = UART(CONSOLE)
        self.streams = ((RADIO, Records(self.radio)), (FIELD, Records(field.output)))
        self.frames = []
        self.requests = []
        self.watchdog = WDT(timeout=WATCHDOG_MS)

    def now_us(self):
        return mps2.now_us()

    def wait_until(self, deadline_us):
        if self.console.any() and self._take():  # the rest of what was more than is read at once
            return
        while True:
            self.watchdog.feed()
            # A rig that grants the time is asked once for the whole wait.
            step_us = deadline_us if mps2.in_lockstep() else min(deadline_us, mps2.now_us() + FEED_US)
            mps2.wait_until(step_us)
            if self._take() or mps2.now_us() >= deadline_us or mps2.in_lockstep():
                return

    def _take(self):
        """Take the records that have come in. True when there was one."""
        taken = False
        for channel, records in self.streams:
            payload = records.take()
            while payload is not None:
                taken = True
                if channel == RADIO:
                    self.frames.append(payload)
                else:
                    self.field.handle(payload)
                payload = records.take()
        waiting = self.console.any()
        if waiting:
            self.requests.append(self.console.read(min(waiting, CONSOLE_BYTES)))
        return taken or waiting > 0

    def forget(self):
        """Drop what is half here: a reset in the middle of a record swallowed its beginning."""
        for _, records in self.streams:
            records.held = b""

    def wait_for_the_end(self):
        """The power is gone."""
        while True:
            self.watchdog.feed()
            mps2.wait_until(mps2.now_us() + FEED_US)

    def motor(self, command):
        self.field.motor(command)

    def transmit(self, frame):
        write_record(self.radio, RADIO, frame)

    def console_send(self, data):
        self.console.write(data)
