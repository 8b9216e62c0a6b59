"""Real time: wall clock, radio over UDP, field I/O on stdin/stdout as in lock-step.

Datagram = 0x01 | meter_id 8 | frame, both ways. The pulse counter is a small file beside the flash, so that it
survives a kill; the motor is modelled here (travel time, then the end-stop), unless the rig answers the motor record
first.
"""

import select
import socket
import time

from firmware.boards import base
from firmware.boards.streams.field import read_u, u32
from firmware.boards.streams.records import CONSOLE, FIELD, LinkClosed, read_record, write_record

DATAGRAM_VERSION = b"\x01"
DATAGRAM_BYTES_MAX = 300
MOTOR_TRAVEL_US = 4000000


class WallLink:
    def __init__(self, source, output, field, host, port, counter_path):
        self.source = source
        self.output = output
        self.field = field
        self.counter_path = counter_path
        self.meter_id = None
        self.frames = []
        self.requests = []
        self.motor_until_us = None
        self.motor_target = base.END_STOP_OPEN
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(socket.getaddrinfo(host, port)[0][-1])
        self.poll = select.poll()
        self.poll.register(self.socket, select.POLLIN)
        self.poll.register(source, select.POLLIN)
        self._load_counter()
        field.rtc = (int(time.time()), True)

    def now_us(self):
        return time.time_ns() // 1000

    def wait_until(self, deadline_us):
        """Sleep until the deadline or an input, whichever is first."""
        if self.motor_until_us is not None:
            deadline_us = min(deadline_us, self.motor_until_us)
        wait_ms = max(0, min((deadline_us - self.now_us()) // 1000 + 1, 60000))
        for ready, _ in self.poll.poll(wait_ms):
            if ready is self.socket:
                self._take_datagram()
            else:
                self._take_record()
        if self.motor_until_us is not None and self.now_us() >= self.motor_until_us:
            self.motor_until_us = None
            self.field.end_stop = self.motor_target

    def _take_datagram(self):
        try:
            datagram = self.socket.recv(DATAGRAM_BYTES_MAX)
        except OSError:
            return  # nobody listens at the other end just now
        if datagram[:1] == DATAGRAM_VERSION and datagram[1:9] == self.meter_id:
            self.frames.append(datagram[9:])

    def _take_record(self):
        try:
            channel, payload = read_record(self.source)
        except LinkClosed:
            self.poll.unregister(self.source)
            return
        if channel == FIELD:
            before = self.field.pulses
            self.field.handle(payload)
            if self.field.pulses != before:
                self._save_counter()
            if self.field.end_stop is not None:
                self.motor_until_us = None
        elif channel == CONSOLE:
            self.requests.append(payload)

    def motor(self, command):
        self.field.motor(command)
        if command == base.MOTOR_STOP:
            self.motor_until_us = None
            return
        self.motor_target = base.END_STOP_CLOSED if command == base.MOTOR_CLOSE else base.END_STOP_OPEN
        self.motor_until_us = self.now_us() + MOTOR_TRAVEL_US

    def transmit(self, frame):
        try:
            self.socket.send(DATAGRAM_VERSION + self.meter_id + frame)
        except OSError:
            pass  # as with any radio, a frame may be lost

    def console_send(self, message):
        write_record(self.output, CONSOLE, message)

    def wait_for_the_end(self):
        while True:
            time.sleep(60)

    def _load_counter(self):
        try:
            with open(self.counter_path, "rb") as file:
                self.field.pulses = read_u(file.read(), 0, 4)
        except OSError:
            pass  # a new counter stands at zero

    def _save_counter(self):
        with open(self.counter_path, "r+b" if self._counter_exists() else "wb") as file:
            file.write(u32(self.field.pulses))

    def _counter_exists(self):
        try:
            open(self.counter_path, "rb").close()
        except OSError:
            return False
        return True
