"""The unix board: inputs and outputs as records on stdin/stdout, radio and time from the link it is given."""

import gc

from firmware.boards import base


class UnixBoard:
    """See firmware/boards/base.py for what each method promises."""

    max_frame = 51
    cause = base.RESET_POWER_ON
    console_trusted = True
    eeprom = None
    slots = None
    formatter = unmount = None  # what format_flash and erase_flash call: littlefs is not there under CPython

    def __init__(self, field, link, device, files):
        """`link` tells time and carries radio and console; `device` is the flash, `files` what is mounted on it."""
        self.field = field
        self.link = link
        self.device = device
        self.files = files
        self.rtc_told_us = 0

    def now_us(self):
        return self.link.now_us()

    def wait_until(self, deadline_us):
        self.link.wait_until(deadline_us)

    def power_on(self):
        """Wait until the inputs are there; the clock chip runs on from what it says now."""
        self.link.wait_until(0)
        self.rtc_told_us = self.link.now_us()

    def rtc(self):
        unix_s, valid = self.field.rtc
        return unix_s + (self.link.now_us() - self.rtc_told_us) // 1000000, valid

    def set_rtc(self, unix_s):
        self.field.rtc = (unix_s, True)
        self.rtc_told_us = self.link.now_us()

    def pulses(self):
        return self.field.pulses

    def reverse_pulses(self):
        return self.field.reverse_pulses

    def take_button(self):
        return self.field.take_button()

    def take_end_stop(self):
        return self.field.take_end_stop()

    def tampered(self):
        return self.field.tampered

    def battery_mv(self):
        return self.field.battery_mv

    def temperature_c10(self):
        return self.field.temperature_c10

    def reset_cause(self):
        return self.cause

    def heap_free(self):
        gc.collect()
        return gc.mem_free()

    def flash_operations(self):
        return self.device.operations

    def flash_blank(self):
        from firmware.boards.blank import is_blank  # hardly ever asked: not in the heap of every meter

        return is_blank(self.device)

    def format_flash(self):
        return self.formatter()

    def erase_flash(self):
        from firmware.boards.blank import erase

        self.files = None
        self.unmount()
        return erase(self.device, lambda: self.link.wait_until(0))

    def motor(self, command):
        self.link.motor(command)

    def face(self, picture):
        self.field.face(picture)

    def log(self, text):
        self.field.log(text)

    def transmit(self, frame):
        self.link.transmit(frame)

    def receive(self):
        return self.link.frames.pop(0) if self.link.frames else None

    def console_receive(self):
        return self.link.requests.pop(0) if self.link.requests else None

    def console_send(self, message):
        self.link.console_send(message)
