"""Field I/O of the unix board: pulses, button, tamper, battery, end-stops in; motor, face, log out.

The records are listed in firmware/README.md; a real board has pins and a counter in their place.
"""

from firmware.boards.streams.records import FIELD, write_record

BATTERY_MV_NEW = 3600


def u32(value):
    return value.to_bytes(4, "big")


def read_u(payload, at, size):
    return int.from_bytes(payload[at : at + size], "big")


class Field:
    """What the inputs last said. `output` is the stream that the outputs are written to."""

    def __init__(self, output, on_arm_cut):
        self.output = output
        self.on_arm_cut = on_arm_cut
        self.pulses = 0
        self.reverse_pulses = None
        self.presses = 0
        self.tampered = False
        self.battery_mv = BATTERY_MV_NEW
        self.temperature_c10 = None
        self.end_stop = None
        self.rtc = (0, False)

    def handle(self, payload):
        """Take one input record. An unknown or short record is ignored: a rig may be newer than the meter."""
        kind = payload[:1]
        size = len(payload)
        if kind == b"P" and size == 5:
            self.pulses = read_u(payload, 1, 4)
        elif kind == b"Q" and size == 5:
            self.reverse_pulses = read_u(payload, 1, 4)
        elif kind == b"B":
            self.presses += 1
        elif kind == b"R" and size == 6:
            self.rtc = (read_u(payload, 1, 4), payload[5] != 0)
        elif kind == b"T" and size == 2:
            self.tampered = payload[1] != 0
        elif kind == b"V" and size == 3:
            self.battery_mv = read_u(payload, 1, 2)
        elif kind == b"C" and size == 3:
            raised = read_u(payload, 1, 2)
            self.temperature_c10 = raised - (raised >> 15 << 16)
        elif kind == b"E" and size == 2 and payload[1] <= 2:
            self.end_stop = payload[1]
        elif kind == b"K" and size == 6:
            self.on_arm_cut(read_u(payload, 1, 4), payload[5])

    def take_button(self):
        if self.presses:
            self.presses -= 1
            return True
        return False

    def take_end_stop(self):
        stop = self.end_stop
        self.end_stop = None
        return stop

    def motor(self, command):
        write_record(self.output, FIELD, b"M" + bytes((command,)))

    def face(self, picture):
        write_record(self.output, FIELD, b"F" + picture)

    def log(self, text):
        write_record(self.output, FIELD, b"L" + text.encode())

    def cut_reached(self, operation):
        write_record(self.output, FIELD, b"X" + u32(operation))
