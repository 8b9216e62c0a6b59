"""What of a meter outlives its power, in RAM, with a count and a journal of all that is done to it: a NOR flash, whose
programs only clear bits and whose erases set a whole block, and behind it in the same image an EEPROM of pages.

It is a MicroPython block device; host_littlefs.py gives the C littlefs of CPython the same three calls.
"""

ERASE_BYTES = 4096
BLOCKS = 256
SIZE = ERASE_BYTES * BLOCKS
PROGRAM_BYTES = 64  # what littlefs programs at once: each is an operation, though it hands over up to 256 bytes
EEPROM_BYTES = 4096
PAGE_BYTES = 32
GRAIN = 16  # what a real chip programs at once: a torn program ends at such a boundary
ERASED = b"\xff" * ERASE_BYTES


def program(image, at, data):
    """AND `data` into the image; True when every byte of it was erased."""
    size = len(data)
    old = bytes(image[at : at + size])
    if old == ERASED[:size]:
        image[at : at + size] = data
        return True
    both = int.from_bytes(old, "big") & int.from_bytes(data, "big")
    image[at : at + size] = both.to_bytes(size, "big")
    return False


def apply(image, operation):
    """Do one (address, data) of a journal; data is None for the erase of a block."""
    at, data = operation
    if data is None:
        image[at : at + ERASE_BYTES] = ERASED
    elif at >= SIZE:
        image[at : at + len(data)] = data
    else:
        program(image, at, data)


def tear(image, operation, number):
    """Do a part of one: at least one grain where there are two, never all of it. `number` chooses how much."""
    at, data = operation
    size = ERASE_BYTES if data is None else len(data)
    grains = size // GRAIN
    part = GRAIN * (1 + number % (grains - 1)) if grains > 1 else size // 2
    if data is None:
        image[at : at + part] = ERASED[:part]
    else:
        apply(image, (at, data[:part]))


class NorRam:
    def __init__(self, image=None):
        self.image = bytearray(b"\xff" * (SIZE + EEPROM_BYTES)) if image is None else image
        self.view = memoryview(self.image)
        self.operations = 0
        self.overwrites = 0  # programs of bytes that were not erased
        self.journal = None

    def reader(self):
        """The function that littlefs reads by, where it wants the bytes as its result."""
        view = self.view

        def read(config, block, offset, size):
            at = block * ERASE_BYTES + offset
            return bytes(view[at : at + size])

        return read

    def readblocks(self, block, buffer, offset=0):
        at = block * ERASE_BYTES + offset
        buffer[:] = self.view[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        first = block * ERASE_BYTES + offset
        for at in range(0, len(buffer), PROGRAM_BYTES):
            data = bytes(buffer[at : at + PROGRAM_BYTES])
            self.operations += 1
            if self.journal is not None:
                self.journal.append((first + at, data))
            if not program(self.image, first + at, data):
                self.overwrites += 1

    def erase(self, block):
        self.operations += 1
        if self.journal is not None:
            self.journal.append((block * ERASE_BYTES, None))
        apply(self.image, (block * ERASE_BYTES, None))

    def page(self, at, data):
        """One write of the EEPROM."""
        self.operations += 1
        if self.journal is not None:
            self.journal.append((at, data))
        apply(self.image, (at, data))

    def ioctl(self, operation, argument):
        if operation == 4:  # block count
            return BLOCKS
        if operation == 5:  # block size
            return ERASE_BYTES
        if operation == 6:
            self.erase(argument)
        return 0


class Eeprom:
    """The pages behind the flash of a NorRam: see firmware/boards/base.py."""

    def __init__(self, device):
        self.device = device

    def read(self, offset, size):
        return bytes(self.device.view[SIZE + offset : SIZE + offset + size])  # judges know the whole of it

    def write(self, offset, data):
        device = self.device
        while data:
            room = PAGE_BYTES - offset % PAGE_BYTES
            device.page(SIZE + offset, bytes(data[:room]))
            data = data[room:]
            offset += room
