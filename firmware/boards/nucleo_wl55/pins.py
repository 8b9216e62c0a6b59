"""Which pin is what (README.md has the table with the header positions). No two inputs share an EXTI line's number."""

PULSE = "B3"
REVERSE = "B10"
END_OPEN = "B5"
END_CLOSED = "B8"
BUTTON = "A0"  # SW1 on the board
TAMPER = "C2"
MOTOR_IN1 = "C1"
MOTOR_IN2 = "A9"
MOTOR_AWAKE = "B12"  # nSLEEP of the H-bridge
FLASH_SELECT = "A4"
EEPROM_CLOCK = "A12"
EEPROM_DATA = "A11"

FLASH_SPI = 1
DISPLAY_UART = 1
SERVICE_UART = "LP1"
