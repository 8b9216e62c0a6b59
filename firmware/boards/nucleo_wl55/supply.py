"""Battery voltage and temperature of the chip, from its own converter and the calibration of its maker.

The cell feeds the chip without a regulator between, so what the reference is measured against is its voltage.
"""

from machine import ADC, mem16

from protocol.compat import const

# Where the maker wrote what it read at 3.3 V: the reference, and the thermometer at 30 and at 130 degrees (DS13293).
REFERENCE = const(0x1FFF75AA)
THERMOMETER_30 = const(0x1FFF75A8)
THERMOMETER_130 = const(0x1FFF75C8)
CALIBRATED_MV = const(3300)


def _raw(channel):
    return ADC(channel).read_u16() >> 4


def battery_mv():
    read = _raw(ADC.CORE_VREF)
    return CALIBRATED_MV * mem16[REFERENCE] // read if read else 0


def temperature_c10():
    """Tenths of a degree Celsius, or None where the chip carries no calibration."""
    low, high = mem16[THERMOMETER_30], mem16[THERMOMETER_130]
    if not 0 < low < high < 4096:
        return None
    at_calibration = _raw(ADC.CORE_TEMP) * battery_mv() // CALIBRATED_MV
    return 300 + (at_calibration - low) * 1000 // (high - low)
