"""Start of the image: flash, UARTs, then the application, for as long as there is power."""

import gc

import machine
import mps2
from machine import UART, Pin, SoftI2C

from firmware import boot
from firmware.boards import littlefs
from firmware.boards.base import FOR_ANOTHER_IMAGE
from firmware.boards.qemu_mps2.clock_chip import ClockChip
from firmware.boards.qemu_mps2.eeprom import At24c32
from firmware.boards.qemu_mps2.thermometer import Thermometer
from firmware.boards.qemu_mps2.uart_link import UartLink
from firmware.boards.streams.field import Field
from firmware.boards.streams.records import FIELD, write_record
from firmware.boards.unix.board import UnixBoard

ASK_AGAIN_US = 1000000
GC_THRESHOLD_BYTES = 4096  # collect often: a small heap suffers more from gaps than from the time it takes


def start():
    """The meter's life. It ends with the power; an exception out of it is a fault, and the image resets."""
    gc.threshold(GC_THRESHOLD_BYTES)
    device = mps2.NorFlash(lambda operation: _power_cut(field, link, operation))
    field = Field(UART(FIELD), device.arm_cut)
    link = UartLink(field)
    board = UnixBoard(field, link, device, littlefs.mount(device))
    board.cause = machine.reset_cause()
    board.console_trusted = False
    board.formatter = lambda: _format(device)
    board.unmount = littlefs.unmount
    board.slots = device
    board.hardware = "qemu-mps2"
    board.running_slot, board.release_key, _ = mps2.loaded()
    board.restart = machine.reset
    i2c = SoftI2C(Pin("SCL"), Pin("SDA"))
    board.eeprom = At24c32(i2c)
    _sense(board, field, link, i2c)
    while True:
        application = boot.boot(board)
        boot.begin_trial(application)
        application.run()  # ends where provisioning made a meter, where a meter's life ended, and for another image
        if application.ended == FOR_ANOTHER_IMAGE:
            board.restart()


def _sense(board, field, link, i2c):
    """Wait for the inputs. The pulse counter outlives a reset of the processor and a count of zero would be a counter
    that began again, so nothing is counted before the counter has spoken: it is asked until it does."""
    field.pulses = None
    board.power_on()
    if not mps2.in_lockstep():
        _look_on_the_bus(board, field, i2c)
    ask_us = mps2.now_us()
    while field.pulses is None:
        if mps2.now_us() >= ask_us:
            link.forget()
            write_record(field.output, FIELD, b"A")
            ask_us = mps2.now_us() + ASK_AGAIN_US
        link.wait_until(ask_us)


def _look_on_the_bus(board, field, i2c):
    """The clock chip and the thermometer; a rig that grants the time has both, and tells of them in records."""
    chip = ClockChip(i2c)
    field.rtc = chip.read()
    board.rtc_told_us = board.now_us()
    board.set_rtc = chip.set
    board.temperature_c10 = Thermometer(i2c).temperature_c10


def _format(device):
    littlefs.unmount()
    littlefs.format_flash(device)
    return littlefs.mount(device)


def _power_cut(field, link, operation):
    field.cut_reached(operation)
    link.wait_for_the_end()
