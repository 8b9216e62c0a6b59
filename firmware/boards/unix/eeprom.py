"""The EEPROM in a file beside the flash, written straight through to the kernel."""

from firmware.keepsake import SIZE


class EepromFile:
    """See base.Eeprom."""

    def __init__(self, path):
        try:
            self.file = open(path, "r+b")
        except OSError:
            self.file = open(path, "w+b")
        self.file.seek(0, 2)
        missing = SIZE - self.file.tell()
        if missing > 0:
            self.file.write(b"\xff" * missing)

    def read(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    def write(self, offset, data):
        self.file.seek(offset)
        self.file.write(data)
