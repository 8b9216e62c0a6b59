"""The two slots for updates in a file beside the flash, and their flash operations counted with those of the flash."""

import sys

from firmware.boards.base import FACTORY_RUNS
from firmware.boot_slot import SECTOR_BYTES, SLOT_BYTES, SLOTS

ERASED = b"\xff" * 256


EXIT_RESTART = 4  # the processor was reset: start the meter again, with the same arguments


def attach(board, options):
    """Give the board its slots: `options` as of start.parse."""
    board.slots = SlotFile(options["--flash"] + ".slots", board.device)
    board.running_slot = int(options.get("--running-slot", FACTORY_RUNS))
    board.release_key = options["--release-key"]
    board.hardware = "unix"
    board.restart = restart


def restart():
    sys.exit(EXIT_RESTART)


class SlotFile:
    """See base.Slots."""

    def __init__(self, path, device):
        """`device` counts the operations and cuts the power at one of them: NorFile, or Uncut."""
        try:
            self.file = open(path, "r+b")
        except OSError:
            self.file = open(path, "w+b")
        self.file.seek(0, 2)
        while self.file.tell() < SLOTS * SLOT_BYTES:
            self.file.write(ERASED)
        self.device = device

    def read(self, slot, offset, size):
        self.file.seek(slot * SLOT_BYTES + offset)
        return self.file.read(size)

    def program(self, slot, offset, data):
        reached = self.device.counted(len(data))
        before = self.read(slot, offset, reached)
        self.file.seek(slot * SLOT_BYTES + offset)
        self.file.write(bytes([before[at] & data[at] for at in range(reached)]))
        self.device.cut_if_due()

    def erase(self, slot, offset):
        self.file.seek(slot * SLOT_BYTES + offset)
        for _ in range(self.device.counted(SECTOR_BYTES) // len(ERASED)):
            self.file.write(ERASED)
        self.device.cut_if_due()


class Uncut:
    """In place of the flash where no cut can be asked for yet."""

    def counted(self, size):
        return size

    def cut_if_due(self):
        pass
