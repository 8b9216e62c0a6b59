"""Uplink messages from what the meter knows. One function builds DAY, and the benchmark of the wire calls that same one."""

from collections import namedtuple

from protocol.compat import const
from protocol.errors import WireRefused
from protocol.rules.calendar import slot_phase
from protocol.wire.limits import OVERHEAD, SLOTS_PER_DAY
from protocol.wire.messages import Day, Range, encode_up

RANGE_SLOTS_MAX = const(255)

# What stands before the log of a DAY or RANGE, in full: V at the first slot's start, S and the instalment count at the
# last slot's end, the newest statement applied, the pack of all these slots, and the status byte now.
Cut = namedtuple(
    "Cut",
    ("log_generation", "first_slot", "volume_l", "spent_mills", "instalments", "statement", "pack_version", "status"),
)


def build_day(cut, litres, phase):
    """(type, plaintext) of the DAY of 48 slots of litres; `phase` is the half-hour of the local day of the first one."""
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


def fit(run, generation, statement, status, offsets, frame_bytes_max):
    """(slots taken, type, plaintext): as many of the closed slots of `run` as one frame carries, DAY when they are 48.

    `run` is what SlotLog.run returned: contiguous, of one pack and one sureness. One slot always fits.
    """
    phase = slot_phase(run[0].slot, offsets)
    plaintext_max = frame_bytes_max - OVERHEAD
    low, best = 0, None
    high = min(len(run), RANGE_SLOTS_MAX)
    count = high
    while low < high:
        built = _build(run[:count], generation, statement, status, phase)
        if built is not None and len(built[1]) <= plaintext_max:
            low, best = count, built
        else:
            high = count - 1
        count = (low + high + 1) // 2
    return low, best[0], best[1]


def _build(run, generation, statement, status, phase):
    last = run[-1]
    cut = Cut(
        generation, run[0].slot, run[0].volume_l, last.spent_mills, last.instalments6, statement, last.pack4, status
    )
    litres = [closed.litres for closed in run]
    try:
        return build_day(cut, litres, phase) if len(litres) == SLOTS_PER_DAY else build_range(cut, litres, phase)
    except WireRefused:
        return None  # longer than any frame
