"""Start of the board: parts on their buses, flash, radio, then the application. Not run on hardware."""

import gc

from lora import WL55SubGhzModem
from machine import SPI, UART, Pin, SoftI2C

from firmware import boot
from firmware.boards import littlefs
from firmware.boards.nucleo_wl55 import pins
from firmware.boards.nucleo_wl55.air import Air, settings
from firmware.boards.nucleo_wl55.board import NucleoBoard
from firmware.boards.nucleo_wl55.spi_nor import SpiNor
from firmware.boards.qemu_mps2.eeprom import At24c32

GC_THRESHOLD_BYTES = 4096
SERVICE_BAUD = 115200
DISPLAY_BAUD = 9600
SPI_BAUD = 8000000
SPREADING_FACTOR = 10


def start():
    """The meter's life. It ends with the power; an exception out of it ends in a reset by the watchdog."""
    gc.threshold(GC_THRESHOLD_BYTES)
    device = SpiNor(SPI(pins.FLASH_SPI, baudrate=SPI_BAUD), Pin(pins.FLASH_SELECT, Pin.OUT, value=1))
    modem = WL55SubGhzModem(settings(SPREADING_FACTOR))
    board = NucleoBoard(
        Air(modem, SPREADING_FACTOR),
        UART(pins.SERVICE_UART, SERVICE_BAUD),
        UART(pins.DISPLAY_UART, DISPLAY_BAUD),
        device,
        littlefs.mount(device),
        At24c32(SoftI2C(Pin(pins.EEPROM_CLOCK), Pin(pins.EEPROM_DATA))),
    )
    board.formatter = lambda: _format(device)
    board.unmount = littlefs.unmount
    application = boot.boot(board)
    board.air.address(application.meter_id)
    application.run()


def _format(device):
    littlefs.unmount()
    littlefs.format_flash(device)
    return littlefs.mount(device)
