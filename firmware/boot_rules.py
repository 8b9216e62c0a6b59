"""What a boot does, from what flash and keepsake hold: one table, and nothing else decides it.

| flash | identity on it | keepsake | the meter |
| --- | --- | --- | --- |
| mounts | good | the same | lives (NORMAL) |
| mounts | good | none, begun, bad, or of another meter | lives, and writes the keepsake again (KEEP_AGAIN) |
| mounts | bad or absent | kept | lives; the identity is written to flash again (RESTORE) |
| mounts | absent | none or begun | was never provisioned to the end (FACTORY) |
| mounts | bad | none, begun or bad | is silent (SILENT) |
| mounts | absent | bad | is silent (SILENT) |
| blank | - | none or begun | was never provisioned (FACTORY) |
| broken | - | begun | was never provisioned: the format was cut (FACTORY) |
| blank or broken | - | kept | raises the alarm (ALARM) |
| blank | - | bad | is silent (SILENT) |
| broken | - | none or bad | is silent (SILENT) |

ALARM and SILENT are safe mode (safe_mode.py): the valve stays as it stands. Only FACTORY is ever formatted, and only by
provisioning.
"""

from firmware.keepsake import BEGUN, KEPT, NONE
from protocol.compat import const

# Flash.
MOUNTS = const(0)
BROKEN = const(1)  # something is on it, but no file system
BLANK = const(2)

# The identity on a flash that mounts.
GOOD = const(0)
ABSENT = const(1)
SPOILT = const(2)

NORMAL = const(0)
KEEP_AGAIN = const(1)
RESTORE = const(2)
ALARM = const(3)
SILENT = const(4)
FACTORY = const(5)


def rule(flash, identity, kept, same):
    """`same`: the keepsake holds this very identity, in both copies."""
    if flash == MOUNTS and identity == GOOD:
        return NORMAL if kept == KEPT and same else KEEP_AGAIN
    if kept == KEPT:
        return RESTORE if flash == MOUNTS else ALARM
    if kept == BEGUN and not (flash == MOUNTS and identity == SPOILT):
        return FACTORY
    if kept == NONE and (flash == BLANK or (flash == MOUNTS and identity == ABSENT)):
        return FACTORY
    return SILENT
