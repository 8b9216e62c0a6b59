"""The loader of the Unix meter, run before anything else of it: which image is to run, and where its files are.

It belongs to the factory's build, as the C loader does to the factory's image, and no update can touch it. What it
tells the image is one more argument, --running-slot.
"""

import os
import sys
from binascii import unhexlify

from firmware import boot_slot
from firmware.boards.unix import bundle
from firmware.boards.unix.slot_file import SlotFile, Uncut
from firmware.version import FIRMWARE_VERSION

HARDWARE = "unix"


def load(arguments):
    """Choose; where a slot is to run, unpack it beside the flash and let imports find nothing but its files. True where
    one is to run."""
    path = _option(arguments, "--flash")
    try:
        key = unhexlify(_option(arguments, "--release-key"))
    except ValueError:
        return False  # the application says what is wrong with it
    slots = SlotFile(path + ".slots", Uncut())
    slot = boot_slot.choose(slots, HARDWARE, key, FIRMWARE_VERSION)
    if slot == boot_slot.FACTORY:
        return False
    folder = path + ".slot" + str(slot)
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there
    size = boot_slot.manifest_of(slots, slot).size
    bundle.unpack(lambda at, size: slots.read(slot, boot_slot.IMAGE_AT + at, size), size, folder)
    sys.path[:] = [folder] + [place for place in sys.path if place[:1] == "."]
    arguments.extend(["--running-slot", str(slot)])
    return True


def _option(arguments, name):
    return arguments[arguments.index(name) + 1] if name in arguments[:-1] else ""
