"""An AT24C32 on I2C: 4096 bytes in pages of 32, which it writes by itself and is deaf meanwhile (up to 5 ms)."""

ADDRESS = 0x50
PAGE_BYTES = 32
# A knock takes 0.1 ms at 100 kHz, 25 µs at 400 kHz: more than twice the time of a page, then the part is broken.
KNOCKS_MAX = 400


class At24c32:
    """See base.Eeprom. `i2c`: a machine.SoftI2C or machine.I2C; all that it raises is OSError."""

    def __init__(self, i2c):
        self.i2c = i2c

    def read(self, offset, size):
        self.i2c.writeto(ADDRESS, offset.to_bytes(2, "big"), False)
        return self.i2c.readfrom(ADDRESS, size)

    def write(self, offset, data):
        at = 0
        while at < len(data):
            place = offset + at
            part = data[at : at + PAGE_BYTES - place % PAGE_BYTES]
            self.i2c.writeto(ADDRESS, place.to_bytes(2, "big") + part)
            self._wait()
            at += len(part)

    def _wait(self):
        """Knock until it answers again."""
        for _ in range(KNOCKS_MAX):
            try:
                self.i2c.writeto(ADDRESS, b"")
                return
            except OSError:
                pass  # it still writes the page
        raise OSError(110)  # timed out
