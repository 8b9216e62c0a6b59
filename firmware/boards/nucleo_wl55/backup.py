"""Words that survive a reset: the backup registers of the chip, which live as long as the cell does.

RM0453: they stand in TAMP; writing them is allowed by a bit of PWR. A word is kept below 2^30, so that an interrupt can
count in one without allocating.
"""

from machine import mem32

from protocol.compat import const

PWR_CR1 = const(0x58000400)
ALLOW = const(0x100)  # DBP
REGISTERS = const(0x4000B100)  # TAMP_BKP0R

PULSES = const(REGISTERS)
REVERSE = const(REGISTERS + 4)
CLOCK_MAGIC = const(REGISTERS + 8)
CLOCK_HIGH = const(REGISTERS + 12)
CLOCK_LOW = const(REGISTERS + 16)

WORD_MASK = const(0x3FFFFFFF)
MAGIC = const(0x2A5C3E71)


def allow():
    mem32[PWR_CR1] |= ALLOW


def count(at):
    mem32[at] = mem32[at] + 1 & WORD_MASK


def save_offset(seconds):
    """What the calendar lacks to Unix time."""
    mem32[CLOCK_MAGIC] = 0
    mem32[CLOCK_HIGH] = seconds >> 16 & 0xFFFF
    mem32[CLOCK_LOW] = seconds & 0xFFFF
    mem32[CLOCK_MAGIC] = MAGIC


def offset():
    """The same again, or None after the cell was away."""
    if mem32[CLOCK_MAGIC] != MAGIC:
        return None
    return mem32[CLOCK_HIGH] << 16 | mem32[CLOCK_LOW]
