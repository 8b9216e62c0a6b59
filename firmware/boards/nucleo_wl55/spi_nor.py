"""A serial NOR flash on SPI (any W25Q, MX25R or the like of at least 1 MB) as the block device of littlefs.

The part sleeps in deep power-down between operations: a microampere for what standby takes ten of.
"""

import time

from firmware.boards.littlefs import BLOCKS, ERASE_BYTES
from protocol.compat import const

WRITE_ENABLE = b"\x06"
READ_STATUS = b"\x05"
READ = b"\x03"
PROGRAM = b"\x02"
ERASE_4K = b"\x20"
POWER_DOWN = b"\xb9"
RELEASE = b"\xab"

BUSY = const(1)
PAGE_BYTES = const(256)
WAKES_US = const(35)
POLL_MS = const(1)
BUSY_MS_MAX = const(1000)  # an erase of 4 KB takes 400 ms at most; a part that is busy longer is broken


class SpiNor:
    def __init__(self, spi, select):
        """`select`: the pin that selects the part, high when it is not."""
        self.spi = spi
        self.select = select
        self.operations = 0
        select(1)
        self._command(POWER_DOWN)

    def _command(self, command, into=None):
        self.select(0)
        self.spi.write(command)
        if into is not None:
            self.spi.readinto(into)
        self.select(1)

    def _wake(self):
        self._command(RELEASE)
        time.sleep_us(WAKES_US)

    def _change(self, command):
        """One program or erase, to its end."""
        self.operations += 1
        self._command(WRITE_ENABLE)
        self._command(command)
        status = bytearray(1)
        for _ in range(BUSY_MS_MAX // POLL_MS):
            self._command(READ_STATUS, status)
            if not status[0] & BUSY:
                return
            time.sleep_ms(POLL_MS)
        raise OSError(5)  # EIO

    def readblocks(self, block, buffer, offset=0):
        self._wake()
        self._command(READ + _place(block * ERASE_BYTES + offset), buffer)
        self._command(POWER_DOWN)

    def writeblocks(self, block, buffer, offset=0):
        self._wake()
        at = block * ERASE_BYTES + offset
        done = 0
        while done < len(buffer):
            part = bytes(buffer[done : done + PAGE_BYTES - at % PAGE_BYTES])
            self._change(PROGRAM + _place(at) + part)
            done += len(part)
            at += len(part)
        self._command(POWER_DOWN)

    def ioctl(self, operation, argument):
        if operation == 4:  # block count
            return BLOCKS
        if operation == 5:  # block size
            return ERASE_BYTES
        if operation == 6:  # erase
            self._wake()
            self._change(ERASE_4K + _place(argument * ERASE_BYTES))
            self._command(POWER_DOWN)
        return 0


def _place(address):
    return address.to_bytes(3, "big")
