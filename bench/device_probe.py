"""Runs on MicroPython: reads a [cut, litres] a line, seals each as a DAY, writes the frames, then the time taken."""

import json
import sys
import time

from firmware import reports
from protocol.wire import envelope, keys

key_set = keys.derive(bytes(range(16)), bytes(range(8)), 1, 0)
total_us = 0
for number, line in enumerate(sys.stdin):
    cut, litres = json.loads(line)
    cut = reports.Cut(*cut)
    started_us = time.ticks_us()
    message_type, plaintext = reports.build_day(cut, litres, 0)
    frame = envelope.seal(key_set, envelope.UP, message_type, number, plaintext)
    total_us += time.ticks_diff(time.ticks_us(), started_us)
    sys.stdout.write(frame.hex() + "\n")
name = "{} {}".format(sys.implementation.name, ".".join([str(part) for part in sys.implementation.version[:3]]))
sys.stdout.write(json.dumps({"interpreter": name, "total_us": total_us}) + "\n")
