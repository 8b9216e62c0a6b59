"""The thermometer on the I2C bus, a TMP105: tenths of a degree Celsius."""

from protocol.compat import const

ADDRESS = const(0x48)
TEMPERATURE = const(0)  # its register: two bytes, degrees and the sixteenths of one in the upper half of the second


class Thermometer:
    def __init__(self, i2c):
        self.i2c = i2c

    def temperature_c10(self):
        """The temperature now, or None where no thermometer answers."""
        try:
            high, low = self.i2c.readfrom_mem(ADDRESS, TEMPERATURE, 2)
        except OSError:
            return None
        sixteenths = (high << 4 | low >> 4) - (high >> 7 << 12)
        return sixteenths * 10 // 16
