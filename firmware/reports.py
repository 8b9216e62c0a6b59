"""DAY and RANGE from what the meter knows. The benchmark of the wire calls the same `build_day`."""

from collections import namedtuple

from protocol.compat import const
from protocol.wire import log_codec
from protocol.wire.limits import OVERHEAD, SLOTS_PER_DAY
from protocol.wire.messages import Day, Range
from protocol.wire.uplinks import encode_up

SLOTS_PER_FRAME_MAX = const(144)  # a RANGE may carry 255; three days are what a small heap holds with room to spare
LOG_HEAD_BYTES = const(10)

# What stands before the log of a DAY or RANGE, in full: V at the first slot's start, S and the instalment count at the
# last slot's end, the newest statement applied, the pack of all these slots, and the status byte now.
Cut = namedtuple(
    "Cut",
    ("log_generation", "first_slot", "volume_l", "spent_mills", "instalments", "statement", "pack_version", "status"),
)


def build_day(cut, litres, phase):
    """(type, plaintext) of the DAY of 48 slots; `phase` is the half-hour of the local day of the first one."""
    return encode_up(_log_message(Day, cut, litres), phase)


def build_range(cut, litres, phase):
    """(type, plaintext) of the RANGE of 1..255 slots."""
    return encode_up(_log_message(Range, cut, litres), phase)


def _log_message(kind, cut, litres):
    return kind(
        cut.log_generation & 3,
        cut.first_slot & 0x3FFF,
        cut.volume_l & 0xFFFF,
        cut.spent_mills & 0xFFFFFF,
        cut.instalments & 63,
        cut.statement & 63,
        cut.pack_version & 15,
        cut.status,
        litres,
    )


def count_that_fits(litres, phase, frame_bytes_max, last=False):
    """How many of these slots, the first or the last of them, one frame carries; one slot always fits.

    `phase` is the half-hour of the local day of the first of all.
    """
    log_max = frame_bytes_max - OVERHEAD - LOG_HEAD_BYTES
    fits = 1
    refused = len(litres) + 1
    count = refused - 1
    while refused - fits > 1:
        head = 0 if count == SLOTS_PER_DAY else 1
        at = len(litres) - count if last else 0
        if head + len(log_codec.encode(litres[at : at + count], (phase + at) % SLOTS_PER_DAY)) <= log_max:
            fits = count
        else:
            refused = count
        count = (fits + refused) // 2
    return fits


def build(cut, litres, phase):
    """A DAY when the slots are 48, else a RANGE."""
    return build_day(cut, litres, phase) if len(litres) == SLOTS_PER_DAY else build_range(cut, litres, phase)
