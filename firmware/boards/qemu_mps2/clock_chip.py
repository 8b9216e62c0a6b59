"""The clock chip on the I2C bus, a DS1338 with a cell of its own: Unix seconds, and whether it kept them.

Its seven registers are decimal digits, two to a byte: seconds, minutes, hours, weekday, day, month, year of a century,
which is this one. Two bits tell that it stood still: CH in the seconds, OSF in the control register.
"""

from protocol.compat import const

ADDRESS = const(0x68)
REGISTERS = const(8)
STOPPED = const(0x80)  # of the seconds: the oscillator is off
STOOD_STILL = const(0x20)  # of the control register: it was off since this was last cleared
TWELVE_HOURS = const(0x40)
DAY_S = const(86400)
DAYS_TO_2000 = const(10957)
DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def days_of(year, month, day):
    """Days from 1970 to a date of the years 2000 to 2099."""
    leap = 1 if year % 4 == 0 and month > 2 else 0
    return DAYS_TO_2000 + 365 * (year - 2000) + (year - 1997) // 4 + DAYS_BEFORE[month - 1] + leap + day - 1


def from_digits(byte):
    return 10 * (byte >> 4) + (byte & 15)


class ClockChip:
    def __init__(self, i2c):
        self.i2c = i2c

    def read(self):
        """(unix_s, valid). Not valid: it stood still, it says no date, or nothing answers."""
        try:
            raw = self.i2c.readfrom_mem(ADDRESS, 0, REGISTERS)
        except OSError:
            return 0, False
        month, day = from_digits(raw[5] & 0x1F), from_digits(raw[4] & 0x3F)
        if (
            raw[0] & STOPPED
            or raw[2] & TWELVE_HOURS
            or raw[7] & STOOD_STILL
            or not 1 <= month <= 12
            or not 1 <= day <= 31
        ):
            return 0, False
        days = days_of(2000 + from_digits(raw[6]), month, day)
        clock_s = 3600 * from_digits(raw[2] & 0x3F) + 60 * from_digits(raw[1]) + from_digits(raw[0])
        return days * DAY_S + clock_s, True

    def set(self, unix_s):
        """Let it go on from there. A chip that does not answer stays as it is."""
        raw = bytes(_registers(unix_s))
        try:
            self.i2c.writeto_mem(ADDRESS, 0, raw)
        except OSError:
            pass


def to_digits(number):
    return number // 10 << 4 | number % 10


def _registers(unix_s):
    days, clock_s = divmod(unix_s, DAY_S)
    year = 2000
    while days >= days_of(year + 1, 1, 1):
        year += 1
    month = 1
    while month < 12 and days >= days_of(year, month + 1, 1):
        month += 1
    numbers = (clock_s % 60, clock_s // 60 % 60, clock_s // 3600, (days + 3) % 7 + 1)
    date = (days - days_of(year, month, 1) + 1, month, year - 2000)
    return [to_digits(number) for number in numbers + date] + [0]
